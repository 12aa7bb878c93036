// Following a tail: each reader has a place of its own in the ring, nothing is queued for it. One that is slow gets
// fewer, larger batches, and is told how many rows left before it came.
import type { ColumnBatch } from '../../contract/columns.ts'
import { timestampText } from '../../contract/columns.ts'
import { Failure } from '../../contract/failure.ts'
import type { Bell } from '../base/bell.ts'
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
}

export interface FollowBatch {
  rows: ColumnBatch
  cursor: string
  missed: number
  newest_at: string
}

export interface FollowTools {
  store: Store
  bell: Bell
  gather: (rows: Rows) => ColumnBatch
}

/** Measured: whole rows cost about a microsecond each, and main is to be held up for no more than a few milliseconds. */
const BATCH_ROWS = 5000

/** A reader begins where this is called, not where it first looks. */
export function followTail(tools: FollowTools, query: FollowQuery, signal: AbortSignal): AsyncGenerator<FollowBatch> {
  const { store } = tools
  const filter = createFilter(store, query)
  const start =
    query.after === undefined ? backlogStart(store, filter, query.backlog ?? 0) : positionOf(store, query.after)
  // Matching rows before the position, since the tail began.
  const passed = filter.appended() - countMatching(store, filter, start)
  return followFrom(tools, filter, start, passed, signal)
}

async function* followFrom(
  { store, bell, gather }: FollowTools,
  filter: Filter,
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
    const { rows, end } = takeMatching(store, filter, position)
    position = end
    if (rows.ats.length === 0) {
      await bell.wait(signal)
      continue
    }
    passed += rows.ats.length
    const newestAt = timestampText(arrivalOf(store, rows, end))
    const batch = { rows: gather(rows), cursor: `${store.epoch}:${position}`, missed, newest_at: newestAt }
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

/** The next matching rows from a position that is held, at most a batch of them, and the position after. */
function takeMatching({ ring }: Store, { matches }: Filter, from: number): { rows: Rows; end: number } {
  const segments: Segment[] = []
  const ats: number[] = []
  let segment = findSegment(ring, from)
  let position = from
  for (; position < ring.head && ats.length < BATCH_ROWS; position++) {
    while (position >= segment.first + segment.count) segment = segment.newer!
    const at = rowAt(segment, position)
    if (!matches(segment.instruments[2 * at])) continue
    segments.push(segment)
    ats.push(at)
  }
  return { rows: rowsOf(segments, ats), end: position }
}

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
