// What a tail holds, as data: rows, instruments, places. The rest of this folder are functions over it.
import { randomUUID } from 'node:crypto'
import type { TailTable } from '../../contract/tables.ts'
import type { SchemaOf } from '../market/decode-wire.ts'
import { createInstruments, type Instruments } from './instruments.ts'
import { messageIdReader } from './message-ids.ts'
import { createPlaces, type Places } from './places.ts'
import { dropPosition } from './positions.ts'
import { createRing, releaseSegments, type Ring } from './ring.ts'
import { rowAt, type Ranking } from './segment.ts'
import { createHours, type Hour } from './volumes.ts'

export interface Store {
  readonly dataType: TailTable
  /** Cursors of another epoch mean other rows. */
  readonly epoch: string
  readonly ring: Ring
  readonly instruments: Instruments
  readonly places: Places
  /** What was traded, by hour; nothing where these are quotes. */
  readonly hours: readonly Hour[]
  /** Read from the message itself. */
  readonly messageIdOf: Ranking['messageIdOf']
  undecodable: number
  /** Messages dropped because they were there already. */
  duplicates: number
  /** Messages that the log no longer held when the tail came to them. */
  skipped: number
  /** Rows that memory drove out before they were in the tables. */
  evictedUncommitted: number
  isClosed: boolean
  /** The latest time at which the log took a row in. */
  newestMicros: number
  /** When the newest row came into the tail. */
  arrivedMicros: number
}

export function createStore(dataType: TailTable, maxBytes: number, schemaOf?: SchemaOf): Store {
  return {
    dataType,
    epoch: randomUUID().slice(0, 8),
    ring: createRing(dataType, maxBytes),
    instruments: createInstruments(),
    places: createPlaces(),
    hours: createHours(),
    messageIdOf: messageIdReader(dataType, schemaOf),
    undecodable: 0,
    duplicates: 0,
    skipped: 0,
    evictedUncommitted: 0,
    isClosed: false,
    newestMicros: -Infinity,
    arrivedMicros: -Infinity,
  }
}

/** The rows before this position leave, in the tables or not. */
export function evictRows(store: Store, end: number): void {
  const { ring, instruments, places } = store
  if (end <= ring.tail) return
  let segment = ring.oldest
  for (let position = ring.tail; position < end; position++) {
    while (position >= segment.first + segment.count) segment = segment.newer!
    const at = rowAt(segment, position)
    dropPosition(ring, instruments.all[segment.instruments[2 * at]])
    const place = places.all[segment.places[4 * at]]
    const offset = segment.offsets[at]
    if (offset >= place.committed && place.committed !== Infinity) store.evictedUncommitted++
    place.firstOffset = offset + 1
    if (place.wholeFrom <= offset) place.wholeFrom = offset + 1
  }
  ring.tail = end
  releaseSegments(ring)
}

/**
 * The rows that the log took in before this time leave, oldest first: one behind a younger row leaves with it, and all
 * wait behind one that is not in the tables yet.
 */
export function evictOlder(store: Store, micros: number): void {
  const { ring, places } = store
  if (ring.tail === ring.head) return
  let segment = ring.oldest
  let end = ring.tail
  for (; end < ring.head; end++) {
    while (end >= segment.first + segment.count) segment = segment.newer!
    const at = rowAt(segment, end)
    if (segment.logTimes[at] >= micros) break
    if (segment.offsets[at] >= places.all[segment.places[4 * at]].committed) break
  }
  evictRows(store, end)
}
