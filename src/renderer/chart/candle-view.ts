// What a chart of candles shows, worked out before anything is drawn: which bars, where they stand, scales and times.
import { asNumber, sliceBars, togetherFrom, type Bars } from '../stores/bar-columns.ts'
import { zoneOffsetMs, type Zone } from '../ui/zone-time.ts'
import { priceScale, type PriceScale } from './price-scale.ts'
import { timeMarks, type TimeMark } from './time-marks.ts'

export interface CandleView {
  bars: Bars
  /** Places for bars; the bars stand at the right end of them, before the gap. */
  slots: number
  /** Place of the first bar. */
  firstSlot: number
  plot: Plot
  price: PriceScale
  volumeMax: number
  marks: readonly TimeMark[]
  /** Of each bar, days counted from the first; all 0 where bars are days. */
  days: readonly number[]
  /** The bar before the first one shown, where years or months lie between. */
  earlierMicros?: number
}

/** In pixels of the chart's element. */
export interface Plot {
  right: number
  top: number
  priceBottom: number
  volumeTop: number
  bottom: number
}

export interface CandleFrame {
  width: number
  height: number
  count: number
  behind: number
  zone: Zone
  areDays: boolean
}

const AXIS_PX = 72
const TIMES_PX = 22
const TOP_PX = 28
const VOLUME_SHARE = 0.18
const STEP_PX = 44
/** Between the newest bar and the scale. */
const GAP_SLOTS = 1

export function candleView(all: Bars, { width, height, count, behind, zone, areDays }: CandleFrame): CandleView {
  const end = Math.max(0, all.start.length - behind)
  const first = Math.max(0, end - count)
  const from = togetherFrom(all, first, end)
  const bars = sliceBars(all, from, end)
  const slots = count + GAP_SLOTS
  const bottom = height - TIMES_PX
  const volumeTop = Math.round(bottom - (bottom - TOP_PX) * VOLUME_SHARE)
  const plot = { right: Math.max(1, width - AXIS_PX), top: TOP_PX, priceBottom: volumeTop - 8, volumeTop, bottom }
  const lows = bars.low.map(asNumber).filter(Number.isFinite)
  const highs = bars.high.map(asNumber).filter(Number.isFinite)
  const wallMs = bars.start.map(micros => micros / 1000 + zoneOffsetMs(zone.id, micros / 1000))
  const steps = (plot.priceBottom - plot.top) / STEP_PX
  return {
    bars,
    slots,
    firstSlot: count - bars.start.length,
    plot,
    price: lows.length === 0 ? priceScale(0, 1, steps) : priceScale(least(lows), most(highs), steps),
    volumeMax: most([1e-8, ...bars.volume.map(asNumber)]),
    marks: timeMarks(wallMs, plot.right / slots, areDays),
    days: areDays ? wallMs.map(() => 0) : countDays(wallMs),
    ...(from > first && { earlierMicros: all.start[from - 1] }),
  }
}

function countDays(wallMs: readonly number[]): number[] {
  let day = 0
  return wallMs.map((ms, bar) => {
    if (bar > 0 && Math.floor(ms / 86_400_000) !== Math.floor(wallMs[bar - 1] / 86_400_000)) day++
    return day
  })
}

export function bandPx({ plot, slots }: CandleView): number {
  return plot.right / slots
}

/** The middle of a bar. */
export function xOf(view: CandleView, bar: number): number {
  return (view.firstSlot + bar + 0.5) * bandPx(view)
}

/** The bar at this place, or the nearest one; -1 where there are none. */
export function barAt(view: CandleView, x: number): number {
  const bar = Math.floor(x / bandPx(view)) - view.firstSlot
  return Math.min(view.bars.start.length - 1, Math.max(0, bar))
}

export function yOf({ plot, price }: CandleView, value: number): number {
  return plot.priceBottom - ((value - price.min) / (price.max - price.min)) * (plot.priceBottom - plot.top)
}

export function priceAt({ plot, price }: CandleView, y: number): number {
  return price.min + ((plot.priceBottom - y) / (plot.priceBottom - plot.top)) * (price.max - price.min)
}

// Without spreading thousands of arguments.
const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Infinity)
const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), -Infinity)
