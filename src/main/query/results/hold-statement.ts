// A statement's rows, held in a DuckDB of their own: the one that ran it, whose settings are locked and which reaches no
// file or network but the one file for downloads, so nothing that is asked of the rows later does either.
import { join } from 'node:path'
import type { DuckDBConnection, DuckDBType } from '@duckdb/node-api'
import type { CellType } from '../../../contract/columns.ts'
import { quoteName } from '../../duck/quote.ts'
import { createColumnReader } from '../../duck/read-columns.ts'
import { interruptible } from '../../duck/run-sql.ts'
import type { FileCounts, TableAt } from '../../lake/reads.ts'
import type { Lease } from '../pool.ts'
import { withColumns, type LiveRows } from '../sql/live-rows.ts'
import { openStatement, type OpenStatement, type SqlQuestion, type SqlTools } from '../sql/open-statement.ts'
import { withoutEnd } from '../sql/parse-sql.ts'
import { closeAfter, heeded, type ResultColumn } from '../sql/run-statement.ts'

export const HELD = 'main.k2_held'

export interface HeldColumn {
  name: string
  /** As SQL writes it. */
  sqlName: string
  type: CellType
  duckType: DuckDBType
}

export interface HeldRows {
  connection: DuckDBConnection
  columns: readonly HeldColumn[]
  rowCount: number
  isTruncated: boolean
  at: TableAt | undefined
  files: FileCounts
  live: readonly LiveRows[]
  /** Where it may write one, and nowhere else. */
  file: string
  /** In memory and on disk. */
  bytes: number
  /** Gives `work` as much memory as a statement may have; at rest it is less, and the rest of the rows is on disk. */
  withMemory: <T>(work: () => Promise<T>) => Promise<T>
  close: () => void
}

/** A window reads a block of each column at the same time. */
const MB_AT_REST = 64
const MB_PER_COLUMN = 1

let heldCount = 0

export function holdStatement(
  tools: SqlTools,
  question: SqlQuestion,
  mostRows: number,
  lease: Lease,
): Promise<HeldRows> {
  return withColumns(wantsAllColumns => hold(tools, question, { mostRows, wantsAllColumns }, lease))
}

async function hold(
  tools: SqlTools,
  question: SqlQuestion,
  { mostRows, wantsAllColumns }: { mostRows: number; wantsAllColumns: boolean },
  { connection: parser, signal }: Lease,
): Promise<HeldRows> {
  const file = join(tools.sandbox.tempFolder, `held-${process.pid}-${++heldCount}.parquet`)
  const around = {
    file,
    before: `CREATE TABLE ${HELD} AS FROM (`,
    // On a line of its own, as a statement may end in a comment.
    after: `\n) LIMIT ${mostRows + 1}`,
    mayBeExplain: true,
    settings: ['memory_limit'],
  }
  const unended = { ...question, sql: withoutEnd(question.sql) }
  const open = await openStatement(unended, { tools, parser, signal, around, wantsAllColumns })
  const filling = fill(open, mostRows, signal)
  try {
    const { columns, rowCount } = await heeded(filling, signal)
    open.releaseFiles()
    const { connection, at, files, live, close } = open
    const { memoryMb } = tools.sandbox
    const restMb = Math.min(memoryMb, Math.max(MB_AT_REST, columns.length * MB_PER_COLUMN))
    const limitTo = (mb: number) => connection.run(`SET memory_limit = '${mb}MB'`)
    const bytes = await bytesOf(connection)
    const withMemory = async <T>(work: () => Promise<T>) => {
      await limitTo(memoryMb)
      try {
        return await work()
      } finally {
        await limitTo(restMb)
      }
    }
    await limitTo(restMb)
    const isTruncated = rowCount > mostRows
    return {
      connection,
      columns,
      rowCount: isTruncated ? mostRows : rowCount,
      isTruncated,
      at,
      files,
      live,
      file,
      bytes,
      withMemory,
      close,
    }
  } catch (error) {
    const told = await open.explain(error)
    closeAfter(filling, open)
    throw told
  }
}

async function fill(
  open: OpenStatement,
  mostRows: number,
  signal: AbortSignal,
): Promise<{ columns: HeldColumn[]; rowCount: number }> {
  const { connection, statement } = open
  if (open.isWrapped) await interruptible(connection, signal, () => statement.run())
  else await fillByHand(open, signal)
  const empty = await connection.run(`FROM ${HELD} LIMIT 0`)
  const names = empty.columnNames()
  const sqlNames = await freeRowid(connection, names)
  const columns = empty.columnTypes().map((duckType, i) => ({
    name: names[i],
    sqlName: quoteName(sqlNames[i]),
    type: createColumnReader(duckType, i, 0).finish().type,
    duckType,
  }))
  const [[count]] = (await (await connection.run(`SELECT count(*) FROM ${HELD}`)).getRows()) as [[bigint]]
  if (count > mostRows) await connection.run(`DELETE FROM ${HELD} WHERE rowid >= ${mostRows}`)
  return { columns, rowCount: Number(count) }
}

/** What EXPLAIN answers: a few texts. */
async function fillByHand({ connection, statement }: OpenStatement, signal: AbortSignal): Promise<void> {
  const result = await interruptible(connection, signal, () => statement.run())
  const names = result.deduplicatedColumnNames()
  await connection.run(`CREATE TABLE ${HELD} (${names.map(name => `${quoteName(name)} VARCHAR`).join(', ')})`)
  const marks = names.map((_, i) => `$${i + 1}::VARCHAR`).join(', ')
  for (const row of await result.getRows())
    await connection.run(
      `INSERT INTO ${HELD} VALUES (${marks})`,
      row.map(value => (value === null ? null : String(value))),
    )
}

/** What the columns are called in the table: one called rowid would hide DuckDB's own, which says the place of a row. */
async function freeRowid(connection: DuckDBConnection, names: readonly string[]): Promise<readonly string[]> {
  const hiding = names.findIndex(name => name.toLowerCase() === 'rowid')
  if (hiding < 0) return names
  const taken = new Set(names.map(name => name.toLowerCase()))
  let free = 'k2_rowid'
  while (taken.has(free)) free += '_'
  await connection.run(`ALTER TABLE ${HELD} RENAME COLUMN ${quoteName(names[hiding])} TO ${quoteName(free)}`)
  return names.with(hiding, free)
}

async function bytesOf(connection: DuckDBConnection): Promise<number> {
  const sql = 'SELECT coalesce(sum(memory_usage_bytes + temporary_storage_bytes), 0)::DOUBLE FROM duckdb_memory()'
  const [[bytes]] = (await (await connection.run(sql)).getRows()) as [[number]]
  return bytes
}

/** As an answer's own words say them. */
export function resultColumns({ columns }: HeldRows): ResultColumn[] {
  return columns.map(({ name, duckType }) => ({ name, type: String(duckType) }))
}
