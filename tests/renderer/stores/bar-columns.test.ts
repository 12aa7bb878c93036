// Bars as columns of exact numbers, and how many of which length fit.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bars as barsTable } from '../../../src/contract/bars.ts'
import { cellOf, decimalText, emptyBatch, type Column, type ColumnBatch } from '../../../src/contract/columns.ts'
import { BAR_SCALE, countBefore, joinBars, NO_BARS, readBars } from '../../../src/renderer/stores/bar-columns.ts'
import { INTERVALS, intervalFor, mostBars, NARROWEST_PX, zoomBy } from '../../../src/renderer/stores/bar-interval.ts'
import { barText, priceDecimals } from '../../../src/renderer/panes/chart/bar-text.ts'
import { barsOf } from '../../support/bars-of.ts'

function batchOf(closes: readonly bigint[], scale: number): ColumnBatch {
  const rowCount = closes.length
  const decimal: Column = { type: 'decimal', scale, values: BigInt64Array.from(closes) }
  const time = (offset: number): Column => ({
    type: 'timestamp',
    values: Float64Array.from(closes, (_, row) => (row + offset) * 60e6),
  })
  const columns: Record<string, Column> = {
    ...emptyBatch(barsTable.columns).columns,
    window_start: time(0),
    window_end: time(1),
  }
  for (const name of ['open_price', 'high_price', 'low_price', 'close_price', 'volume', 'vwap']) columns[name] = decimal
  columns.trade_count = { type: 'int', values: Int32Array.from(closes, () => 1) }
  return { rowCount, columns }
}

describe('bars', () => {
  it('keep every number as it was answered, whatever its scale', () => {
    const value = fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n })
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), fc.integer({ min: 6, max: 8 }), (closes, scale) => {
        const batch = batchOf(closes, scale)
        const read = readBars(batch)
        closes.forEach((_, row) =>
          expect(decimalText(read.close[row]!, BAR_SCALE)).toBe(cellOf(batch.columns.close_price, row)),
        )
      }),
    )
  })

  it('are joined so that the newer answer wins from its first bar on', () => {
    const times = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 30 })
    fc.assert(
      fc.property(times, times, (a, b) => {
        const [older, newer] = [a, b].map(list => [...list].sort((x, y) => x - y))
        const joined = joinBars(barsOf(older.map(t => [t, 1])), barsOf(newer.map(t => [t, 2])))
        const from = newer[0] ?? Infinity
        expect(joined.start).toEqual([...older.filter(t => t < from), ...newer])
        expect(joined.close.map(Number)).toEqual(joined.start.map(t => (t < from ? 1e8 : 2e8)))
        expect(countBefore(older, 30)).toBe(older.filter(t => t < 30).length)
      }),
    )
  })

  it('are written exactly, as many decimals for all prices of a view', () => {
    const bars = { ...barsOf([[Date.UTC(2014, 2, 13, 23, 0) * 1000, 36.5]]), close: [3_661_500_000], vwap: [3_655_123_457] } // prettier-ignore
    const decimals = priceDecimals(bars, 2)
    expect(decimals).toBe(3)
    expect(barText(bars, 0, decimals, '1m', { id: 'Australia/Sydney', label: '' })).toEqual({
      time: 'Fri 14 Mar 2014 10:00–10:01',
      open: '36.500',
      high: '36.500',
      low: '36.500',
      close: '36.615',
      volume: '100',
      vwap: '36.55123457',
      trades: '1 trade',
      change: '+0.115 (+0.32 %)',
      direction: 'up',
    })
    const empty = { ...bars, open: [null], close: [null], high: [null], low: [null], vwap: [null] }
    expect(barText(empty, 0, 2, '1m', { id: 'UTC', label: '' })).toMatchObject({ open: '–', vwap: '–', change: '' })
    expect(NO_BARS.start).toEqual([])
  })
})

describe('the length of bars', () => {
  it('is that at which about a day fits', () => {
    expect([300, 480, 600, 1500, 3000].map(intervalFor)).toEqual(['15m', '15m', '5m', '5m', '1m'])
  })

  it('changes with the zoom where it is free, and there are never more bars than fit', () => {
    const factor = fc.double({ min: 0.2, max: 5, noNaN: true })
    fc.assert(
      fc.property(
        fc.array(factor, { maxLength: 20 }),
        fc.integer({ min: 100, max: 3000 }),
        fc.boolean(),
        (all, width, isFree) => {
          let zoom = { interval: intervalFor(width), count: 20 }
          for (const each of all) {
            zoom = zoomBy(zoom, each, width, isFree)
            expect(zoom.count).toBeLessThanOrEqual(mostBars(width))
            expect(zoom.count).toBeGreaterThanOrEqual(8)
            expect(INTERVALS).toContain(zoom.interval)
            if (!isFree) expect(zoom.interval).toBe(intervalFor(width))
          }
          expect(mostBars(width) * NARROWEST_PX).toBeLessThanOrEqual(Math.max(width, 8 * NARROWEST_PX))
        },
      ),
    )
    expect(zoomBy({ interval: '1m', count: 190 }, 2, 800, true)).toEqual({ interval: '5m', count: 76 })
    expect(zoomBy({ interval: '5m', count: 31 }, 0.5, 800, true)).toEqual({ interval: '1m', count: 75 })
  })
})
