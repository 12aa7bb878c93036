// Lengths of bars, and which one suits a width: about a day of trading to begin with, coarser and finer as one zooms.
import { INTERVALS, type Interval } from '../../contract/bars.ts'

export { INTERVALS, type Interval }
export type IntervalChoice = Interval | 'auto'

/** Of trading, so that a zoom from one length to another shows about the same span; a day has six hours at most exchanges. */
const MINUTES: Record<Interval, number> = { '1m': 1, '5m': 5, '15m': 15, '30m': 30, '1h': 60, '1d': 360 }

/** Narrower candles are no candles any more; wider ones show too little. */
export const NARROWEST_PX = 4
const WIDEST_PX = 26
const USUAL_PX = 8
const USUAL_MINUTES = 360

/** How many bars fit. */
export function mostBars(widthPx: number): number {
  return Math.max(8, Math.floor(widthPx / NARROWEST_PX))
}

export function usualBars(widthPx: number): number {
  return Math.max(8, Math.floor(widthPx / USUAL_PX))
}

/** The finest that shows about a day of trading. */
export function intervalFor(widthPx: number): Interval {
  return INTERVALS.find(interval => USUAL_MINUTES / MINUTES[interval] <= usualBars(widthPx)) ?? '1h'
}

/** A shorter one, where so few bars are there that theirs would fit as well. */
export function finerFor(interval: Interval, there: number, count: number): Interval {
  const minutes = there * MINUTES[interval]
  return INTERVALS.find(finer => minutes / MINUTES[finer] <= count) ?? interval
}

export interface Zoom {
  interval: Interval
  count: number
}

/** So many times as many bars, never more than fit; where the length is free, another one at either end. */
export function zoomBy({ interval, count }: Zoom, factor: number, widthPx: number, isFree: boolean): Zoom {
  const wanted = factor > 1 ? Math.ceil(count * factor) : Math.floor(count * factor)
  const most = mostBars(widthPx)
  const fewest = Math.max(8, Math.floor(widthPx / WIDEST_PX))
  const at = INTERVALS.indexOf(interval)
  if (isFree && wanted > most && at < INTERVALS.length - 1) return change(interval, INTERVALS[at + 1], wanted, most)
  if (isFree && wanted < fewest && at > 0) return change(interval, INTERVALS[at - 1], wanted, most)
  return { interval, count: Math.min(most, Math.max(8, wanted)) }
}

function change(from: Interval, to: Interval, count: number, most: number): Zoom {
  const bars = Math.round((count * MINUTES[from]) / MINUTES[to])
  return { interval: to, count: Math.min(most, Math.max(8, bars)) }
}
