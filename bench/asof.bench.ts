// The as-of join: 200,000 moments against a day of 20 M quotes of a hundred symbols, the search alone and with the quotes
// read from Parquet. The day warehouse has trades only; their times and prices stand for the quotes'.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeColumn } from '../src/contract/take-rows.ts'
import { lakeReads } from '../src/main/lake/reads.ts'
import { inForce } from '../src/main/query/asof/in-force.ts'
import { createBlocks } from '../src/main/query/blocks/blocks.ts'
import { openPool } from '../src/main/query/pool.ts'
import { localLakeOptions, withLake } from './support/bench-lake.ts'
import { dayWarehouse } from './support/day-warehouse.ts'
import { createRandom, DAY_MICROS, symbolName, TAPE_START_MICROS, TAPE_SYMBOLS } from './support/tape.ts'
import { spread, timeRounds, type Times } from './support/timing.ts'
import type { Figure } from './figure.ts'

const QUOTES = Number(process.env.K2_BENCH_ROWS ?? 20_000_000)
const TRADES = 200_000

export async function run(): Promise<Figure[]> {
  const random = createRandom(7)
  const ascending = (count: number) =>
    Float64Array.from({ length: count }, () => TAPE_START_MICROS + Math.floor(random() * DAY_MICROS)).sort()
  const symbols = Array.from({ length: TAPE_SYMBOLS }, () => ({
    trades: ascending(TRADES / TAPE_SYMBOLS),
    quotes: ascending(QUOTES / TAPE_SYMBOLS),
  }))
  const decoded = await timeRounds(15, () => symbols.map(({ trades, quotes }) => inForce(trades, quotes)))
  const read = await timeFromParquet(symbols.map(({ trades }) => trades))
  const name = `${TRADES / 1000} k trades with the quote in force of ${QUOTES / 1e6} M`
  return [
    { name: `${name}: decoded columns, p50`, value: decoded.p50, unit: 'ms', target: '≤ 40', detail: spread(decoded) },
    { name: `${name}: from Parquet, p50`, value: read.p50, unit: 'ms', target: '≤ 600', detail: spread(read) },
  ]
}

/** All symbols are asked for together, of blocks that hold nothing yet. */
function timeFromParquet(trades: readonly Float64Array[]): Promise<Times> {
  return withLake(localLakeOptions(dayWarehouse(QUOTES).folder), async lake => {
    const reads = lakeReads(lake)
    const folder = mkdtempSync(join(tmpdir(), 'k2-bench-'))
    const pool = await openPool({ size: 5, timeoutMs: 60_000, memoryMb: 1000, tempFolder: join(folder, 'spill') })
    const at = await reads.at('trades')
    try {
      return await timeRounds(3, () => {
        const blocks = createBlocks({ reads, pool, maxBytes: 1e9 })
        return Promise.all(
          trades.map(async (times, k) => {
            const { runs } = await blocks.read({ at, symbol: symbolName(k), exchange: 'ASX', columns: ['price'] })
            const { exchange_timestamp: quoteTimes, price } = runs[0].columns
            const found = inForce(times, quoteTimes.values as Float64Array)
            return takeColumn(
              price,
              Uint32Array.from(found, row => Math.max(row, 0)),
            )
          }),
        )
      })
    } finally {
      await pool.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
}
