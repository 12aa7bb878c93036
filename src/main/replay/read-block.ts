// One stretch of an ordered read: from a place on, or back from it, so many rows at the most. Whatever the stretches,
// they put together the same rows in the same order.
import type { ColumnBatch } from '../../contract/columns.ts'
import { reversedRows } from '../../contract/take-rows.ts'
import { carried, countAt, type Place } from './place.ts'
import { readInOrder } from '../duck/read-in-order.ts'
import { haveTies, keysOf, LAST_LEVEL, orderSql, timeColumnOf } from './row-order.ts'
import { countAtTime, readRows, withRows, type ReadTools, type RowSource } from './row-source.ts'
import { sliceBatch } from './slice-batch.ts'

/** Rows in ascending order, whichever way they were read. */
export interface Block {
  batch: ColumnBatch
  times: Float64Array
  from: Place
  to: Place
}

/** Reads with as few keys as the rows allow, and remembers how many that are. */
export interface Leveled {
  source: RowSource
  level: number
}

/** Rows from the place on and before `untilMicros`. */
export async function readOn(
  tools: ReadTools,
  leveled: Leveled,
  place: Place,
  { untilMicros, limit }: { untilMicros: number; limit: number },
  signal?: AbortSignal,
): Promise<Block> {
  const range = { fromMicros: place.micros, toMicros: untilMicros }
  const found = await readOrdered(tools, leveled, { range, offset: place.skip, limit, direction: 'asc' }, signal)
  const { times, isCut } = found
  const last = times.length - 1
  const micros = times[last]
  const to = isCut
    ? { micros, skip: countAt(times, times.length, micros) + (micros === times[0] ? carried(place, micros) : 0) }
    : { micros: untilMicros, skip: 0 }
  return { batch: found.batch, times, from: place, to }
}

/** Rows from `fromMicros` on that lie before the place. */
export async function readBack(
  tools: ReadTools,
  leveled: Leveled,
  place: Place,
  { fromMicros, limit }: { fromMicros: number; limit: number },
  signal?: AbortSignal,
): Promise<Block> {
  const { source } = leveled
  const { micros, skip } = place
  const behind = skip > 0 ? (await countAtTime(tools, source, micros, signal)) - skip : 0
  const range = { fromMicros, toMicros: skip > 0 ? micros + 1 : micros }
  const { batch, times, isCut } = await readOrdered(
    tools,
    leveled,
    { range, offset: behind, limit, direction: 'desc' },
    signal,
  )
  if (!isCut) return { batch, times, from: { micros: fromMicros, skip: 0 }, to: place }
  const first = times[0]
  const included = times.filter(time => time === first).length
  const all = first === micros ? skip : await countAtTime(tools, source, first, signal)
  return { batch, times, from: { micros: first, skip: all - included }, to: place }
}

interface OrderedQuestion {
  range: { fromMicros: number; toMicros: number }
  offset: number
  limit: number
  direction: 'asc' | 'desc'
}

/** In ascending order, whichever way it was asked for. */
interface Ordered {
  batch: ColumnBatch
  times: Float64Array
  /** There are more than were asked for. */
  isCut: boolean
}

/** As many rows are held unordered whatever is asked for: reading some more costs little, and reading twice much. */
const AT_HAND_ROWS = 131_072

async function readOrdered(
  tools: ReadTools,
  leveled: Leveled,
  question: OrderedQuestion,
  signal: AbortSignal | undefined,
): Promise<Ordered> {
  const { range, limit } = question
  if (range.toMicros <= range.fromMicros) return nothing(tools, leveled, question, signal)
  for (;;) {
    const { level } = leveled
    const found =
      (level < LAST_LEVEL && question.offset <= Math.max(limit, AT_HAND_ROWS)
        ? await readAndOrder(tools, leveled, question, signal)
        : undefined) ?? (await readSorted(tools, leveled, question, signal))
    if (leveled.level === level) return found
  }
}

/** All rows of the range, put in order here; nothing where they are more than can be held. */
async function readAndOrder(
  tools: ReadTools,
  leveled: Leveled,
  { range, offset, limit, direction }: OrderedQuestion,
  signal: AbortSignal | undefined,
): Promise<Ordered | undefined> {
  const { source, level } = leveled
  const most = offset + Math.max(limit, AT_HAND_ROWS)
  const wanted = { range, columns: columnsOf(leveled), tail: '' }
  const order = {
    keys: keysOf(source.order, level),
    most,
    cut: (found: number) =>
      direction === 'asc'
        ? { from: Math.min(found, offset), to: Math.min(found, offset + limit) }
        : { from: Math.max(0, found - offset - limit), to: Math.max(0, found - offset) },
  }
  const read = await withRows(
    tools,
    source,
    wanted,
    (connection, sql, stop) => readInOrder(connection, sql, order, stop),
    signal,
  )
  if (!read) return undefined
  if (read.hasTies) leveled.level++
  return { batch: read.batch, times: read.times, isCut: offset + limit < read.found }
}

/** By DuckDB, which goes to disk for what it cannot hold, and knows an order of all columns. */
async function readSorted(
  tools: ReadTools,
  leveled: Leveled,
  { range, offset, limit, direction }: OrderedQuestion,
  signal: AbortSignal | undefined,
): Promise<Ordered> {
  const { source, level } = leveled
  // One row more is read at either end, so that rows which tie across it are seen to.
  const early = Math.min(1, offset)
  const order = orderSql(source.order, level, source.table, direction)
  const tail = `ORDER BY ${order} LIMIT ${limit + 1 + early} OFFSET ${offset - early}`
  const found = await readRows(tools, source, { range, columns: columnsOf(leveled), tail }, signal)
  if (level < LAST_LEVEL && haveTies(found, timesOf(found, source), keysOf(source.order, level))) leveled.level++
  const from = Math.min(early, found.rowCount)
  const to = Math.min(found.rowCount, from + limit)
  const isCut = to < found.rowCount
  const sliced = from === 0 && !isCut ? found : sliceBatch(found, from, to)
  const batch = direction === 'asc' ? sliced : reversedRows(sliced)
  return { batch, times: timesOf(batch, source), isCut }
}

/** Those that are asked for, and those that tell rows apart. */
function columnsOf({ source, level }: Leveled): readonly string[] {
  return [...new Set([...source.columns, ...keysOf(source.order, level)])]
}

/** No rows, but all columns. */
async function nothing(
  tools: ReadTools,
  leveled: Leveled,
  { range: { fromMicros }, direction }: OrderedQuestion,
  signal: AbortSignal | undefined,
): Promise<Ordered> {
  const range = { fromMicros, toMicros: fromMicros + 1 }
  return { ...(await readOrdered(tools, leveled, { range, offset: 0, limit: 0, direction }, signal)), isCut: false }
}

function timesOf(batch: ColumnBatch, { order }: RowSource): Float64Array {
  return batch.columns[timeColumnOf(order)].values as Float64Array
}
