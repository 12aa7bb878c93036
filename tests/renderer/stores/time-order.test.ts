// The order of time, of rows that came in another one.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createTimeOrder, slotsByTime } from '../../../src/renderer/stores/time-order.ts'

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

it('is kept while no row comes in, and made anew for other rows', () => {
  const inOrder = createTimeOrder()
  const ring = { capacity: 4, end: 3, time: Float64Array.of(5, 9, 7, 0) }
  const slots = inOrder(ring, 4)
  expect([...slots]).toEqual([1, 2, 0])
  expect(inOrder(ring, 4)).toBe(slots)
  expect([...inOrder(ring, 2)]).toEqual([1, 2])
  ring.time[3] = 6
  ring.end = 4
  expect([...inOrder(ring, 4)]).toEqual([1, 2, 3, 0])
  expect([...inOrder({ ...ring, time: Float64Array.of(1, 2, 3, 4) }, 4)]).toEqual([3, 2, 1, 0])
})
