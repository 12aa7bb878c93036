// What the tables lack: the rows from the offsets of a snapshot up to a position of the tail, no more and no less.
import { Failure } from '../../contract/failure.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import type { Instrument } from './instruments.ts'
import { committedOf, positionBefore, type Place } from './places.ts'
import { findRecent, isOfPart, type Part } from './recent.ts'
import { findSegment } from './ring.ts'
import { joinRows, lastOf, rowsOf, takeLast, type Rows } from './rows.ts'
import { compareRows, rowAt, type Segment } from './segment.ts'
import type { Store } from './store.ts'

/** How far a tail was at a moment. What comes later is not in an answer that is pinned to it. */
export interface TailPosition {
  /** Of the tail itself; positions of another one mean other rows. */
  epoch: string
  position: number
  /** By partition, the offset of the next message. */
  next: OffsetVector
}

export interface RowsFilter {
  /** All when left out. */
  symbols?: readonly string[]
  /** In any case. */
  exchange?: string
  /** Exchange time, microseconds since 1970: from … to, the end not included. */
  sinceMicros?: number
  untilMicros?: number
  /** Of each partition only messages below these offsets; none of partitions that are not named. */
  before?: OffsetVector
}

/** Messages of a partition that are neither below the boundary nor in the tail. */
export interface Lacking {
  topic: string
  partition: number
  /** Offsets, the last one not included. */
  from: number
  to: number
}

export interface FoundRows {
  rows: Rows
  /** Whether the tail has every row from the boundary on. */
  holdsFrom: boolean
  /** Where it has not. */
  lacking: readonly Lacking[]
}

export function pinTail({ epoch, ring, places }: Store): TailPosition {
  return { epoch, position: ring.head, next: vectorOf(places.current(), ({ nextOffset }) => nextOffset) }
}

/** From where on every message is held. */
export function findWhole({ places }: Store): OffsetVector {
  return vectorOf(places.current(), ({ wholeFrom }) => wholeFrom)
}

function vectorOf(places: readonly Place[], offsetOf: (place: Place) => number): OffsetVector {
  const topics = new Map<string, { cluster: string; epoch: string; topic: string; next: Record<string, number> }>()
  for (const place of places) {
    const { cluster, epoch, topic, partition } = place
    if (!topics.has(topic)) topics.set(topic, { cluster, epoch, topic, next: {} })
    topics.get(topic)!.next[partition] = offsetOf(place)
  }
  return [...topics.values()]
}

/** The newest `limit` of them, ascending in the total order. */
export function findRowsFrom(
  store: Store,
  boundary: OffsetVector,
  pin: TailPosition,
  filter: RowsFilter,
  limit: number,
): FoundRows {
  if (pin.epoch !== store.epoch)
    throw new Failure('OFFSET_OUT_OF_RANGE', 'The position is of another run of K2. Take a new one and ask again.')
  const part = partOf(store, boundary, pin, filter.before)
  const lacking = findLacking(store, boundary, pin)
  const rows = filter.symbols ? findBySymbol(store, part, filter, limit) : findAmongAll(store, part, filter, limit)
  return { rows, holdsFrom: lacking.length === 0, lacking }
}

/** A place that the boundary does not name is wanted whole; what a topic that is gone has left behind is not. */
export function partOf(
  { ring, places }: Store,
  boundary: OffsetVector,
  pin: TailPosition,
  before?: OffsetVector,
): Part {
  // All before the pin may have left.
  const to = Math.max(ring.tail, Math.min(pin.position, ring.head))
  const offsets = Float64Array.from(places.all, place =>
    place.isGone ? Infinity : (committedOf(boundary, place) ?? 0),
  )
  const starts = places.all.map((place, code) => positionBefore(place, offsets[code], ring.tail, to))
  const ends = before && Float64Array.from(places.all, place => (place.isGone ? 0 : (committedOf(before, place) ?? 0)))
  return { from: starts.reduce((least, start) => Math.min(least, start), to), to, offsets, ends }
}

export function findLacking({ places }: Store, boundary: OffsetVector, pin: TailPosition): Lacking[] {
  const lacking: Lacking[] = []
  for (const place of places.current()) {
    const { topic, partition, wholeFrom } = place
    const from = committedOf(boundary, place) ?? 0
    const to = Math.min(wholeFrom, committedOf(pin.next, place) ?? 0)
    if (from < to) lacking.push({ topic, partition, from, to })
  }
  return lacking
}

function findBySymbol(store: Store, part: Part, filter: RowsFilter, limit: number): Rows {
  const { sinceMicros = -Infinity, untilMicros } = filter
  const found = wantedInstruments(store, filter).map(instrument =>
    findRecent(store, instrument, { sinceMicros, untilMicros, limit, part }),
  )
  return found.length === 1 ? lastOf(found[0], limit) : takeLast(joinRows(found), limit, store)
}

function wantedInstruments({ instruments }: Store, { symbols = [], exchange }: RowsFilter): Instrument[] {
  const unique = [...new Set(symbols)]
  if (exchange !== undefined)
    return unique.map(symbol => instruments.find(symbol, exchange)).filter(instrument => instrument !== undefined)
  const wanted = new Set(unique)
  return instruments.all.filter(({ symbol }) => wanted.has(symbol))
}

/** Straight through the part: with a snapshot that is seconds old, it is seconds long. */
function findAmongAll(store: Store, part: Part, filter: RowsFilter, limit: number): Rows {
  const { ring, instruments } = store
  const { sinceMicros = -Infinity, untilMicros = Infinity } = filter
  const exchange = filter.exchange?.toUpperCase()
  const segments: Segment[] = []
  const ats: number[] = []
  let isOrdered = true
  let segment = findSegment(ring, part.from)
  for (let position = part.from; position < part.to; position++) {
    while (position >= segment.first + segment.count) segment = segment.newer!
    if (segment.latestTime < sinceMicros) {
      position = segment.first + segment.count - 1
      continue
    }
    const at = rowAt(segment, position)
    const time = segment.exchangeTimes[at]
    if (time < sinceMicros || time >= untilMicros || !isOfPart(part, segment, at)) continue
    if (exchange && instruments.all[segment.instruments[2 * at]].exchange !== exchange) continue
    const last = ats.length - 1
    if (isOrdered && last >= 0 && compareRows(segments[last], ats[last], segment, at, store) > 0) isOrdered = false
    segments.push(segment)
    ats.push(at)
  }
  const rows = rowsOf(segments, ats)
  return isOrdered ? lastOf(rows, limit) : takeLast(rows, limit, store)
}

/** Rows that are in no table and no longer here, or never were: as far as it is known how far the tables are. */
export function findLost(places: readonly Place[]): Lacking[] {
  return places
    .filter(({ committed, wholeFrom }) => committed !== Infinity && committed < wholeFrom)
    .map(({ topic, partition, committed, wholeFrom }) => ({ topic, partition, from: committed, to: wholeFrom }))
}
