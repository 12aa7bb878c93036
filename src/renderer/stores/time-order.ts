// Rows of a ring in the order of their exchange time, newest first: partitions of a log do not wait for each other, so rows
// arrive in another one. A row that is later than all that are looked at stays where it came.
import { heldRows, slotOf } from './ring.ts'

interface Timed {
  capacity: number
  end: number
  time: Float64Array
}

/** Slots of the newest rows, of `most` at the most; of the same time the one that came last is first. */
export function slotsByTime(ring: Timed, most: number): Uint32Array {
  const rows = Uint32Array.from({ length: Math.min(most, heldRows(ring)) }, (_, back) => ring.end - 1 - back)
  const timeOf = (row: number) => ring.time[slotOf(ring, row)]
  rows.sort((one, other) => timeOf(other) - timeOf(one) || other - one)
  return rows.map(row => slotOf(ring, row))
}

/** Sorts anew only when rows have come in: a ring that is held stays sorted while it is scrolled. */
export function createTimeOrder(): typeof slotsByTime {
  let sorted: { ring: Timed; end: number; most: number; slots: Uint32Array } | undefined
  return (ring, most) => {
    if (sorted?.ring !== ring || sorted.end !== ring.end || sorted.most !== most)
      sorted = { ring, end: ring.end, most, slots: slotsByTime(ring, most) }
    return sorted.slots
  }
}
