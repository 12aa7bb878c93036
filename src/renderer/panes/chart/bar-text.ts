// What is written of a bar: its time in the page's zone, and its numbers exactly as they are stored.
import { asNumber, BAR_SCALE, type Bars } from '../../stores/bar-columns.ts'
import type { Interval } from '../../stores/bar-interval.ts'
import { decimalsNeeded } from '../../stores/instruments.ts'
import { grouped, groupedDecimal } from '../../ui/decimal-text.ts'
import { dateOf, timeOfDay, type Zone } from '../../ui/zone-time.ts'

export interface BarText {
  time: string
  open: string
  high: string
  low: string
  close: string
  volume: string
  vwap: string
  trades: string
  /** From open to close, with its share of the open. */
  change: string
  direction: 'up' | 'down' | 'same'
}

export function barText(bars: Bars, at: number, decimals: number, interval: Interval, zone: Zone): BarText {
  const exact = (value: number | bigint | null, atLeast: number) =>
    value === null ? '–' : groupedDecimal(value, BAR_SCALE, atLeast)
  const [open, close] = [bars.open[at], bars.close[at]]
  const trades = bars.trades[at]
  return {
    time: timeText(bars, at, interval, zone),
    open: exact(open, decimals),
    high: exact(bars.high[at], decimals),
    low: exact(bars.low[at], decimals),
    close: exact(close, decimals),
    volume: exact(bars.volume[at], 0),
    vwap: exact(bars.vwap[at], decimals),
    trades: `${grouped(trades)} ${trades === 1 ? 'trade' : 'trades'}`,
    ...changeOf(open, close, decimals),
  }
}

function timeText(bars: Bars, at: number, interval: Interval, zone: Zone): string {
  const [start, end] = [bars.start[at], bars.end[at]]
  const date = dateOf(start, zone)
  // A day of the exchange is no day of another zone: only its own is said by its date alone.
  if (interval === '1d' && timeOfDay(start, zone, 'second') === '00:00:00') return date
  return `${date} ${timeOfDay(start, zone, 'minute')}–${timeOfDay(end, zone, 'minute')}`
}

function changeOf(
  open: number | bigint | null,
  close: number | bigint | null,
  decimals: number,
): Pick<BarText, 'change' | 'direction'> {
  if (open === null || close === null) return { change: '', direction: 'same' }
  const change = BigInt(close) - BigInt(open)
  const direction = change > 0n ? 'up' : change < 0n ? 'down' : 'same'
  const text = (change > 0n ? '+' : '') + groupedDecimal(change, BAR_SCALE, decimals)
  if (Number(open) === 0) return { change: text, direction }
  const share = (100 * Number(change)) / Math.abs(Number(open))
  return { change: `${text} (${share > 0 ? '+' : share < 0 ? '−' : ''}${Math.abs(share).toFixed(2)} %)`, direction }
}

/** Decimals that these prices need, so that all of them are written with as many. */
export function priceDecimals({ open, high, low, close }: Bars, atLeast: number): number {
  let decimals = atLeast
  for (const column of [open, high, low, close])
    for (const value of column) if (value !== null) decimals = decimalsNeeded(value, BAR_SCALE, decimals)
  return decimals
}

/** The whole chart in a sentence, for who does not see it. */
export function chartSummary(name: string, bars: Bars, decimals: number, interval: Interval, zone: Zone): string {
  const count = bars.start.length
  if (count === 0) return `No trades of ${name}.`
  const high = bars.high.reduce(pickBy(Math.max), null)
  const low = bars.low.reduce(pickBy(Math.min), null)
  const text = (value: number | bigint | null) => (value === null ? '–' : groupedDecimal(value, BAR_SCALE, decimals))
  const from = `${dateOf(bars.start[0], zone)} ${timeOfDay(bars.start[0], zone, 'minute')}`
  const to = `${dateOf(bars.end[count - 1], zone)} ${timeOfDay(bars.end[count - 1], zone, 'minute')}`
  return (
    `${name}, ${grouped(count)} ${count === 1 ? 'bar' : 'bars'} of ${interval} from ${from} to ${to}: ` +
    `first ${text(bars.open[0])}, highest ${text(high)}, lowest ${text(low)}, last ${text(bars.close[count - 1])}.`
  )
}

type Exact = number | bigint | null

function pickBy(choose: (a: number, b: number) => number): (a: Exact, b: Exact) => Exact {
  return (a, b) => (a === null ? b : b === null || choose(asNumber(a), asNumber(b)) === asNumber(a) ? a : b)
}
