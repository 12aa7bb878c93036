// The rows of a table in their order as a file: time after time, so that no more than a part of them is sorted at once.
import type { ColumnBatch } from '../../../contract/columns.ts'
import type { FileFormat } from '../../../contract/sql.ts'
import type { FileSpan, TableAt } from '../../lake/reads.ts'
import { quoteName } from '../../duck/quote.ts'
import { streamBatches } from '../../duck/read-batch.ts'
import type { Lease } from '../pool.ts'
import type { AskedRows } from '../reads/asked-rows.ts'
import { rowFilter, sideColumns, sideSql, timeRangeOf, type TimeRange } from '../reads/row-filter.ts'
import { orderSql, rowOrder, timeColumnOf } from '../reads/row-order.ts'
import type { QueryTools } from '../tools.ts'
import { atMost } from './at-most.ts'
import { duckTypes } from './duck-types.ts'
import { exportRows } from './export-rows.ts'
import { writeParquet } from './write-parquet.ts'

export interface TableExport {
  at: TableAt
  asked: AskedRows
  limit: number | undefined
  format: FileFormat
}

/** Of so many rows about a part is sorted at a time: 40 MB or so. */
const ROWS_AT_ONCE = 250_000

export async function* exportTable(
  { reads }: Pick<QueryTools, 'reads'>,
  { at, asked, limit, format }: TableExport,
  lease: Lease,
  tempFolder: string,
): AsyncGenerator<Uint8Array, void> {
  const columns = duckTypes(asked.table, asked.fields)
  const all = allRows(reads, at, asked, lease)
  const batches = limit === undefined ? all : atMost(all, limit)
  if (format === 'parquet') yield* writeParquet(batches, columns, { tempFolder, signal: lease.signal })
  else yield* exportRows(batches, columns, format)
}

async function* allRows(
  reads: QueryTools['reads'],
  at: TableAt,
  asked: AskedRows,
  { connection, signal }: Lease,
): AsyncGenerator<ColumnBatch, void> {
  const order = rowOrder(asked.table, asked.order)
  const needed = [...new Set([...asked.fields, ...order.keys.map(({ name }) => name), ...sideColumns(asked)])]
  const whole = timeRangeOf(asked)
  const questionOf = (range: TimeRange) => ({ filter: rowFilter(asked, range), columns: needed })
  const spans = await reads.spans(at, questionOf(whole), timeColumnOf(asked.table), signal)
  const parts = asked.order === 'sequence' ? [whole] : partsOf(whole, spans)
  for (const part of asked.order === 'desc' ? parts.reverse() : parts) {
    const rows = await reads.open(at, questionOf(part), connection, signal)
    const sql =
      `SELECT ${asked.fields.map(quoteName).join(', ')} FROM (${rows.sql(needed)}) ` +
      `WHERE ${sideSql(asked)} ORDER BY ${orderSql(order)}`
    try {
      yield* streamBatches(connection, sql, { signal })
    } catch (error) {
      throw await rows.blame(error)
    } finally {
      rows.release()
    }
  }
}

/** Ranges of time one after the other, of even length: all of one where little is known. */
export function partsOf(whole: TimeRange, spans: readonly FileSpan[]): TimeRange[] {
  let [rows, first, last] = [0, Infinity, -Infinity]
  for (const span of spans) {
    rows += span.rows
    first = Math.min(first, span.fromMicros)
    last = Math.max(last, span.toMicros)
  }
  const from = Math.max(first, whole.fromMicros)
  const to = Math.min(last + 1, whole.toMicros)
  const count = Math.ceil(rows / ROWS_AT_ONCE)
  if (count < 2 || !Number.isFinite(to - from) || to - from < count) return [whole]
  const edges = Array.from({ length: count - 1 }, (_, i) => Math.floor(from + ((to - from) * (i + 1)) / count))
  return [whole.fromMicros, ...edges].map((fromMicros, i) => ({ fromMicros, toMicros: edges[i] ?? whole.toMicros }))
}
