// The order of rows at hand, however their times are spread.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { orderRows } from '../../../src/main/duck/order-rows.ts'

const times = fc.oneof(
  fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 300 }),
  fc.array(fc.integer({ min: -9e15, max: 9e15 }), { maxLength: 300 }),
  // A crowd in a few microseconds of a century, in which a bucket holds nearly all.
  fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 30, maxLength: 300 }).map(crowd => [-3e15, ...crowd, 3e15]),
)

it('puts rows in the order of their times and, where those tie, of their other keys', () => {
  fc.assert(
    fc.property(times, fc.infiniteStream(fc.integer({ min: 0, max: 3 })), (given, more) => {
      const others = given.map(() => more.next().value as number)
      const expected = [...given.keys()].sort((a, b) => given[a] - given[b] || others[a] - others[b])
      const keysOf = (row: number) => [given[row], others[row]]
      const key = { type: 'long' as const, values: Float64Array.from(others) }
      const ordered = orderRows(Float64Array.from(given), () => [key])
      expect(Array.from(ordered.rows, keysOf)).toEqual(expected.map(keysOf))
      expect([...ordered.rows].sort((a, b) => a - b)).toEqual([...given.keys()])
      expect([...ordered.times]).toEqual(expected.map(row => given[row]))
      const distinct = new Set(expected.map(row => keysOf(row).join())).size
      expect(ordered.hasTies).toBe(distinct < given.length)
    }),
  )
})

it('asks for other keys only where times tie', () => {
  const never = () => expect.unreachable()
  expect([...orderRows(Float64Array.of(5, 3, 4), never).rows]).toEqual([1, 2, 0])
  expect([...orderRows(new Float64Array(), never).rows]).toEqual([])
})
