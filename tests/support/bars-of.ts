// Bars of a minute, each of one price, for what draws and writes them.
import { BAR_SCALE, type Bars } from '../../src/renderer/stores/bar-columns.ts'

/** Start in microseconds, and price. */
export function barsOf(rows: readonly (readonly [number, number])[]): Bars {
  const prices = rows.map(([, price]) => Math.round(price * 10 ** BAR_SCALE))
  return {
    start: rows.map(([start]) => start),
    end: rows.map(([start]) => start + 60e6),
    trades: rows.map(() => 1),
    open: prices,
    high: prices,
    low: prices,
    close: prices,
    volume: rows.map(() => 100 * 10 ** BAR_SCALE),
    vwap: prices,
  }
}
