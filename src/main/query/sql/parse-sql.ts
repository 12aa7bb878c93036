// A statement as a tree, by DuckDB's own parser; nothing is run. What is no single SELECT, or EXPLAIN of one, is refused.
import type { DuckDBConnection } from '@duckdb/node-api'
import { Failure } from '../../../contract/failure.ts'
import { refuse } from './refuse.ts'
import { nodesOf, type SqlNode } from './sql-tree.ts'

export interface Parsed {
  /** As it was given. */
  sql: string
  /** `EXPLAIN` or `EXPLAIN ANALYZE` as it was written, with what is before it; empty for a plain SELECT. */
  explain: string
  tree: SqlNode
}

/** More than people write and fewer than keep DuckDB's planner busy: it takes half a second for 3,000 SELECTs in one. */
const MAX_NODES = 20_000

const COMMENT = String.raw`(?:\s|--[^\n]*(?:\n|$)|/\*[\s\S]*?\*/)`
const EXPLAIN = new RegExp(`^${COMMENT}*explain${COMMENT}+(?:analyze${COMMENT}+)?`, 'i')

export async function parseSql(connection: DuckDBConnection, sql: string): Promise<Parsed> {
  const explain = EXPLAIN.exec(sql)?.[0] ?? ''
  const blank = explain.replace(/[^\n]/gu, character => ' '.repeat(Buffer.byteLength(character)))
  const answer = await connection.run('SELECT json_serialize_sql($1::VARCHAR)', [blank + sql.slice(explain.length)])
  const [[json]] = (await answer.getRows()) as [[string]]
  const parsed = JSON.parse(json) as Answer
  if (parsed.error) throw whyNot(parsed, sql)
  const { statements } = parsed
  if (statements.length !== 1)
    throw new Failure('INVALID_INPUT', `There are ${statements.length} statements: send one at a time.`)
  if (hasMoreNodes(statements[0], MAX_NODES)) throw tooLarge()
  return { sql, explain, tree: statements[0] }
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
