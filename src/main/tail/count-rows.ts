// What a tail holds, in numbers.
import { findSegment } from './ring.ts'
import { rowAt } from './segment.ts'
import type { Place } from './places.ts'
import type { Store } from './store.ts'

export interface RowCounts {
  instruments: number
  /** Rows taken in since the start. */
  total: number
  held: number
  undecodable: number
  /** Messages dropped because they were there already. */
  duplicates: number
  /** Messages that the log no longer held when the tail came to them. */
  skipped: number
  /** Rows that memory drove out before they were in the tables. */
  evictedUncommitted: number
  /** Memory, used or set aside. */
  bytes: number
  /** When the log took in the row that leaves next and the newest, microseconds since 1970; nothing when none is held. */
  oldestMicros?: number
  newestMicros?: number
  places: readonly Readonly<Place>[]
}

export function countRows(store: Store): RowCounts {
  const { ring, instruments, places, undecodable, duplicates, skipped, evictedUncommitted, newestMicros } = store
  const { tail, head, size, listBytes } = ring
  const counts = {
    instruments: instruments.all.length,
    total: head,
    held: head - tail,
    ...{ undecodable, duplicates, skipped, evictedUncommitted },
    bytes: size + listBytes,
    places: places.all,
  }
  if (tail === head) return counts
  const segment = findSegment(ring, tail)
  return { ...counts, oldestMicros: segment.logTimes[rowAt(segment, tail)], newestMicros }
}
