// What a tail holds, in numbers.
import { findSegment } from './ring.ts'
import { rowAt } from './segment.ts'
import type { Place, Store } from './store.ts'

export interface RowCounts {
  instruments: number
  /** Rows taken in since the start. */
  total: number
  held: number
  undecodable: number
  /** Memory, used or set aside. */
  bytes: number
  /** When the log took in the row that leaves next and the newest, microseconds since 1970; nothing when none is held. */
  oldestMicros?: number
  newestMicros?: number
  places: readonly Readonly<Place>[]
}

export function countRows({ ring, instruments, places, undecodable, newestMicros }: Store): RowCounts {
  const { tail, head, size } = ring
  const counts = {
    instruments: instruments.all.length,
    total: head,
    held: head - tail,
    undecodable,
    bytes: size,
    places,
  }
  if (tail === head) return counts
  const segment = findSegment(ring, tail)
  return { ...counts, oldestMicros: segment.logTimes[rowAt(segment, tail)], newestMicros }
}
