// Bars of a decoded block, made once and kept as long as the block is: a block never changes, and what is asked for again and
// again, such as the day of a chart whose end moves on, differs only in where it begins and ends.
import type { Column } from '../../../contract/columns.ts'
import { firstNotBelow } from '../../market/row-order.ts'
import { addBar, addBars, type Bar, type TradeRun } from './add-bars.ts'
import type { WindowAt } from './windows.ts'

/** Rows `from` up to `to` of a block. */
export interface BlockRows {
  trades: TradeRun
  from: number
  to: number
  /** Stands for the block: nothing else has this column. */
  column: Column
}

/** By the column that stands for a block, then by how long the windows are. */
const kept = new WeakMap<Column, Map<number, readonly Bar[]>>()

const NONE: readonly Bar[] = []
/** Fewer are summed as quickly as they are looked up. */
const MANY_ROWS = 1_000
/** A bar is reckoned at 180 bytes and a row at 16: windows of one length add half to a block at the most. */
const LEAST_ROWS_A_BAR = 24

/** As `addBars` of the same rows. */
export function addBlockBars(bars: Bar[], rows: BlockRows, windowAt: WindowAt): void {
  const { trades, from, to } = rows
  const whole = wholeBars(rows, windowAt)
  const { times } = trades
  const first = from === 0 ? 0 : countBelow(whole, ({ start }) => start <= times[from - 1])
  const last = to === times.length ? whole.length : countBelow(whole, ({ end }) => end <= times[to])
  if (first >= last) return addBars(bars, cut(trades, from, to), windowAt)
  addBars(bars, cut(trades, from, firstNotBelow(times, whole[first].start)), windowAt)
  for (let i = first; i < last; i++) addBar(bars, whole[i])
  addBars(bars, cut(trades, firstNotBelow(times, whole[last - 1].end), to), windowAt)
}

/** None where they would not be fewer by much, or where only a part of the block is asked for. */
function wholeBars({ trades, from, to, column }: BlockRows, windowAt: WindowAt): readonly Bar[] {
  const { width } = windowAt
  const { length } = trades.times
  if (width === undefined || length < MANY_ROWS || to - from < length / 2) return NONE
  const ofBlock = kept.get(column) ?? new Map<number, readonly Bar[]>()
  kept.set(column, ofBlock)
  let whole = ofBlock.get(width)
  if (!whole) {
    const made: Bar[] = []
    addBars(made, trades, windowAt)
    ofBlock.set(width, (whole = made.length * LEAST_ROWS_A_BAR <= length ? made : NONE))
  }
  return whole
}

/** Of what ascends: how many pass. */
function countBelow(bars: readonly Bar[], passes: (bar: Bar) => boolean): number {
  let [low, high] = [0, bars.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (passes(bars[middle])) low = middle + 1
    else high = middle
  }
  return low
}

function cut({ times, prices, quantities, left }: TradeRun, from: number, to: number): TradeRun {
  return {
    times: times.subarray(from, to),
    prices: prices.subarray(from, to),
    quantities: quantities.subarray(from, to),
    ...(left && { left: left.subarray(from, to) }),
  }
}
