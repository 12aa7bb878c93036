// A statement on its way: parsed, checked, its tables planned, and prepared in a sandbox that holds them and nothing else.
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api'
import { Failure } from '../../../contract/failure.ts'
import type { PastState } from '../moments.ts'
import { choiceOf } from '../moments.ts'
import type { FileCounts, OpenRows, TableAt } from '../../lake/reads.ts'
import type { QueryTools } from '../tools.ts'
import { bindParams, checkParams, type Param } from './bind-params.ts'
import { checkStatement, type FoundTable } from './check-statement.ts'
import { parseSql } from './parse-sql.ts'
import { filterOf } from './push-down.ts'
import { openSandbox, type SandboxOptions, type View } from './sandbox.ts'
import { translateSqlError } from './sql-failures.ts'
import { statesOf } from './states.ts'
import { rewriteTravel } from './time-travel.ts'

export interface SqlQuestion extends PastState {
  sql: string
  params: readonly Param[]
}

export interface SqlTools extends Pick<QueryTools, 'reads' | 'pool' | 'clock'> {
  sandbox: SandboxOptions
}

export interface OpenStatement {
  connection: DuckDBConnection
  statement: DuckDBPreparedStatement
  /** The first table that is read, and what of all of them. */
  at: TableAt | undefined
  files: FileCounts
  /** What to say of an error that came while it ran. */
  explain: (error: unknown) => Promise<unknown>
  /** Whether something stands around it. */
  isWrapped: boolean
  /** Once its rows are had; the connection stays. */
  releaseFiles: () => void
  close: () => void
}

export interface OpenOptions {
  tools: SqlTools
  /** Of the pool: it parses, and reads nothing. */
  parser: DuckDBConnection
  signal: AbortSignal
  around?: Around
}

/** What stands before and after a statement when it is run. */
export interface Around {
  before: string
  after: string
  /** The one file that may be written. */
  file?: string
  /** Whether EXPLAIN, which nothing can stand around, is run as it is, or refused. */
  mayBeExplain?: boolean
  /** What may be set afterwards all the same. */
  settings?: readonly string[]
}

export async function openStatement(question: SqlQuestion, options: OpenOptions): Promise<OpenStatement> {
  const { tools, parser, signal } = options
  const parsed = await parseSql(parser, question.sql)
  const { sql, travelled, others } = rewriteTravel(parsed, checkStatement(parsed))
  checkParams(parsed.tree, question.params)
  const isExplain = parsed.explain !== ''
  if (options.around && isExplain && !options.around.mayBeExplain)
    throw new Failure('INVALID_INPUT', 'What EXPLAIN answers is for people: it is not written as this format.')
  const around = isExplain ? undefined : options.around
  const pushed = { tree: parsed.tree, params: question.params, connection: parser }
  const filterFor = async (refs: readonly FoundTable[]) => (refs.length === 1 ? filterOf(refs[0], pushed) : [])

  const tables = [...new Set(others.map(({ table }) => table))]
  const states = await statesOf(tools.reads, tables, choiceOf(question), signal)
  const views: { name: string; at: TableAt; refs: readonly FoundTable[] }[] = tables.map(table => ({
    name: table,
    at: states.get(table)!,
    refs: others.filter(other => other.table === table),
  }))
  for (const { name, table, choice, refs } of travelled)
    views.push({ name, at: await tools.reads.at(table, choice, signal), refs })

  const sandbox = await openSandbox(tools.sandbox)
  const opened: OpenRows[] = []
  const releaseFiles = () => opened.splice(0).forEach(rows => rows.release())
  const close = () => {
    sandbox.close()
    releaseFiles()
  }
  const explain = async (error: unknown) => {
    const found = translateSqlError(error, question.sql, around ? Buffer.byteLength(around.before) : 0)
    if (found !== error) return found
    for (const rows of opened) {
      const blamed = await rows.blame(error)
      if (blamed !== error) return blamed
    }
    return error
  }
  try {
    const made: View[] = []
    for (const { name, at, refs } of views) {
      const rows = await tools.reads.open(at, { filter: await filterFor(refs) }, sandbox.connection, signal)
      opened.push(rows)
      made.push({ name, sql: rows.sql() })
    }
    const files = [...opened.flatMap(({ paths }) => paths), ...(around?.file === undefined ? [] : [around.file])]
    await sandbox.lock(made, files, options.around?.settings)
    const { connection } = sandbox
    const whole = around ? around.before + sql + around.after : sql
    const statement = await connection.prepare(whole)
    bindParams(statement, question.params)
    const share = { at: views.at(0)?.at, files: sumOf(opened) }
    return { connection, statement, ...share, explain, isWrapped: around !== undefined, releaseFiles, close }
  } catch (error) {
    const told = await explain(error)
    close()
    throw told
  }
}

function sumOf(opened: readonly OpenRows[]): FileCounts {
  const sum = { total: 0, pruned: 0, read: 0 }
  for (const { files } of opened) {
    sum.total += files.total
    sum.pruned += files.pruned
    sum.read += files.read
  }
  return sum
}

/** Of a statement that reads no table. */
export const NOWHERE: TableAt = {
  table: 'trades',
  snapshotId: undefined,
  committedMicros: undefined,
  validThroughMicros: undefined,
  offsets: undefined,
}
