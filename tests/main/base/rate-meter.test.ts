// The rate over the last seconds.
import { expect, it } from 'vitest'
import { createRateMeter } from '../../../src/main/base/rate-meter.ts'

function record(meter: ReturnType<typeof createRateMeter>, perSecond: number, fromMs: number, toMs: number, from = 0) {
  let count = from
  for (let ms = fromMs; ms < toMs; ms += 5) meter.record((count += perSecond / 200), ms + 5)
  return count
}

it('is 0 before anything has happened', () => {
  expect(createRateMeter(1000).perSecond(1000)).toBe(0)
})

it('is the rate from the start while that is recent', () => {
  const meter = createRateMeter(0)
  record(meter, 2000, 0, 1000)
  expect(meter.perSecond(1000)).toBe(2000)
})

it('forgets what is longer ago than its window', () => {
  const meter = createRateMeter(0)
  const count = record(meter, 200_000, 0, 20_000)
  record(meter, 1000, 20_000, 26_000, count)
  expect(meter.perSecond(26_000)).toBeCloseTo(1000)
})

it('falls to 0 when nothing follows', () => {
  const meter = createRateMeter(0)
  record(meter, 2000, 0, 1000)
  expect(meter.perSecond(4000)).toBe(500)
  expect(meter.perSecond(60_000)).toBe(0)
})
