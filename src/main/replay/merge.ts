// Several tables on one clock: their rows by one order, however they interleave. Rows that tie in everything come in the
// order of the readers.
import type { ColumnBatch } from '../../contract/columns.ts'
import { takeValues } from '../../contract/take-rows.ts'
import { compareKeys, keysOf, timeColumnOf, type Order } from './row-order.ts'
import { sliceBatch, takeOwnRows } from './slice-batch.ts'
import type { Direction, Stretch, TableReader } from './table-reader.ts'

/** The next rows of one table out of a merged read, in the order they come in. */
export interface Part {
  rows: ColumnBatch
  /** For each row, how many rows of the whole take come before it. */
  ordinals: Uint32Array
  times: Float64Array
}

export interface Taken {
  count: number
  /** As many as there are readers. */
  parts: (Part | undefined)[]
  /** Times of the first and the last row in the order they come in. */
  firstMicros: number
  lastMicros: number
}

export interface TakeOptions {
  direction: Direction
  limit: number
  /** Only rows before it, or, going back, from it on. */
  toMicros?: number
}

/** Nothing when no such row is left. */
export async function takeRowsOf(
  readers: readonly TableReader[],
  options: TakeOptions,
  signal?: AbortSignal,
): Promise<Taken | undefined> {
  if (readers.length === 0) return undefined
  const { direction } = options
  if (readers.length === 1) return takeOfOne(readers[0], options, signal)
  const chosen: Uint32Array[] = readers.map(() => new Uint32Array(options.limit))
  // Only as far as all have rows at hand: what one has still to read may come first.
  const stretches = await Promise.all(readers.map(reader => reader.load(direction, signal)))
  const heads = stretches.map(stretch => stretch && headOf(stretch, direction))
  const counts = readers.map(() => 0)
  const ordinals = readers.map(() => new Uint32Array(options.limit))
  const order = readers[0].source.order
  let count = 0
  let isShort = false
  while (count < options.limit && !isShort) {
    const next = nextOf(heads, direction, order)
    if (next < 0) break
    const head = heads[next]!
    const { times } = head.stretch.block
    if (!isWithin(times[head.row], options)) break
    ordinals[next][counts[next]] = count++
    chosen[next][counts[next]++] = head.row
    head.row += direction
    isShort = --head.left === 0
  }
  if (count === 0) return undefined
  const parts = readers.map((reader, i) => {
    if (counts[i] === 0) return undefined
    reader.pass(counts[i], direction)
    const { batch, times } = stretches[i]!.block
    const rows = chosen[i].subarray(0, counts[i])
    return {
      rows: takeOwnRows(batch, rows, reader.source.columns),
      ordinals: ordinals[i].slice(0, counts[i]),
      times: Float64Array.from(rows, row => times[row]),
    }
  })
  const ends = parts.filter(part => part !== undefined)
  const firsts = ends.map(({ times }) => times[0])
  const lasts = ends.map(({ times }) => times[times.length - 1])
  return {
    count,
    parts,
    firstMicros: direction === 1 ? Math.min(...firsts) : Math.max(...firsts),
    lastMicros: direction === 1 ? Math.max(...lasts) : Math.min(...lasts),
  }
}

/** One table needs no comparing: its rows are cut out as they lie. */
async function takeOfOne(reader: TableReader, options: TakeOptions, signal?: AbortSignal): Promise<Taken | undefined> {
  const { direction, limit } = options
  const stretch = await reader.load(direction, signal)
  if (!stretch) return undefined
  const { block, at } = stretch
  const count = Math.min(limit, stretch.count, countWithin(stretch, options))
  if (count === 0) return undefined
  reader.pass(count, direction)
  const { columns, order } = reader.source
  const from = direction === 1 ? at : at - count
  const ordinals = new Uint32Array(count)
  for (let i = 0; i < count; i++) ordinals[i] = i
  const rows =
    direction === 1
      ? sliceBatch(block.batch, from, from + count, columns)
      : takeOwnRows(
          block.batch,
          ordinals.map(i => at - 1 - i),
          columns,
        )
  // Mostly an array that is there already: each new one brings the collector on.
  const times =
    timesOf(rows, order) ??
    takeValues(
      block.times,
      ordinals.map(i => (direction === 1 ? at + i : at - 1 - i)),
    )
  return { count, parts: [{ rows, ordinals, times }], firstMicros: times[0], lastMicros: times[count - 1] }
}

function timesOf({ columns }: ColumnBatch, order: Order): Float64Array | undefined {
  return columns[timeColumnOf(order)]?.values as Float64Array | undefined
}

/** How many rows at hand come before the time; going back, are not before it. */
function countWithin({ block: { times }, at, count }: Stretch, { direction, toMicros }: TakeOptions): number {
  if (toMicros === undefined) return count
  let from = direction === 1 ? at : at - count
  const first = from
  for (let to = from + count; from < to;) {
    const middle = (from + to) >>> 1
    if (times[middle] < toMicros) from = middle + 1
    else to = middle
  }
  return direction === 1 ? from - first : at - from
}

/** No row still to come, in that direction, can be at an earlier (going back: a later) time. Undefined when none is left. */
export async function nextTimeOf(
  readers: readonly TableReader[],
  direction: Direction,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const stretches = await Promise.all(readers.map(reader => reader.load(direction, signal)))
  const times = stretches
    .filter(stretch => stretch !== undefined)
    .map(({ block, at }) => block.times[direction === 1 ? at : at - 1])
  if (times.length === 0) return undefined
  return direction === 1 ? Math.min(...times) : Math.max(...times)
}

interface Head {
  stretch: Stretch
  row: number
  left: number
}

function headOf(stretch: Stretch, direction: Direction): Head {
  return { stretch, row: direction === 1 ? stretch.at : stretch.at - 1, left: stretch.count }
}

function isWithin(micros: number, { direction, toMicros }: TakeOptions): boolean {
  if (toMicros === undefined) return true
  return direction === 1 ? micros < toMicros : micros >= toMicros
}

function nextOf(heads: readonly (Head | undefined)[], direction: Direction, order: Order): number {
  let next = -1
  for (let i = 0; i < heads.length; i++) {
    const head = heads[i]
    if (head && (next < 0 || compareHeads(head, heads[next]!, order) * direction < (direction === 1 ? 0 : 1))) next = i
  }
  return next
}

function compareHeads(a: Head, b: Head, order: Order): number {
  const { block: ofA } = a.stretch
  const { block: ofB } = b.stretch
  const difference = ofA.times[a.row] - ofB.times[b.row]
  if (difference !== 0) return difference
  // Ids are not read unless rows tie without them: then the order of the readers decides.
  return compareKeys(ofA.batch, a.row, ofB.batch, b.row, keysOf(order, 0))
}
