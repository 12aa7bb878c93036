// One stretch of an ordered read: from a place on, or back from it, so many rows at the most. Whatever the stretches,
// they put together the same rows in the same order.
import type { ColumnBatch, Values } from '../../contract/columns.ts'
import { carried, countAt, type Place } from './place.ts'
import { haveTies, keysOf, LAST_LEVEL, orderSql, timeColumnOf } from './row-order.ts'
import { countAtTime, readRows, type ReadTools, type RowSource } from './row-source.ts'
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
  const found = await readOrdered(tools, leveled, { range, offset: behind, limit, direction: 'desc' }, signal)
  const batch = reversed(found.batch)
  const times = timesOf(batch, source)
  if (!found.isCut) return { batch, times, from: { micros: fromMicros, skip: 0 }, to: place }
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

interface Ordered {
  batch: ColumnBatch
  times: Float64Array
  /** There are more than were asked for. */
  isCut: boolean
}

/** One row more is read at either end, so that rows which tie across it are seen to. */
async function readOrdered(
  tools: ReadTools,
  leveled: Leveled,
  question: OrderedQuestion,
  signal: AbortSignal | undefined,
): Promise<Ordered> {
  const { source } = leveled
  const { range, offset, limit, direction } = question
  if (range.toMicros <= range.fromMicros) return nothing(tools, leveled, question, signal)
  const early = Math.min(1, offset)
  for (;;) {
    const { level } = leveled
    const keys = keysOf(source.order, level)
    const columns = [...new Set([...source.columns, ...keysOf(source.order, 0), ...keys])]
    const order = orderSql(source.order, level, source.table, direction)
    const tail = `ORDER BY ${order} LIMIT ${limit + 1 + early} OFFSET ${offset - early}`
    const batch = await readRows(tools, source, { range, columns, tail }, signal)
    const times = timesOf(batch, source)
    if (level < LAST_LEVEL && haveTies(batch, times, keys)) {
      leveled.level++
      continue
    }
    const from = Math.min(early, batch.rowCount)
    const to = Math.min(batch.rowCount, from + limit)
    const isCut = to < batch.rowCount
    if (from === 0 && !isCut) return { batch, times, isCut }
    return { batch: sliceBatch(batch, from, to), times: times.slice(from, to), isCut }
  }
}

/** No rows, but all columns. */
async function nothing(
  tools: ReadTools,
  leveled: Leveled,
  question: OrderedQuestion,
  signal: AbortSignal | undefined,
): Promise<Ordered> {
  const { fromMicros } = question.range
  const range = { fromMicros, toMicros: fromMicros + 1 }
  return readOrdered(tools, leveled, { ...question, range, offset: 0, limit: 0 }, signal).then(found => ({
    ...found,
    isCut: false,
  }))
}

function timesOf(batch: ColumnBatch, { order }: RowSource): Float64Array {
  return batch.columns[timeColumnOf(order)].values as Float64Array
}

function reversed({ rowCount, columns }: ColumnBatch): ColumnBatch {
  const turned = Object.entries(columns).map(([name, column]) => {
    const values: Values = column.values.slice().reverse()
    return [name, { ...column, values, ...(column.nulls && { nulls: column.nulls.slice().reverse() }) }] as const
  })
  return { rowCount, columns: Object.fromEntries(turned) }
}
