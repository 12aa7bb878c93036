// The search of the as-of join: 200,000 moments against a day of 20 M quote times of a hundred symbols.
import { inForce } from '../src/main/query/asof/in-force.ts'
import { createRandom, DAY_MICROS, TAPE_SYMBOLS } from './support/tape.ts'
import { spread, timeRounds } from './support/timing.ts'
import type { Figure } from './figure.ts'

const QUOTES = Number(process.env.K2_BENCH_ROWS ?? 20_000_000)
const TRADES = 200_000

export async function run(): Promise<Figure[]> {
  const random = createRandom(7)
  const ascending = (count: number) =>
    Float64Array.from({ length: count }, () => Math.floor(random() * DAY_MICROS)).sort()
  const symbols = Array.from({ length: TAPE_SYMBOLS }, () => ({
    trades: ascending(TRADES / TAPE_SYMBOLS),
    quotes: ascending(QUOTES / TAPE_SYMBOLS),
  }))
  const times = await timeRounds(15, () => symbols.map(({ trades, quotes }) => inForce(trades, quotes)))
  const name = `${TRADES / 1000} k trades with the quote in force of ${QUOTES / 1e6} M: decoded columns, p50`
  return [{ name, value: times.p50, unit: 'ms', target: '≤ 40', detail: spread(times) }]
}
