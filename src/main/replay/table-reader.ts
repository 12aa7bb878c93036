// The rows of one table in order, from any place and in both directions, a stretch at a time and one stretch ahead.
import { densityOf, type Density } from './density.ts'
import { atTime, placeBefore, rowAt, type Place } from './place.ts'
import { readBack, readOn, type Block, type Leveled } from './read-block.ts'
import { spansOf, type ReadTools, type RowSource, type TimeRange } from './row-source.ts'

export type Direction = 1 | -1

export interface ReaderOptions {
  source: RowSource
  range: TimeRange
  /** The first stretch after a seek, for the rows to be there at once; each one after it is larger, up to the most. */
  firstRows?: number
  mostRows?: number
  /** Not for a read that ends with what it has; true when left out. */
  readsAhead?: boolean
}

export interface TableReader {
  readonly source: RowSource
  /** The times that rows can have; nothing when there are none. */
  readonly range: TimeRange | undefined
  place: () => Place
  seek: (place: Place) => void
  /** Rows at hand in the direction; undefined at that end of the range. */
  load: (direction: Direction, signal?: AbortSignal) => Promise<Stretch | undefined>
  /** Passes so many of the rows at hand. */
  pass: (rows: number, direction: Direction) => void
  /** No row that is still to come, going on, has an earlier time. */
  nextMicros: () => number
  /** Reads no further ahead. */
  close: () => void
}

/** Going on these are rows at … to of the block, going back rows at - 1 … from. */
export interface Stretch {
  block: Block
  at: number
  count: number
}

const FIRST_ROWS = 16_384
/** Few steps up to the most rows, as every stretch decodes the same row groups again. */
const GROWTH = 64
/** Where more than this of the first stretch after a seek is played, one goes on and does not look for a place. */
const GOES_ON = 0.25
/** More than is wanted of the first stretch, so that it rarely takes a second one to get there. */
const MARGIN = 1.25
/** Measured: half of them take a fifth more processor time, as row groups are decoded again for every stretch. */
const MOST_ROWS = 1_500_000
/** What the rows of a stretch may take in memory, two stretches being held at a time. */
const MOST_BYTES = 120e6
const BYTES_OF_NUMBER = 8
const BYTES_OF_TEXT = 60
const TEXTS = new Set(['message_id', 'trade_id', 'quote_id', 'vendor_data'])

export async function openReader(tools: ReadTools, options: ReaderOptions, signal?: AbortSignal): Promise<TableReader> {
  const { source, firstRows = FIRST_ROWS, readsAhead = true } = options
  const density = densityOf(await spansOf(tools, source, options.range, signal))
  const range = cut(options.range, density)
  const mostRows = options.mostRows ?? mostRowsOf(source)
  const leveled: Leveled = { source, level: 0 }
  /** Rows that pass the filter, to rows that the files tell of: more than one in a crowd. */
  let share = 1
  let wanted = firstRows
  let block: Block | undefined
  let at = 0
  /** Since the last seek: stretches that were read, and the row of the newest from which it is played. */
  let stretches = 0
  let begun = 0
  /** Between rows at hand, until one is passed: the row after it may be much later. */
  let sought: Place | undefined
  let place = atTime(range?.fromMicros ?? options.range.fromMicros)
  let ahead: { direction: Direction; block: Promise<Block>; stop: () => void } | undefined

  async function read(from: Place, direction: Direction, caller?: AbortSignal): Promise<Block> {
    const before = density.before(from.micros)
    // A little more than is reckoned with, as a stretch that is cut short is copied.
    const limit = Math.ceil(Math.min(mostRows * 1.25, wanted * 2))
    const rows = Math.max(1, Math.min(wanted * MARGIN, mostRows) / share)
    const found =
      direction === 1
        ? await readOn(
            tools,
            leveled,
            from,
            { untilMicros: untilOf(density, from, before + rows, range!), limit },
            caller,
          )
        : await readBack(
            tools,
            leveled,
            from,
            { fromMicros: fromOf(density, from, before - rows, range!), limit },
            caller,
          )
    const told = Math.abs(density.before(direction === 1 ? found.to.micros : found.from.micros) - before)
    share = Math.max(1e-9, (found.times.length + 1) / (told + 1))
    wanted = Math.min(mostRows, wanted * GROWTH)
    return found
  }

  function isAtEnd(where: Place, direction: Direction): boolean {
    if (!range) return true
    return direction === 1 ? where.micros >= range.toMicros : where.micros <= range.fromMicros && where.skip === 0
  }

  function drop(): void {
    ahead?.stop()
    ahead = undefined
  }

  function current(): Place {
    return block ? (sought ?? placeBefore(block.times, at, block.from, block.to)) : place
  }

  function readOnward({ from, to }: Block, direction: Direction): void {
    const onward = direction === 1 ? to : from
    if (ahead && ahead.direction !== direction) drop()
    if (!readsAhead || ahead || isAtEnd(onward, direction)) return
    // Not with the signal: who takes the next stretch may be another than who asked for this one.
    const stopping = new AbortController()
    const reading = read(onward, direction, stopping.signal)
    reading.catch(() => {}) // said to whoever takes it
    ahead = { direction, block: reading, stop: () => stopping.abort() }
  }

  return {
    source,
    range,
    place: current,
    seek(to) {
      const row = block && rowAt(block.times, to, block.from, block.to)
      if (row !== undefined) {
        at = begun = row
        sought = to
        stretches = 1
        return
      }
      drop()
      sought = undefined
      wanted = firstRows
      block = undefined
      place = to
      stretches = 0
    },
    async load(direction, signal) {
      for (;;) {
        const count = block ? (direction === 1 ? block.times.length - at : at) : 0
        if (block && count > 0) {
          if (stretches > 1 || Math.abs(at - begun) > block.times.length * GOES_ON) readOnward(block, direction)
          return { block, at, count }
        }
        const edge = current()
        if (isAtEnd(edge, direction)) return undefined
        if (ahead?.direction !== direction) drop()
        const next = ahead?.block ?? read(edge, direction, signal)
        ahead = undefined
        block = await next
        at = begun = direction === 1 ? 0 : block.times.length
        sought = undefined
        stretches++
        if (block.times.length > 0) continue
        place = direction === 1 ? block.to : block.from
        block = undefined
      }
    },
    pass(rows, direction) {
      at += rows * direction
      sought = undefined
    },
    close: drop,
    nextMicros() {
      if (!range) return Infinity
      if (block && at < block.times.length) return block.times[at]
      const edge = current()
      return isAtEnd(edge, 1) ? Infinity : edge.micros
    },
  }
}

/** No wider than where there are rows. */
function cut({ fromMicros, toMicros }: TimeRange, { range }: Density): TimeRange | undefined {
  if (!range) return undefined
  const cutRange = { fromMicros: Math.max(fromMicros, range.fromMicros), toMicros: Math.min(toMicros, range.toMicros) }
  return cutRange.fromMicros < cutRange.toMicros ? cutRange : undefined
}

function untilOf(density: Density, from: Place, rows: number, range: TimeRange): number {
  return Math.min(range.toMicros, Math.max(density.timeOf(rows), from.micros + 1))
}

function fromOf(density: Density, from: Place, rows: number, range: TimeRange): number {
  return Math.max(range.fromMicros, Math.min(density.timeOf(rows), from.micros - 1))
}

function mostRowsOf({ columns }: RowSource): number {
  const bytes = columns.reduce((sum, name) => sum + (TEXTS.has(name) ? BYTES_OF_TEXT : BYTES_OF_NUMBER), 0)
  return Math.min(MOST_ROWS, Math.floor(MOST_BYTES / bytes))
}
