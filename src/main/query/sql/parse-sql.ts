// A statement as a tree, by DuckDB's own parser; nothing is run. What is no single SELECT, or EXPLAIN of one, is refused.
import type { DuckDBConnection } from '@duckdb/node-api'
import { Failure } from '../../../contract/failure.ts'
import { refuse } from './refuse.ts'
import { nodesOf, type SqlNode } from './sql-tree.ts'

export interface Parsed {
  /** What was parsed, with `EXPLAIN` before it in place of what was written there: nothing else is ever run. */
  sql: string
  isExplain: boolean
  tree: SqlNode
}

/** More than people write and fewer than keep DuckDB's planner busy: it takes half a second for 3,000 SELECTs in one. */
const MAX_NODES = 20_000

const COMMENT = String.raw`(?:\s|--[^\n\r]*(?:[\n\r]|$)|/\*[\s\S]*?\*/)`
const EXPLAIN = new RegExp(`^${COMMENT}*explain${COMMENT}+(analyze${COMMENT}+)?`, 'i')

export async function parseSql(connection: DuckDBConnection, sql: string): Promise<Parsed> {
  const explain = EXPLAIN.exec(sql)
  const [before, isAnalyze] = explain ?? ['']
  // As long as it was, with its lines, so that places stay what they are. Where DuckDB's idea of a comment is another than
  // this one's, what comes after is still read from its beginning, here and when it is run.
  const blank = before.replace(/[^\n]/gu, character => ' '.repeat(Buffer.byteLength(character)))
  const words = explain ? (isAnalyze ? 'EXPLAIN ANALYZE ' : 'EXPLAIN ') : ''
  const rest = sql.slice(before.length)
  const answer = await connection.run('SELECT json_serialize_sql($1::VARCHAR)', [blank + rest])
  const [[json]] = (await answer.getRows()) as [[string]]
  const parsed = JSON.parse(json) as Answer
  if (parsed.error) throw whyNot(parsed, sql)
  const { statements } = parsed
  if (statements.length !== 1)
    throw new Failure('INVALID_INPUT', `There are ${statements.length} statements: send one at a time.`)
  if (hasMoreNodes(statements[0], MAX_NODES)) throw tooLarge()
  return { sql: blank.slice(words.length) + words + rest, isExplain: explain !== null, tree: statements[0] }
}

function hasMoreNodes(tree: SqlNode, most: number): boolean {
  const nodes = nodesOf(tree)
  for (let count = 0; count <= most; count++) if (nodes.next().done) return false
  return true
}

type Answer =
  | { error: false; statements: SqlNode[] }
  | { error: true; error_type: string; error_message: string; position?: string }

function whyNot({ error_type: type, error_message: message, position }: Extract<Answer, { error: true }>, sql: string) {
  if (type === 'not implemented')
    return refuse(
      'Only one SELECT can be run, or EXPLAIN of one: nothing is written, set, attached, copied or installed by SQL, and a PIVOT names its values with IN',
      { sql, at: undefined },
    )
  return refuse(`The statement cannot be read: ${message}`, {
    sql,
    at: position === undefined ? undefined : Number(position),
  })
}

function tooLarge(): Failure {
  return new Failure('INVALID_INPUT', 'The statement has too many parts: split it, or pass lists as one parameter.')
}

const TOKEN =
  /(?:e'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$)|(--[^\n\r]*|\/\*[\s\S]*?\*\/|[\s;]+)|[\s\S]/giu

/** Without the semicolons and comments at its end, for something to stand around it. */
export function withoutEnd(sql: string): string {
  let end = 0
  for (const token of sql.matchAll(TOKEN)) if (token[2] === undefined) end = token.index + token[0].length
  return sql.slice(0, end)
}
