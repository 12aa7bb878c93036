// The newest rows of one instrument, found in its list of positions.
import type { Instrument } from './instruments.ts'
import { positionOf, rowAtPosition } from './positions.ts'
import { findSegment } from './ring.ts'
import { joinRows, lastOf, takeLast, type Rows, type Run } from './rows.ts'
import { rowAt, type Segment } from './segment.ts'
import type { Store } from './store.ts'

/** A part of what a tail holds. */
export interface Part {
  /** Positions, the last one not included. */
  from: number
  to: number
  /** By code of a place, the first offset wanted. */
  offsets: Float64Array
  /** By code of a place, the first offset that is not wanted any more. */
  ends?: Float64Array
}

export interface RecentLimits {
  /** Exchange time, microseconds since 1970; older rows are not wanted. */
  sinceMicros: number
  /** Rows of this time and younger ones are not wanted. */
  untilMicros?: number
  limit: number
  /** Of one instrument, no more than so many of the last to arrive are answered. */
  maxPerSymbol?: number
  part?: Part
}

/** Ascending in the total order; rows that arrived late stand where they belong. */
export function findRecent(store: Store, instrument: Instrument, limits: RecentLimits): Rows {
  const { ring } = store
  const { sinceMicros, untilMicros = Infinity, limit, maxPerSymbol = Infinity, part } = limits
  const { appended, evicted, straggler } = instrument
  const share = Math.max(evicted, appended - maxPerSymbol)
  const first = part ? rowAtPosition(ring, instrument, part.from, share, appended) : share
  const end = part ? rowAtPosition(ring, instrument, part.to, first, appended) : appended
  // From here on the rows stand in order, and above all before.
  const ordered = rowAtPosition(ring, instrument, straggler + 1, first, end)
  const since = rowAtTime(store, instrument, sinceMicros, ordered, end)
  const until = untilMicros === Infinity ? end : rowAtTime(store, instrument, untilMicros, since, end)
  const isWanted = part && ((segment: Segment, at: number) => isOfPart(part, segment, at))
  const from = part ? since : Math.max(since, until - limit)
  const newest = lastOf(takeRows(store, instrument, from, until, isWanted), limit)
  if (since > ordered || newest.ats.length === limit || first === ordered) return newest
  const late = takeRows(store, instrument, first, ordered, (segment, at) => {
    const time = segment.exchangeTimes[at]
    return time >= sinceMicros && time < untilMicros && (!part || isOfPart(part, segment, at))
  })
  return takeLast(joinRows([late, newest]), limit, store)
}

/** Of a row whose position is in the part. */
export function isOfPart({ offsets, ends }: Part, segment: Segment, at: number): boolean {
  const place = segment.places[4 * at]
  return segment.offsets[at] >= offsets[place] && (!ends || segment.offsets[at] < ends[place])
}

/** The first of rows that stand in order whose exchange time is not below this one. */
function rowAtTime({ ring }: Store, instrument: Instrument, micros: number, from: number, to: number): number {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2)
    const position = positionOf(ring, instrument, middle)
    const segment = findSegment(ring, position)
    if (segment.exchangeTimes[rowAt(segment, position)] < micros) low = middle + 1
    else high = middle
  }
  return low
}

/** Rows from … to of an instrument, in the order they came; all when nothing says which. */
function takeRows(
  { ring }: Store,
  instrument: Instrument,
  from: number,
  to: number,
  isWanted?: (segment: Segment, at: number) => boolean,
): Rows {
  const ats = new Uint32Array(to - from)
  const runs: Run[] = []
  if (from === to) return { ats, runs }
  let count = 0
  let segment = findSegment(ring, positionOf(ring, instrument, from))
  let run: Run | undefined
  for (let row = from; row < to; row++) {
    const position = positionOf(ring, instrument, row)
    while (position >= segment.first + segment.count) segment = segment.newer!
    const at = rowAt(segment, position)
    if (isWanted && !isWanted(segment, at)) continue
    if (run?.segment !== segment) runs.push((run = { segment, from: count, to: count }))
    ats[count++] = at
    run.to = count
  }
  return { ats: ats.subarray(0, count), runs }
}
