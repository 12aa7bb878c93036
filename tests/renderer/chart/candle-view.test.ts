// What a chart of candles shows of the bars there are.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { barAt, candleView, priceAt, xOf, yOf } from '../../../src/renderer/chart/candle-view.ts'
import { candleOptions } from '../../../src/renderer/chart/candle-options.ts'
import { barsOf } from '../../support/bars-of.ts'

const FRAME = { width: 872, height: 400, zone: { id: 'UTC', label: 'UTC' }, areDays: false }
const frame = (count: number, behind = 0) => ({ ...FRAME, count, behind })
const minute = (n: number) => n * 60e6
const prices = (n: number) => 36 + (n % 7) / 100

describe('a view of candles', () => {
  it('shows the newest bars, as many as there is room for, or those before so many', () => {
    const bars = barsOf(Array.from({ length: 500 }, (_, n) => [minute(n), prices(n)]))
    expect(candleView(bars, frame(100)).bars.start).toEqual(bars.start.slice(400))
    expect(candleView(bars, frame(100, 30)).bars.start).toEqual(bars.start.slice(370, 470))
    const few = candleView(barsOf([[0, 36]]), frame(100))
    expect([few.bars.start.length, few.firstSlot]).toEqual([1, 99])
  })

  it('finds the bar at a place, and the price at a height', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 8, max: 300 }), (there, count) => {
        const view = candleView(barsOf(Array.from({ length: there }, (_, n) => [minute(n), prices(n)])), frame(count))
        const shown = view.bars.start.length
        expect(shown).toBe(Math.min(there, count))
        for (const bar of [0, shown - 1]) expect(barAt(view, xOf(view, bar))).toBe(bar)
        expect(barAt(view, -50)).toBe(0)
        expect(barAt(view, 5000)).toBe(shown - 1)
        expect(priceAt(view, yOf(view, 36.03))).toBeCloseTo(36.03, 9)
      }),
    )
  })

  it('does not press prices flat by showing those of years before beside them', () => {
    const year = 365 * 86_400e6
    const bars = barsOf([...[0, 1, 2].map((n): [number, number] => [minute(n), 20]), [year, 45], [year + 60e6, 46]])
    const view = candleView(bars, frame(50))
    expect(view.bars.start).toEqual([year, year + 60e6])
    expect(view.earlierMicros).toBe(minute(2))
    expect(view.price.min).toBeGreaterThan(40)
    const before = candleView(bars, frame(50, 2))
    expect(before.bars.start).toEqual([0, 1, 2].map(minute))
    expect(before.earlierMicros).toBeUndefined()
  })

  it('leads no line from one day to the next', () => {
    const night = 86_340e6
    const view = candleView(barsOf([[night, 36], [night + 60e6, 37], [night + 120e6, 38]]), frame(8)) // prettier-ignore
    const colours = { up: '', down: '', panel: '', line: '', text: '', strongText: '', vwap: '', volume: '', font: '' }
    const { series } = candleOptions(view, colours) as { series: { type: string; data: unknown[] }[] }
    const lines = series.filter(({ type }) => type === 'line').map(({ data }) => data.slice(-3))
    expect(lines).toEqual([
      [36, '-', '-'],
      ['-', 37, 38],
    ])
  })
})
