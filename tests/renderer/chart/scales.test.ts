// Scales and times beside the candles.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { priceScale, shortCount } from '../../../src/renderer/chart/price-scale.ts'
import { timeMarks } from '../../../src/renderer/chart/time-marks.ts'

describe('the scale of prices', () => {
  it('holds every price, in round steps that its decimals say exactly', () => {
    const cents = fc.integer({ min: 1, max: 10_000_000 })
    fc.assert(
      fc.property(cents, cents, fc.integer({ min: 2, max: 12 }), (a, b, steps) => {
        const [low, high] = [Math.min(a, b) / 100, Math.max(a, b) / 100]
        const scale = priceScale(low, high, steps)
        expect(scale.min).toBeLessThanOrEqual(low)
        expect(scale.max).toBeGreaterThanOrEqual(high)
        const count = (scale.max - scale.min) / scale.step
        expect(count).toBeLessThanOrEqual(steps + 3)
        expect(Math.abs(count - Math.round(count))).toBeLessThan(1e-6)
        expect(Number(scale.step.toFixed(scale.decimals))).toBeCloseTo(scale.step, 9)
      }),
    )
  })

  it('has room around a price that does not move', () => {
    const { min, max } = priceScale(36.18, 36.18, 6)
    expect(min).toBeLessThan(36.18)
    expect(max).toBeGreaterThan(36.18)
  })

  it('writes counts short', () => {
    expect([0, 12, 999, 1000, 1234, 123_456, 1_058_000, 2.5e9].map(shortCount)).toEqual(
      ['0', '12', '999', '1k', '1.23k', '123k', '1.06M', '2.5B'], // prettier-ignore
    )
  })
})

const MINUTE = 60_000
const day = (n: number, minutes: number) => Date.UTC(2014, 2, 10 + n) + minutes * MINUTE
/** Two sessions of six hours in bars of five minutes. */
const sessions = [0, 1].flatMap(n => Array.from({ length: 72 }, (_, i) => day(n, 600 + 5 * i)))

describe('times below the candles', () => {
  it('stand apart, at round times, with the date where a day begins', () => {
    const marks = timeMarks(sessions, 8, false)
    expect(marks.map(({ label }) => label)).toContain('Tue 11 Mar')
    expect(marks.find(({ isBreak }) => isBreak)!.index).toBe(72)
    for (const [at, mark] of marks.entries()) {
      if (at > 0) expect((mark.index - marks[at - 1].index) * 8).toBeGreaterThanOrEqual(60)
      if (!mark.isBreak) expect(mark.label).toMatch(/^\d\d:00$/)
    }
    expect(marks.length).toBeGreaterThan(6)
  })

  it('stay apart for any bars, widths and gaps', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(gaps, fc.integer({ min: 4, max: 30 }), fc.boolean(), (minutes, bandPx, areDays) => {
        let at = day(0, 0)
        const starts = minutes.map(gap => (at += gap * (areDays ? 1440 : 1) * MINUTE))
        const marks = timeMarks(starts, bandPx, areDays)
        for (const [i, mark] of marks.entries())
          if (i > 0) expect((mark.index - marks[i - 1].index) * bandPx).toBeGreaterThanOrEqual(60)
      }),
    )
  })

  it('name months where bars are days', () => {
    const days = Array.from({ length: 60 }, (_, n) => day(n, 0))
    expect(
      timeMarks(days, 12, true)
        .filter(({ isBreak }) => isBreak)
        .map(({ label }) => label),
    ).toEqual(['Apr', 'May'])
  })
})
