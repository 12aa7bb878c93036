// What is measured of trades and quotes by window: each takes runs in the total order, one after the other.
import { decimalText, type ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import { OFF_MARKET } from '../blocks/blocks.ts'
import { addExact, divideHalfEven, eightPlaces, PLACES, type Exact } from './exact.ts'
import { createStepIntegral, type Integral } from './step-integral.ts'
import type { WindowAt } from './windows.ts'

const MOST_LEVELS = 10_000

const timesOf = ({ columns }: ColumnBatch) => columns.exchange_timestamp.values as Float64Array
const isLeft = ({ columns }: ColumnBatch, row: number) =>
  OFF_MARKET in columns && Number(columns[OFF_MARKET].values[row]) === 1

const text = (value: Exact) => decimalText(value, PLACES)

/** The last price until the next; `from` is where the range begins, from which a price before it is carried in. */
export function measureTwap(windowAt: WindowAt, from: number | undefined) {
  const integral = createStepIntegral(windowAt)
  return {
    take: (run: ColumnBatch) => {
      const times = timesOf(run)
      for (let row = 0; row < run.rowCount; row++)
        if (!isLeft(run, row))
          integral.step(Math.max(times[row], from ?? -Infinity), [eightPlaces(run.columns.price, row)])
    },
    finish: integral.finish,
    of(windowStart: number): string | null {
      const found = integral.at(windowStart)
      return found ? text(divideHalfEven(found.sums[0], found.micros, 0)) : null
    },
  }
}

interface Level {
  volume: Exact
  count: number
}

/** Volume and trades at each price. */
export function measureProfile(windowAt: WindowAt) {
  const windows = new Map<number, Map<Exact, Level>>()
  return {
    take: (run: ColumnBatch) => {
      const times = timesOf(run)
      const { price, quantity } = run.columns
      for (let row = 0; row < run.rowCount; row++) {
        if (isLeft(run, row)) continue
        const { start } = windowAt(times[row])
        let levels = windows.get(start)
        if (!levels) windows.set(start, (levels = new Map<Exact, Level>()))
        const key = eightPlaces(price, row)
        const level = levels.get(key)
        const volume = eightPlaces(quantity, row)
        if (!level) levels.set(key, { volume, count: 1 })
        else {
          level.volume = addExact(level.volume, volume)
          level.count++
        }
        if (levels.size > MOST_LEVELS) throw tooManyLevels()
      }
    },
    of(windowStart: number) {
      const levels = [...(windows.get(windowStart) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
      return levels.map(([price, { volume, count }]) => ({
        price: text(price),
        volume: text(volume),
        trade_count: count,
      }))
    },
  }
}

function tooManyLevels(): Failure {
  const what = `A window has more than ${MOST_LEVELS} prices; nothing was answered.`
  return new Failure('PAYLOAD_TOO_LARGE', `${what} Ask for shorter windows, or for the bars instead.`)
}

/** Imbalances are summed as whole numbers: rounded to a quarter of a billionth. */
const IMBALANCE_UNITS = 2 ** 32

interface Spreads {
  quotes: number
  least: Exact | undefined
  greatest: Exact | undefined
}

/** Of quotes with both sides, each for as long as it stood. One with a side of null ends the one before. */
export function measureSpread(windowAt: WindowAt, from: number | undefined) {
  const integral = createStepIntegral(windowAt)
  const windows = new Map<number, Spreads>()
  return {
    take: (run: ColumnBatch) => {
      const times = timesOf(run)
      for (let row = 0; row < run.rowCount; row++) {
        const at = Math.max(times[row], from ?? -Infinity)
        const sides = sidesOf(run, row)
        integral.step(at, sides && [sides.spread, sides.doubleMid, sides.imbalance])
        if (times[row] !== at) continue // was carried in
        const { start } = windowAt(at)
        let found = windows.get(start)
        if (!found) windows.set(start, (found = { quotes: 0, least: undefined, greatest: undefined }))
        found.quotes++
        if (sides && !(found.least !== undefined && found.least <= sides.spread)) found.least = sides.spread
        if (sides && !(found.greatest !== undefined && found.greatest >= sides.spread)) found.greatest = sides.spread
      }
    },
    finish: integral.finish,
    starts: () => windows.keys(),
    of(windowStart: number) {
      const { quotes, least, greatest } = windows.get(windowStart) ?? { quotes: 0 }
      const found = integral.at(windowStart)
      return {
        quotes,
        two_sided_seconds: (found?.micros ?? 0) / 1e6,
        average: found ? text(divideHalfEven(found.sums[0], found.micros, 0)) : null,
        least: least === undefined ? null : text(least),
        greatest: greatest === undefined ? null : text(greatest),
        mid: found ? text(divideHalfEven(found.sums[1], found.micros * 2, 0)) : null,
        imbalance: found ? averageImbalance(found) : null,
      }
    },
  }
}

function averageImbalance({ sums, micros }: Integral): number {
  return Number((Number(sums[2]) / micros / IMBALANCE_UNITS).toFixed(8))
}

function sidesOf({ columns }: ColumnBatch, row: number) {
  const { bid_price, ask_price, bid_quantity, ask_quantity } = columns
  if (bid_price.nulls?.[row] || ask_price.nulls?.[row]) return undefined
  const bid = eightPlaces(bid_price, row)
  const ask = eightPlaces(ask_price, row)
  const bidSize = bid_quantity.nulls?.[row] ? 0 : Number(eightPlaces(bid_quantity, row))
  const askSize = ask_quantity.nulls?.[row] ? 0 : Number(eightPlaces(ask_quantity, row))
  const both = bidSize + askSize
  const imbalance = both > 0 ? Math.round(((bidSize - askSize) / both) * IMBALANCE_UNITS) : 0
  return { spread: addExact(ask, negated(bid)), doubleMid: addExact(bid, ask), imbalance }
}

function negated(value: Exact): Exact {
  return -value
}
