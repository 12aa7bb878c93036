// What a tail holds, as data: rows, instruments, places. The rest of this folder are functions over it.
import { randomUUID } from 'node:crypto'
import type { TailTable } from '../../contract/tables.ts'
import { createInstruments, type Instruments } from './instruments.ts'
import { createRing, releaseSegments, type Ring } from './ring.ts'
import { rowAt } from './segment.ts'

/** A partition of a topic that rows came from. */
export interface Place {
  topic: string
  partition: number
  /** Offset of the first row held, or where the next would be. */
  firstOffset: number
  nextOffset: number
}

export interface Store {
  readonly dataType: TailTable
  /** Cursors of another epoch mean other rows. */
  readonly epoch: string
  readonly ring: Ring
  readonly instruments: Instruments
  readonly places: Place[]
  undecodable: number
  isClosed: boolean
  /** The latest time at which the log took a row in. */
  newestMicros: number
  /** When the newest row came into the tail. */
  arrivedMicros: number
}

export function createStore(dataType: TailTable, maxBytes: number): Store {
  return {
    dataType,
    epoch: randomUUID().slice(0, 8),
    ring: createRing(dataType, maxBytes),
    instruments: createInstruments(),
    places: [],
    undecodable: 0,
    isClosed: false,
    newestMicros: -Infinity,
    arrivedMicros: -Infinity,
  }
}

/** The rows before this position leave. */
export function evictRows({ ring, instruments, places }: Store, end: number): void {
  if (end <= ring.tail) return
  let segment = ring.oldest
  for (let position = ring.tail; position < end; position++) {
    while (position >= segment.first + segment.count) segment = segment.newer!
    const at = rowAt(segment, position)
    instruments.all[segment.instruments[2 * at]].evicted++
    places[segment.places[4 * at]].firstOffset = segment.offsets[at] + 1
  }
  ring.tail = end
  releaseSegments(ring)
}

/** The rows that the log took in before this time leave, oldest first; one behind a younger row leaves with it. */
export function evictOlder(store: Store, micros: number): void {
  const { ring } = store
  if (ring.tail === ring.head) return
  let segment = ring.oldest
  let end = ring.tail
  for (; end < ring.head; end++) {
    while (end >= segment.first + segment.count) segment = segment.newer!
    if (segment.logTimes[rowAt(segment, end)] >= micros) break
  }
  evictRows(store, end)
}
