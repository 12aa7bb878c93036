// The first rows of an order, from a place on, at one snapshot.
import { cellOf, type ColumnBatch } from '../../../contract/columns.ts'
import { TABLES } from '../../../contract/tables.ts'
import type { FileCounts, TableAt } from '../../lake/reads.ts'
import { quoteName } from '../../duck/quote.ts'
import { readBatch } from '../../duck/read-batch.ts'
import { hasTies } from '../../market/row-order.ts'
import type { Lease } from '../pool.ts'
import type { QueryTools } from '../tools.ts'
import type { AskedRows } from './asked-rows.ts'
import { rowFilter, sideColumns, sideSql, timeRangeOf, type TimeRange } from './row-filter.ts'
import {
  countAtEnd,
  fromPlaceSql,
  isAt,
  orderSql,
  placeOf,
  reversed,
  rowOrder,
  timeColumnOf,
  wholeOrderSql,
  type PlaceInOrder,
  type RowOrder,
} from './row-order.ts'
import { timeWindows } from './time-windows.ts'

/** Where rows begin: at a place, after so many of the rows that stand there or, after an offset, come next. */
export interface Start {
  /** Empty for the beginning. */
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

const NO_PLACE: PlaceInOrder = []

export async function readRows(
  { reads, pool }: Pick<QueryTools, 'reads' | 'pool'>,
  at: TableAt,
  asked: AskedRows,
  part: Part,
  signal?: AbortSignal,
): Promise<FoundRows> {
  const order = rowOrder(asked.table, asked.order)
  const start = { place: part.start?.place ?? NO_PLACE, passed: part.offset + (part.start?.passed ?? 0) }
  const range = rangeFrom(timeRangeOf(asked), order, start.place)
  const time = timeColumnOf(asked.table)
  const spans = asked.order === 'sequence' ? [] : await reads.spans(at, question(asked, range), time, signal)
  return pool.run(async lease => {
    const windows = timeWindows(spans, range, start.passed + part.limit + 1, order.isBackwards)
    const read: ReadRange = (window, select) => readRange(reads, at, asked, window, select, lease)
    for (let found = 0; ;) {
      // The last one is the whole range, and answers.
      const window = windows.next(found).value!
      const { batch, files, before } = await readWindow(read, asked, order, start, part.limit, window)
      if (batch.rowCount - before > part.limit || isWhole(window, range)) {
        const keys = order.keys.map(({ name }) => name)
        const rows = hasTies(batch, keys) ? await readTied(read, asked, order, start, window, batch) : batch
        return { ...pageOf(asked, order, start, part.limit, rows, before), files }
      }
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
function rangeFrom(range: TimeRange, { keys, isBackwards }: RowOrder, [time]: PlaceInOrder): TimeRange {
  if (keys[0].type !== 'timestamp' || time == null) return range
  return isBackwards
    ? { ...range, toMicros: Math.min(range.toMicros, Number(time) + 1) }
    : { ...range, fromMicros: Math.max(range.fromMicros, Number(time)) }
}

interface Select {
  /** Those that are read beside the columns of the answer. */
  columns: readonly string[]
  /** What follows SELECT, from the rows of the range. */
  sql: (rows: string) => string
}
type ReadRange = (range: TimeRange, select: Select) => Promise<{ batch: ColumnBatch; files: FileCounts }>

async function readRange(
  reads: QueryTools['reads'],
  at: TableAt,
  asked: AskedRows,
  range: TimeRange,
  { columns, sql }: Select,
  { connection, signal }: Lease,
): Promise<{ batch: ColumnBatch; files: FileCounts }> {
  const opened = await reads.open(at, { filter: rowFilter(asked, range), columns }, connection, signal)
  try {
    const rows = `(${opened.sql(columns)}) WHERE ${sideSql(asked)}`
    return { batch: await readBatch(connection, sql(rows), signal), files: opened.files }
  } catch (error) {
    throw await opened.blame(error)
  } finally {
    opened.release()
  }
}

/** The rows from the start on and one more. `before` is 1 with the last one that is passed over, which may tie with them. */
async function readWindow(
  read: ReadRange,
  asked: AskedRows,
  order: RowOrder,
  { place, passed }: Start,
  limit: number,
  window: TimeRange,
) {
  const before = Math.min(passed, 1)
  const columns = neededColumns(asked)
  const sql = (rows: string) =>
    `SELECT ${listOf(columns)} FROM ${rows} AND ${fromPlaceSql(order, place)} ` +
    `ORDER BY ${orderSql(order)} LIMIT ${limit + 1 + before} OFFSET ${passed - before}`
  return { ...(await read(window, { columns, sql })), before }
}

/**
 * The same places of the order once more, with the rows that belong there: for rows that are alike in every key the
 * database has another order with each limit and offset.
 */
async function readTied(
  read: ReadRange,
  asked: AskedRows,
  order: RowOrder,
  start: Start,
  window: TimeRange,
  { rowCount, ...rest }: ColumnBatch,
): Promise<ColumnBatch> {
  const [first, last] = [0, rowCount - 1].map(row => placeOf(order, { rowCount, ...rest }, row))
  const range = rangeFrom(rangeFrom(window, order, first), reversed(order), last)
  const columns = TABLES[asked.table].columns.map(({ name }) => name)
  const skipped = Math.max(0, start.passed - 1) - (await countBetween(read, asked, order, start, first, window))
  const sql = (rows: string) =>
    `SELECT ${listOf(neededColumns(asked))} FROM ${rows} ` +
    `AND ${fromPlaceSql(order, first)} AND ${fromPlaceSql(reversed(order), last)} ` +
    `ORDER BY ${wholeOrderSql(order, asked.table)} LIMIT ${rowCount} OFFSET ${skipped}`
  return (await read(range, { columns, sql })).batch
}

/** How many of the rows that are passed over stand before a place. */
async function countBetween(
  read: ReadRange,
  asked: AskedRows,
  order: RowOrder,
  start: Start,
  place: PlaceInOrder,
  window: TimeRange,
): Promise<number> {
  if (start.passed <= 1 || isAt(start.place, place)) return 0
  const sql = (rows: string) =>
    `SELECT count(*) AS count FROM ${rows} AND ${fromPlaceSql(order, start.place)} ` +
    `AND (${fromPlaceSql(order, place)}) IS NOT TRUE`
  const { batch } = await read(window, { columns: neededColumns(asked), sql })
  return Number(cellOf(batch.columns.count, 0))
}

function listOf(columns: readonly string[]): string {
  return columns.map(quoteName).join(', ')
}

/** `batch` has one row more than the page where there are more, and `before` rows that are not of it. */
function pageOf(
  asked: AskedRows,
  order: RowOrder,
  start: Start,
  limit: number,
  batch: ColumnBatch,
  before: number,
): Omit<FoundRows, 'files'> {
  const end = Math.min(batch.rowCount, before + limit)
  const rowCount = Math.max(0, end - before)
  const columns = asked.fields.map(name => [name, rowsBetween(batch.columns[name], end - rowCount, end)] as const)
  const found = { batch: { rowCount, columns: Object.fromEntries(columns) } }
  if (batch.rowCount <= end) return found
  const place = placeOf(order, batch, end - 1)
  const same = Math.min(rowCount, countAtEnd(order, { ...batch, rowCount: end }, place))
  if (same < rowCount || start.passed === 0) return { ...found, next: { place, passed: same } }
  if (isAt(start.place, place)) return { ...found, next: { place, passed: start.passed + rowCount } }
  // Of the rows that an offset passed over nobody knows how many stand here, so they are counted from the beginning.
  if (start.place.length === 0) return { ...found, next: { place: NO_PLACE, passed: start.passed + rowCount } }
  return { ...found, next: { place, passed: same } }
}

function rowsBetween(column: ColumnBatch['columns'][string], from: number, to: number): typeof column {
  const { values, nulls } = column
  if (from === 0 && values.length === to) return column
  return { ...column, values: values.slice(from, to), ...(nulls && { nulls: nulls.slice(from, to) }) }
}
