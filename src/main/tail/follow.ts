// Following a tail: each reader has a place of its own in the ring, nothing is queued for it. One that is slow gets
// fewer, larger batches, and is told how many rows left before it came.
import type { ColumnBatch } from '../../contract/columns.ts'
import { timestampText } from '../../contract/columns.ts'
import { Failure } from '../../contract/failure.ts'
import type { Bell } from '../base/bell.ts'
import { conflatedNow, type Conflation } from './conflate.ts'
import type { Instrument } from './instruments.ts'
import { findSegment } from './ring.ts'
import { rowsOf, type Rows } from './rows.ts'
import { rowAt, type Segment } from './segment.ts'
import type { Store } from './store.ts'

export interface FollowQuery {
  symbols?: readonly string[]
  exchange?: string
  /** A cursor of this tail: go on after it. Without one, from now on. */
  after?: string
  /** How many rows from before now to begin with. */
  backlog?: number
  /** `never`: every row, also under load. */
  conflate?: 'auto' | 'never'
}

export interface FollowBatch {
  rows: ColumnBatch
  cursor: string
  missed: number
  /** Rows left out, as newer ones of their instrument are in the batch; only under load. */
  conflated?: number
  newest_at: string
}

export interface FollowTools {
  store: Store
  bell: Bell
  gather: (rows: Rows) => ColumnBatch
  conflation: Conflation
}

/** Measured: whole rows cost about a microsecond each, and main is to be held up for no more than a few milliseconds. */
const BATCH_ROWS = 5000
/** With conflation a batch may stand for more. */
const MOST_ROWS_LOOKED_AT = 50_000

/** A reader begins where this is called, not where it first looks. */
export function followTail(tools: FollowTools, query: FollowQuery, signal: AbortSignal): AsyncGenerator<FollowBatch> {
  const { store } = tools
  const filter = createFilter(store, query)
  const start =
    query.after === undefined ? backlogStart(store, filter, query.backlog ?? 0) : positionOf(store, query.after)
  // Matching rows before the position, since the tail began.
  const passed = filter.appended() - countMatching(store, filter, start)
  return followFrom(tools, filter, query.conflate !== 'never', start, passed, signal)
}

async function* followFrom(
  { store, bell, gather, conflation }: FollowTools,
  filter: Filter,
  mayConflate: boolean,
  start: number,
  passedAtStart: number,
  signal: AbortSignal,
): AsyncGenerator<FollowBatch> {
  let position = start
  let passed = passedAtStart
  let missed = 0
  while (!signal.aborted && !store.isClosed) {
    if (position < store.ring.tail) {
      missed += filter.evicted() - passed
      passed = filter.evicted()
      position = store.ring.tail
    }
    const taken = takeMatching(store, filter, position, mayConflate ? conflation : undefined)
    const { rows, end, conflated } = taken
    position = end
    if (rows.ats.length === 0) {
      await bell.wait(signal)
      continue
    }
    passed += rows.ats.length + conflated
    const newestAt = timestampText(arrivalOf(store, rows, end))
    const cursor = `${store.epoch}:${position}`
    const batch = { rows: gather(rows), cursor, missed, ...(conflated > 0 && { conflated }), newest_at: newestAt }
    missed = 0
    yield batch
  }
}

/** A batch that stops short of the newest row is dated by its segment: a little too old, never too young. */
function arrivalOf({ ring, arrivedMicros }: Store, { runs }: Rows, end: number): number {
  return end === ring.head ? arrivedMicros : runs.at(-1)!.segment.arrivedMicros
}

interface Filter {
  matches: (instrumentCode: number) => boolean
  /** Rows of the instruments that match, since the tail began: all that came, and those of them that left again. */
  appended: () => number
  evicted: () => number
}

function createFilter({ instruments }: Store, { symbols, exchange }: FollowQuery): Filter {
  const wanted = symbols && new Set(symbols)
  const exchangeName = exchange?.toUpperCase()
  const known: boolean[] = []
  const isWanted = ({ symbol, exchange: name }: Instrument) =>
    (!wanted || wanted.has(symbol)) && (!exchangeName || exchangeName === name)
  const matches = (code: number) => (known[code] ??= isWanted(instruments.all[code]))
  const sum = (count: (instrument: Instrument) => number) =>
    instruments.all.reduce((total, instrument) => (matches(instrument.code) ? total + count(instrument) : total), 0)
  return { matches, appended: () => sum(({ appended }) => appended), evicted: () => sum(({ evicted }) => evicted) }
}

interface Taken {
  rows: Rows
  /** The position after the last row looked at. */
  end: number
  conflated: number
}

/** The next matching rows from a position that is held, at most a batch of them. */
function takeMatching({ ring, instruments }: Store, { matches }: Filter, from: number, conflation?: Conflation): Taken {
  const segments: Segment[] = []
  const ats: number[] = []
  const isConflated = conflation && conflatedNow(conflation)
  /** By instrument that is conflated, where its newest row stands. */
  const newest = new Map<number, number>()
  const most = isConflated ? Math.min(ring.head, from + MOST_ROWS_LOOKED_AT) : ring.head
  let conflated = 0
  let segment = findSegment(ring, from)
  let position = from
  for (; position < most && ats.length - conflated < BATCH_ROWS; position++) {
    while (position >= segment.first + segment.count) segment = segment.newer!
    const at = rowAt(segment, position)
    const code = segment.instruments[2 * at]
    if (!matches(code)) continue
    if (isConflated?.(instruments.all[code])) {
      const older = newest.get(code)
      if (older !== undefined) {
        ats[older] = LEFT_OUT
        conflated++
        conflation!.onShed(conflation!.tiers.tierOf(instruments.all[code]), 1)
      }
      newest.set(code, ats.length)
    }
    segments.push(segment)
    ats.push(at)
  }
  if (conflated === 0) return { rows: rowsOf(segments, ats), end: position, conflated }
  const kept = segments.filter((_, row) => ats[row] !== LEFT_OUT)
  const keptAts = ats.filter(at => at !== LEFT_OUT)
  return { rows: rowsOf(kept, keptAts), end: position, conflated }
}

const LEFT_OUT = -1

/** Where the last so many matching rows begin. */
function backlogStart({ ring }: Store, { matches }: Filter, backlog: number): number {
  let segment = ring.newest
  let position = ring.head
  for (let left = backlog; left > 0 && position > ring.tail;) {
    position--
    while (position < segment.first) segment = segment.older!
    if (matches(segment.instruments[2 * rowAt(segment, position)])) left--
  }
  return position
}

function countMatching({ ring }: Store, { matches }: Filter, from: number): number {
  let count = 0
  let segment = ring.newest
  for (let position = ring.head - 1; position >= from; position--) {
    while (position < segment.first) segment = segment.older!
    if (matches(segment.instruments[2 * rowAt(segment, position)])) count++
  }
  return count
}

function positionOf({ ring, epoch }: Store, cursor: string): number {
  const [, cursorEpoch, digits] = /^([0-9a-f]+):(\d{1,15})$/.exec(cursor) ?? []
  if (cursorEpoch === undefined)
    throw new Failure('INVALID_INPUT', `after: "${cursor}" is not a cursor; give back one that a batch came with.`)
  const position = Number(digits)
  const advice = 'Follow without a cursor, with a backlog if rows from before now are wanted.'
  if (cursorEpoch !== epoch || position > ring.head)
    throw new Failure('OFFSET_OUT_OF_RANGE', `The cursor is of another run of K2. ${advice}`)
  if (position < ring.tail)
    throw new Failure(
      'OFFSET_OUT_OF_RANGE',
      `${ring.tail - position} rows after the cursor have left the tail. ${advice}`,
    )
  return position
}
