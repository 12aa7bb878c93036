// Bars as the chart holds them: columns of exact numbers, all with eight decimals, joined as they come from the engine.
import type { Column, ColumnBatch } from '../../contract/columns.ts'

/** Decimals of every number here. */
export const BAR_SCALE = 8
type BarNumber = 'open' | 'high' | 'low' | 'close' | 'volume' | 'vwap'

export interface Bars extends Record<BarNumber, readonly (number | bigint | null)[]> {
  /** Microseconds since 1970, rising. */
  start: readonly number[]
  end: readonly number[]
  trades: readonly number[]
}

export const NO_BARS: Bars = {
  start: [],
  end: [],
  trades: [],
  open: [],
  high: [],
  low: [],
  close: [],
  volume: [],
  vwap: [],
}

export function readBars({ rowCount, columns }: ColumnBatch): Bars {
  const plain = ({ values }: Column) => Array.from({ length: rowCount }, (_, row) => Number(values[row]))
  return {
    start: plain(columns.window_start),
    end: plain(columns.window_end),
    trades: plain(columns.trade_count),
    open: readExact(columns.open_price, rowCount),
    high: readExact(columns.high_price, rowCount),
    low: readExact(columns.low_price, rowCount),
    close: readExact(columns.close_price, rowCount),
    volume: readExact(columns.volume, rowCount),
    vwap: readExact(columns.vwap, rowCount),
  }
}

function readExact({ values, nulls, scale = 0 }: Column, rowCount: number): (number | bigint | null)[] {
  const factor = 10 ** (BAR_SCALE - scale)
  return Array.from({ length: rowCount }, (_, row) => {
    if (nulls?.[row]) return null
    const value = values[row]
    const widened = Number(value) * factor
    return Number.isSafeInteger(widened) ? widened : BigInt(value) * BigInt(factor)
  })
}

/** `newer` wins from its first bar on: the bar that was forming is there whole now, or further on. */
export function joinBars(older: Bars, newer: Bars): Bars {
  if (newer.start.length === 0) return older
  const keep = countBefore(older.start, newer.start[0])
  if (keep === 0) return newer
  return mapBars((name): unknown[] => [...older[name].slice(0, keep), ...newer[name]])
}

export function sliceBars(bars: Bars, from: number, to: number): Bars {
  return mapBars((name): unknown[] => bars[name].slice(from, to))
}

function mapBars(columnOf: (name: keyof Bars) => unknown[]): Bars {
  const names = Object.keys(NO_BARS) as (keyof Bars)[]
  return Object.fromEntries(names.map(name => [name, columnOf(name)])) as unknown as Bars
}

/** How many of these rising times are earlier. */
export function countBefore(times: readonly number[], micros: number): number {
  let from = 0
  for (let to = times.length; from < to;) {
    const middle = (from + to) >>> 1
    if (times[middle] < micros) from = middle + 1
    else to = middle
  }
  return from
}

/** As a place on the screen needs it. */
export function asNumber(value: number | bigint | null): number {
  return value === null ? NaN : Number(value) / 10 ** BAR_SCALE
}

const DAY_MICROS = 86_400e6
/** Prices of another time would press those of this one flat: bars further apart than this are not shown together. */
const APART_MICROS = 14 * DAY_MICROS
/** Of bars of a day. */
const DAYS_APART_MICROS = 120 * DAY_MICROS

/** From which bar on, before `end` and not before `first`, bars are of one time. */
export function togetherFrom({ start, end: ends }: Bars, first = 0, end = start.length): number {
  let from = Math.max(first, end - 1)
  const apartMicros = (bar: number) => (ends[bar] - start[bar] >= DAY_MICROS / 2 ? DAYS_APART_MICROS : APART_MICROS)
  while (from > first && start[from] - start[from - 1] < apartMicros(from)) from--
  return from
}

export function barsOfLatestTime(bars: Bars): number {
  return bars.start.length - togetherFrom(bars)
}
