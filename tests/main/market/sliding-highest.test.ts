// The highest of the last values: as one finds it who looks at all of them.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createSlidingHighest, enter, leaveAll, leaveBefore } from '../../../src/main/market/sliding-highest.ts'

it('is that of the values that have not left, whatever came and left before', () => {
  const act = fc.oneof(
    { weight: 12, arbitrary: fc.record({ value: fc.integer({ min: -50, max: 50 }) }) },
    { weight: 4, arbitrary: fc.record({ leave: fc.nat(6) }) },
    { weight: 1, arbitrary: fc.constant('all leave' as const) },
  )
  const falling = fc.array(
    fc.nat(3).map(step => ({ step })),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 80 }), falling, (acts, steps) => {
      const sliding = createSlidingHighest()
      let held: number[] = []
      let [number, value] = [0, 0]
      const all = [...acts, ...steps.map(({ step }) => ({ value: (value -= step) })), ...acts]
      for (const one of all) {
        const before = sliding.highest
        if (one === 'all leave') {
          leaveAll(sliding)
          held = []
        } else if ('leave' in one) {
          held = held.slice(one.leave)
          leaveBefore(sliding, number - held.length)
        } else {
          const hasRisen = enter(sliding, number++, one.value)
          held.push(one.value)
          expect(hasRisen).toBe(Math.max(...held) > before)
        }
        expect(sliding.highest).toBe(held.length > 0 ? Math.max(...held) : before)
      }
    }),
    { numRuns: 500 },
  )
})

it('keeps no more than what may become the highest', () => {
  const sliding = createSlidingHighest()
  for (let number = 0; number < 100_000; number++) {
    enter(sliding, number, number % 50)
    leaveBefore(sliding, number - 200)
  }
  expect(sliding.values.length).toBeLessThanOrEqual(512)
})
