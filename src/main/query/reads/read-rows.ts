// The first rows of an order, from a place on, at one snapshot.
import type { ColumnBatch } from '../../../contract/columns.ts'
import type { FileCounts, TableAt } from '../../lake/reads.ts'
import { quoteName } from '../../duck/quote.ts'
import { readBatch } from '../../duck/read-batch.ts'
import type { Lease } from '../pool.ts'
import type { QueryTools } from '../tools.ts'
import type { AskedRows } from './asked-rows.ts'
import { rowFilter, sideColumns, sideSql, timeRangeOf, type TimeRange } from './row-filter.ts'
import {
  countAtEnd,
  fromPlaceSql,
  orderSql,
  placeOf,
  rowOrder,
  timeColumnOf,
  type PlaceInOrder,
  type RowOrder,
} from './row-order.ts'
import { timeWindows } from './time-windows.ts'

/** Where rows begin: at a place, after so many of the rows that stand there. */
export interface Start {
  place: PlaceInOrder
  passed: number
}

export interface Part {
  limit: number
  /** Rows to pass over. */
  offset: number
  start?: Start
}

export interface FoundRows {
  /** The columns that were asked for, in the order they were asked for. */
  batch: ColumnBatch
  files: FileCounts
  /** Where the rows after these begin; nothing when there are none. */
  next?: Start
}

export async function readRows(
  { reads, pool }: Pick<QueryTools, 'reads' | 'pool'>,
  at: TableAt,
  asked: AskedRows,
  part: Part,
  signal?: AbortSignal,
): Promise<FoundRows> {
  const order = rowOrder(asked.table, asked.order)
  const range = rangeFrom(asked, part.start)
  const time = timeColumnOf(asked.table)
  const spans = asked.order === 'sequence' ? [] : await reads.spans(at, question(asked, range), time, signal)
  return pool.run(async lease => {
    const passed = part.offset + (part.start?.passed ?? 0)
    const windows = timeWindows(spans, range, passed + part.limit + 1, order.isBackwards)
    for (let found = 0; ;) {
      // The last one is the whole range, and answers.
      const window = windows.next(found).value!
      const { batch, files } = await readWindow(reads, at, asked, part, window, order, lease)
      if (batch.rowCount > part.limit || isWhole(window, range)) return foundRows(asked, order, part, batch, files)
      found = batch.rowCount
    }
  }, signal)
}

function isWhole(window: TimeRange, range: TimeRange): boolean {
  return window.fromMicros === range.fromMicros && window.toMicros === range.toMicros
}

function question(asked: AskedRows, range: TimeRange) {
  return { filter: rowFilter(asked, range), columns: neededColumns(asked) }
}

function neededColumns(asked: AskedRows): string[] {
  const keys = rowOrder(asked.table, asked.order).keys.map(({ name }) => name)
  return [...new Set([...asked.fields, ...keys, ...sideColumns(asked)])]
}

/** A place says the time that its rows and those after it lie at or beyond, which prunes files as a filter does. */
function rangeFrom(asked: AskedRows, start: Start | undefined): TimeRange {
  const range = timeRangeOf(asked)
  const time = start?.place[0]
  if (asked.order === 'sequence' || time == null) return range
  return asked.order === 'desc'
    ? { ...range, toMicros: Math.min(range.toMicros, Number(time) + 1) }
    : { ...range, fromMicros: Math.max(range.fromMicros, Number(time)) }
}

async function readWindow(
  reads: QueryTools['reads'],
  at: TableAt,
  asked: AskedRows,
  { limit, offset, start }: Part,
  window: TimeRange,
  order: RowOrder,
  { connection, signal }: Lease,
): Promise<{ batch: ColumnBatch; files: FileCounts }> {
  const opened = await reads.open(at, question(asked, window), connection, signal)
  try {
    const columns = neededColumns(asked)
    const where = start ? `${sideSql(asked)} AND ${fromPlaceSql(order, start.place)}` : sideSql(asked)
    const sql =
      `SELECT ${columns.map(quoteName).join(', ')} FROM (${opened.sql(columns)}) WHERE ${where} ` +
      `ORDER BY ${orderSql(order)} LIMIT ${limit + 1} OFFSET ${offset + (start?.passed ?? 0)}`
    return { batch: await readBatch(connection, sql, signal), files: opened.files }
  } catch (error) {
    throw await opened.blame(error)
  } finally {
    opened.release()
  }
}

function foundRows(
  asked: AskedRows,
  order: RowOrder,
  { limit, start }: Part,
  batch: ColumnBatch,
  files: FileCounts,
): FoundRows {
  const rows = Math.min(batch.rowCount, limit)
  const answered = { rowCount: rows, columns: batch.columns }
  const columns = asked.fields.map(name => [name, firstRows(batch.columns[name], rows)] as const)
  const found = { batch: { rowCount: rows, columns: Object.fromEntries(columns) }, files }
  if (batch.rowCount <= limit) return found
  const place = placeOf(order, answered, rows - 1)
  const same = countAtEnd(order, answered, place)
  const isStill = same === rows && start !== undefined && start.place.every((cell, i) => cell === place[i])
  return { ...found, next: { place, passed: same + (isStill ? start.passed : 0) } }
}

function firstRows(column: ColumnBatch['columns'][string], rows: number): ColumnBatch['columns'][string] {
  const { values, nulls } = column
  if (values.length === rows) return column
  return { ...column, values: values.slice(0, rows), ...(nulls && { nulls: nulls.slice(0, rows) }) }
}
