// The order of time, of rows that came in another one.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { slotsByTime } from '../../../src/renderer/stores/time-order.ts'

it('has the newest rows by time, the last to come first of equals, whatever the ring has overwritten', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { maxLength: 40 }), fc.integer({ min: 1, max: 50 }), (times, most) => {
      const capacity = 16
      const ring = { capacity, end: times.length, time: new Float64Array(capacity) }
      times.forEach((time, row) => (ring.time[row % capacity] = time))
      const held = times.map((time, row) => ({ time, row })).slice(-Math.min(capacity, most))
      const wanted = held.sort((one, other) => other.time - one.time || other.row - one.row)
      expect([...slotsByTime(ring, most)]).toEqual(wanted.map(({ row }) => row % capacity))
    }),
  )
})
