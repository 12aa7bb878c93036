// A statement on its way: parsed, checked, its tables planned, and prepared in a sandbox that holds them and nothing else.
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api'
import { Failure } from '../../../contract/failure.ts'
import type { PinnedTable } from '../../../contract/receipts.ts'
import type { FileCounts, Filter, OpenRows, TableAt } from '../../lake/reads.ts'
import { sumOfFiles, type QueryTools } from '../tools.ts'
import { bindParams, checkParams, type Param } from './bind-params.ts'
import { checkRepeatable } from './check-repeatable.ts'
import { checkStatement } from './check-statement.ts'
import { joinLiveRows, type LiveRows } from './live-rows.ts'
import { parseSql } from './parse-sql.ts'
import { liveOf, pinOf } from './pinned-tables.ts'
import { planTables, type PlannedTable, type PlanTools, type SqlState } from './plan-tables.ts'
import type { Sandbox, SandboxOptions, View } from './sandbox.ts'
import { translateSqlError } from './sql-failures.ts'
import { rewriteTravel } from './time-travel.ts'

export interface SqlQuestion extends SqlState {
  sql: string
  params: readonly Param[]
  /** Whether the same rows are to be had again. */
  receipt?: boolean
}

export interface SqlTools extends PlanTools, Pick<QueryTools, 'pool' | 'clock'> {
  sandbox: SandboxOptions
  openSandbox: () => Promise<Sandbox>
}

export interface OpenStatement {
  connection: DuckDBConnection
  statement: DuckDBPreparedStatement
  /** The first table that is read, and what of all of them. */
  at: TableAt | undefined
  files: FileCounts
  /** Of each table with what the log has beyond it. */
  live: readonly LiveRows[]
  /** What each table was, for a receipt. */
  pins: Readonly<Record<string, PinnedTable>>
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
  /** Of the live view, whatever the statement seems to need. */
  wantsAllColumns?: boolean
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
  const { tools, parser, signal, wantsAllColumns = false } = options
  const parsed = await parseSql(parser, question.sql)
  const { sql, travelled, others } = rewriteTravel(parsed, checkStatement(parsed))
  checkParams(parsed.tree, question.params)
  if (question.receipt) checkRepeatable(parsed.tree, question.sql)
  const { isExplain } = parsed
  if (options.around && isExplain && !options.around.mayBeExplain)
    throw new Failure('INVALID_INPUT', 'What EXPLAIN answers is for people: it is not written as this format.')
  const around = isExplain ? undefined : options.around
  const rewritten = { sql, travelled, others }
  const { params } = question
  const plan = { parsed, params, state: question, rewritten, wantsAllColumns, connection: parser, signal }
  const planned = await planTables(tools, plan)

  const sandbox = await tools.openSandbox()
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
    const filesOf = async (at: TableAt, filter: Filter) => {
      const rows = await tools.reads.open(at, { filter }, sandbox.connection, signal)
      opened.push(rows)
      return rows.sql()
    }
    for (const { name, at, filter, live, beyond } of planned) {
      const files = await filesOf(at, filter)
      const all = beyond
        ? `SELECT * FROM (${files}) UNION ALL BY NAME SELECT * FROM (${await filesOf(beyond.head, [...filter, ...beyond.filter])}) WHERE ${beyond.where}`
        : files
      const fresh = live ?? (beyond && liveOf(beyond))
      made.push({ name, sql: fresh ? await joinLiveRows(sandbox.connection, all, fresh) : all })
    }
    const files = [...opened.flatMap(({ paths }) => paths), ...(around?.file === undefined ? [] : [around.file])]
    await sandbox.lock(made, files, options.around?.settings)
    const { connection } = sandbox
    const whole = around ? around.before + sql + around.after : sql
    const statement = await connection.prepare(whole)
    bindParams(statement, question.params)
    const share = {
      at: planned.at(0)?.at,
      live: planned.flatMap(({ live = [] }) => live),
      pins: pinsOf(planned),
      files: sumOfFiles(opened.map(({ files }) => files)),
    }
    return { connection, statement, ...share, explain, isWrapped: around !== undefined, releaseFiles, close }
  } catch (error) {
    const told = await explain(error)
    close()
    throw told
  }
}

function pinsOf(planned: readonly PlannedTable[]): Record<string, PinnedTable> {
  return Object.fromEntries(planned.map(table => [table.name, pinOf(table)]))
}
