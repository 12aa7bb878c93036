// Open, high, low, close, volume and notional of each window, in one loop over a symbol's rows in the total order.
//
// Sums are exact. They are taken as doubles first: terms that are not negative only grow a sum, so one that ends below
// 2^53 was exact all the way. A window whose sum did not is summed again with both factors cut at 26 bits, and one beyond
// that, or with negative terms, as BigInt.
import type { Values } from '../../../contract/columns.ts'
import { addExact, shrunk, type Exact } from './exact.ts'
import type { Window, WindowAt } from './windows.ts'

/** Rows of one symbol; prices and quantities as integers, those of all runs of the same scale. */
export interface TradeRun {
  times: Float64Array
  prices: Values
  quantities: Values
  /** 1 for rows to be left out. */
  left?: Values
}

export interface Bar {
  start: number
  end: number
  open: Exact
  high: Exact
  low: Exact
  close: Exact
  volume: Exact
  /** Price times quantity. */
  notional: Exact
  count: number
}

const TWO_26 = 2 ** 26
const TWO_52 = 2 ** 52
const LIMIT = Number.MAX_SAFE_INTEGER

/** Adds the rows of a run to the bars, which end with the one that the run's first row may still be in. */
export function addBars(bars: Bar[], run: TradeRun, windowAt: WindowAt): void {
  if (run.left?.some(flag => Number(flag) === 1)) run = withoutLeft(run, run.left)
  const { times, prices, quantities } = run
  const sumsOf = chooseSums(prices, quantities)
  for (let from = 0; from < times.length;) {
    const window = windowAt(times[from])
    const to = endOfWindow(times, from, window.end)
    addBar(bars, sumsOf(window, from, to))
    from = to
  }
}

/** Bars are never changed, as some are kept. */
export function addBar(bars: Bar[], bar: Bar): void {
  const last = bars.at(-1)
  if (last?.start === bar.start) bars[bars.length - 1] = joined(last, bar)
  else bars.push(bar)
}

/** Every so many rows one is looked at: measured, a search in halves takes three times as long for what it mispredicts. */
const STRIDE = 16

function endOfWindow(times: Float64Array, from: number, end: number): number {
  let to = from + 1
  while (to + STRIDE < times.length && times[to + STRIDE] < end) to += STRIDE
  while (to < times.length && times[to] < end) to++
  return to
}

type Sums = (window: Window, from: number, to: number) => Bar
type Doubles = Exclude<Values, BigInt64Array>

/** The loop over 32-bit integers stands alone, so that it is compiled for nothing else. */
function chooseSums(prices: Values, quantities: Values): Sums {
  if (prices instanceof Int32Array && quantities instanceof Int32Array)
    return (window, from, to) => barOfIntegers(window, prices, quantities, from, to)
  if (prices instanceof BigInt64Array || quantities instanceof BigInt64Array)
    return (window, from, to) => wideBar(window, prices, quantities, from, to)
  return (window, from, to) => barOf(window, prices, quantities, from, to)
}

function joined(bar: Bar, more: Bar): Bar {
  return {
    ...bar,
    high: more.high > bar.high ? more.high : bar.high,
    low: more.low < bar.low ? more.low : bar.low,
    close: more.close,
    volume: addExact(bar.volume, more.volume),
    notional: addExact(bar.notional, more.notional),
    count: bar.count + more.count,
  }
}

/**
 * Without branches, as prices that wander mispredict them: measured, two thirds of the time. Two rows at once, of which only
 * the higher price can be the highest, and the lower one the lowest: four fifths of that. What is wrapped to 32 bits is wrong
 * for values below zero only.
 */
function barOfIntegers(window: Window, prices: Int32Array, quantities: Int32Array, from: number, to: number): Bar {
  const { start, end } = window
  const open = prices[from]
  const isOdd = (to - from) % 2
  let high = open
  let low = open
  let signs = isOdd ? open | quantities[from] : 0
  let volume = isOdd ? quantities[from] : 0
  let notional = isOdd ? open * quantities[from] : 0
  let others = 0
  for (let i = from + isOdd; i < to; i += 2) {
    const price = prices[i]
    const next = prices[i + 1]
    const quantity = quantities[i]
    const nextQuantity = quantities[i + 1]
    const difference = (price - next) | 0
    const fall = difference & (difference >> 31)
    const above = (high - price + fall) | 0
    high = (high - (above & (above >> 31))) | 0
    const below = (next + fall - low) | 0
    low = (low + (below & (below >> 31))) | 0
    signs |= price | next | quantity | nextQuantity
    volume += (quantity + nextQuantity) >>> 0
    notional += price * quantity
    others += next * nextQuantity
  }
  if (signs < 0) return wideBar(window, prices, quantities, from, to)
  notional += others
  const sum = notional <= LIMIT ? notional : limbSum(prices, quantities, from, to)
  return { start, end, open, high, low, close: prices[to - 1], volume, notional: sum, count: to - from }
}

function barOf(window: Window, prices: Doubles, quantities: Doubles, from: number, to: number): Bar {
  const { start, end } = window
  const open = prices[from]
  let high = open
  let low = open
  let least = 0
  let volume = 0
  let notional = 0
  for (let i = from; i < to; i++) {
    const price = prices[i]
    const quantity = quantities[i]
    if (price > high) high = price
    else if (price < low) low = price
    if (quantity < least) least = quantity
    volume += quantity
    notional += price * quantity
  }
  if (low < 0 || least < 0 || volume > LIMIT) return wideBar(window, prices, quantities, from, to)
  const sum = notional <= LIMIT ? notional : limbSum(prices, quantities, from, to)
  return { start, end, open, high, low, close: prices[to - 1], volume, notional: sum, count: to - from }
}

/** Of factors that are not negative. */
function limbSum(prices: Doubles, quantities: Doubles, from: number, to: number): Exact {
  let high = 0
  let low = 0
  for (let i = from; i < to; i++) {
    const price = prices[i]
    const quantity = quantities[i]
    const p1 = Math.floor(price / TWO_26)
    const p0 = price - p1 * TWO_26
    const q1 = Math.floor(quantity / TWO_26)
    const q0 = quantity - q1 * TWO_26
    if (p1 >= TWO_26 || q1 >= TWO_26) return wideNotional(prices, quantities, from, to)
    const middle = p1 * q0 + p0 * q1
    const carry = Math.floor(middle / TWO_26)
    high += p1 * q1 + carry
    low += p0 * q0
    if (low >= TWO_52) {
      high++
      low -= TWO_52
    }
    low += (middle - carry * TWO_26) * TWO_26
    if (low >= TWO_52) {
      high++
      low -= TWO_52
    }
  }
  return high <= LIMIT ? shrunk((BigInt(high) << 52n) + BigInt(low)) : wideNotional(prices, quantities, from, to)
}

function wideNotional(prices: Values, quantities: Values, from: number, to: number): Exact {
  let sum = 0n
  for (let i = from; i < to; i++) sum += BigInt(prices[i]) * BigInt(quantities[i])
  return shrunk(sum)
}

function wideBar({ start, end }: Window, prices: Values, quantities: Values, from: number, to: number): Bar {
  let high = prices[from]
  let low = high
  let volume = 0n
  for (let i = from; i < to; i++) {
    if (prices[i] > high) high = prices[i]
    if (prices[i] < low) low = prices[i]
    volume += BigInt(quantities[i])
  }
  const notional = wideNotional(prices, quantities, from, to)
  const exact = (value: Exact): Exact => (typeof value === 'bigint' ? shrunk(value) : value)
  return {
    start,
    end,
    open: exact(prices[from]),
    high: exact(high),
    low: exact(low),
    close: exact(prices[to - 1]),
    volume: shrunk(volume),
    notional,
    count: to - from,
  }
}

function withoutLeft({ times, prices, quantities }: TradeRun, left: Values): TradeRun {
  const stays = (_: unknown, row: number) => Number(left[row]) === 0
  const kept = <V extends Values>(values: V) => (values as unknown as { filter: (by: typeof stays) => V }).filter(stays)
  return { times: kept(times), prices: kept(prices), quantities: kept(quantities) }
}
