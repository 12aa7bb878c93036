// Which rows of a table a replay is made of, and how they are asked for: one snapshot, some instruments, one order.
import type { ColumnBatch } from '../../contract/columns.ts'
import type { TailTable } from '../../contract/tables.ts'
import { quoteName, quoteText } from '../duck/quote.ts'
import { readBatch } from '../duck/read-batch.ts'
import type { Condition, FileCounts, FileSpan, LakeReads, TableAt } from '../lake/reads.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import type { Lease, QueryPool } from '../query/pool.ts'
import { timeColumnOf, type Order } from './row-order.ts'

export interface ReadTools {
  reads: LakeReads
  pool: QueryPool
  /** Told of the files of every stretch that is read. */
  onFiles?: (files: FileCounts) => void
}

export interface Instruments {
  /** All when left out. */
  symbols?: readonly string[]
  exchange?: string
}

export interface RowSource {
  table: TailTable
  at: TableAt
  order: Order
  instruments: Instruments
  columns: readonly string[]
  /** Only rows of the log that this vector does not hold. */
  beyond?: OffsetVector
}

/** From … to, the end not included. */
export interface TimeRange {
  fromMicros: number
  toMicros: number
}

export async function spansOf(
  { reads }: ReadTools,
  source: RowSource,
  range: TimeRange,
  signal?: AbortSignal,
): Promise<readonly FileSpan[]> {
  return reads.spans(source.at, { filter: filterOf(source, range) }, timeColumnOf(source.order), signal)
}

export interface RowsWanted {
  range: TimeRange
  columns: readonly string[]
  /** What follows the rows in the statement. */
  tail: string
}

export async function readRows(
  tools: ReadTools,
  source: RowSource,
  wanted: RowsWanted,
  caller?: AbortSignal,
): Promise<ColumnBatch> {
  return withRows(tools, source, wanted, readBatch, caller)
}

/** What `read` makes of the statement. */
export async function withRows<T>(
  { reads, pool, onFiles }: ReadTools,
  source: RowSource,
  { range, columns, tail }: RowsWanted,
  read: (connection: Lease['connection'], sql: string, signal: AbortSignal) => Promise<T>,
  caller?: AbortSignal,
): Promise<T> {
  return pool.run(async ({ connection, signal }) => {
    const beyond = source.beyond && beyondSql(source.beyond)
    const inside = beyond ? [...new Set([...columns, '_topic', '_partition', '_offset'])] : columns
    const question = { filter: filterOf(source, range), columns: inside }
    const rows = await reads.open(source.at, question, connection, signal)
    onFiles?.(rows.files)
    try {
      const where = beyond ? ` WHERE ${beyond}` : ''
      const sql = `SELECT ${columns.map(quoteName).join(', ')} FROM (${rows.sql(inside)})${where} ${tail}`
      return await read(connection, sql, signal)
    } catch (error) {
      throw await rows.blame(error)
    } finally {
      rows.release()
    }
  }, caller)
}

/** How many rows there are at exactly one time. */
export async function countAtTime(
  tools: ReadTools,
  source: RowSource,
  micros: number,
  signal?: AbortSignal,
): Promise<number> {
  const range = { fromMicros: micros, toMicros: micros + 1 }
  const found = await readRows(tools, source, { range, columns: [timeColumnOf(source.order)], tail: '' }, signal)
  return found.rowCount
}

export function filterOf({ order, instruments }: RowSource, { fromMicros, toMicros }: TimeRange): Condition[] {
  const column = timeColumnOf(order)
  const { symbols, exchange } = instruments
  return [
    { column, op: '>=', value: BigInt(fromMicros) },
    { column, op: '<', value: BigInt(toMicros) },
    ...(symbols ? [{ column: 'symbol', op: 'in', values: [...new Set(symbols)] } as const] : []),
    ...(exchange ? [{ column: 'exchange', op: '=', value: exchange.toUpperCase() } as const] : []),
  ]
}

/** A topic or a partition that the vector does not name was not there yet: all of it is beyond. */
function beyondSql(vector: OffsetVector): string {
  const held = vector.flatMap(({ topic, next }) =>
    Object.entries(next).map(
      ([partition, offset]) =>
        `("_topic" = ${quoteText(topic)} AND "_partition" = ${Number(partition)} AND "_offset" < ${Number(offset)})`,
    ),
  )
  return `"_offset" IS NOT NULL AND NOT (${held.length > 0 ? held.join(' OR ') : 'FALSE'})`
}
