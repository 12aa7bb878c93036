// Bars as columns of an answer.
import { decimalText, type Column, type ColumnBatch } from '../../../contract/columns.ts'
import type { Bar } from './add-bars.ts'
import { divideHalfEven, type Exact } from './exact.ts'
import type { FilledBar } from './fill-bars.ts'

export const VWAP_SCALE = 8

/** Half to even at 8 places; nothing where the volume is not above zero. */
export function vwapOf({ notional, volume }: Bar, priceScale: number): Exact | undefined {
  if (volume <= 0) return undefined
  // A price of a table has 8 places at the most, so there is always at least one digit to come or none.
  return divideHalfEven(notional, volume, VWAP_SCALE - priceScale)
}

export interface BarsNamed {
  symbol: string
  exchange: string
  priceScale: number
  quantityScale: number
  /** Whether windows without trades get the last close as their prices. */
  isCarried: boolean
}

export function barsBatch(filled: readonly FilledBar[], named: BarsNamed): ColumnBatch {
  const { symbol, exchange, priceScale, quantityScale, isCarried } = named
  const same = (word: string): Column => ({ type: 'string', words: [word], values: new Uint8Array(filled.length) })
  const times = (of: (bar: FilledBar) => number): Column => ({
    type: 'timestamp',
    values: Float64Array.from(filled, of),
  })
  const prices = (of: (bar: Bar) => Exact) =>
    decimals(
      filled.map(({ bar, close }) => (bar ? of(bar) : isCarried ? close : undefined)),
      priceScale,
    )
  const columns: Record<string, Column> = {
    symbol: same(symbol),
    exchange: same(exchange),
    window_start: times(({ start }) => start),
    window_end: times(({ end }) => end),
    open_price: prices(({ open }) => open),
    high_price: prices(({ high }) => high),
    low_price: prices(({ low }) => low),
    close_price: prices(({ close }) => close),
    volume: decimals(
      filled.map(({ bar }) => bar?.volume ?? 0),
      quantityScale,
    ),
    trade_count: { type: 'int', values: Int32Array.from(filled, ({ bar }) => bar?.count ?? 0) },
    vwap: decimals(
      filled.map(({ bar }) => bar && vwapOf(bar, priceScale)),
      VWAP_SCALE,
    ),
  }
  return { rowCount: filled.length, columns }
}

/** What is beyond 64 bits is told as text, to the last digit. */
export function decimals(values: readonly (Exact | undefined)[], scale: number): Column {
  const isMissing = values.includes(undefined)
  const nulls = isMissing ? { nulls: Uint8Array.from(values, value => (value === undefined ? 1 : 0)) } : {}
  if (values.every(value => typeof value !== 'bigint'))
    return { type: 'decimal', scale, values: Float64Array.from(values, value => value ?? 0), ...nulls }
  const whole = values.map(value => BigInt(value ?? 0))
  if (whole.every(value => BigInt.asIntN(64, value) === value))
    return { type: 'decimal', scale, values: BigInt64Array.from(whole), ...nulls }
  const words = whole.map(value => decimalText(value, scale))
  return { type: 'string', words, values: Uint32Array.from(words.keys()), ...nulls }
}
