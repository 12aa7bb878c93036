// Minute bars with exact VWAP, and a symbol's hour and day, out of decoded blocks and from Parquet: a day of 20 M trades of
// a hundred symbols. K2_BENCH_ROWS takes fewer.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lakeReads } from '../src/main/lake/reads.ts'
import { vwapOf } from '../src/main/query/bars/bars-batch.ts'
import { readBars } from '../src/main/query/bars/read-bars.ts'
import { windowsOf, type WindowAt } from '../src/main/query/bars/windows.ts'
import { createBlocks } from '../src/main/query/blocks/blocks.ts'
import { openPool } from '../src/main/query/pool.ts'
import { localLakeOptions, withLake } from './support/bench-lake.ts'
import { dayWarehouse } from './support/day-warehouse.ts'
import { symbolName, TAPE_START_MICROS, TAPE_SYMBOLS } from './support/tape.ts'
import { spread, timeRounds, type Times } from './support/timing.ts'
import type { Figure } from './figure.ts'

const ROWS = Number(process.env.K2_BENCH_ROWS ?? 20_000_000)
const HOUR = 3_600e6

export async function run(): Promise<Figure[]> {
  return withLake(localLakeOptions(dayWarehouse(ROWS).folder), async lake => {
    const reads = lakeReads(lake)
    const folder = mkdtempSync(join(tmpdir(), 'k2-bench-'))
    const pool = await openPool({ size: 5, timeoutMs: 60_000, memoryMb: 1000, tempFolder: join(folder, 'spill') })
    const at = await reads.at('trades')
    const open = () => createBlocks({ reads, pool, maxBytes: 1e9 })
    let blocks = open()
    const minuteAt = windowsOf('1m', 'UTC')
    // Bars are kept by how long their windows are; of windows that do not say it, rows are summed each time.
    const summed: WindowAt = micros => minuteAt(micros)
    const barsOf = async (symbol: string, windowAt = minuteAt) => {
      const question = { at, symbol, exchange: 'ASX', isOnMarket: false }
      const { bars, priceScale } = await readBars({ reads, blocks }, question, { windowAt, limit: 2000 })
      return bars.map(bar => vwapOf(bar, priceScale)).length
    }
    const allBars = (windowAt = minuteAt) =>
      Promise.all(Array.from({ length: TAPE_SYMBOLS }, (_, k) => barsOf(symbolName(k), windowAt)))
    const rowsOf = (symbol: string, length?: number) =>
      blocks.read({
        ...{ at, symbol, exchange: 'ASX', columns: ['price', 'quantity'] },
        ...(length && { startMicros: TAPE_START_MICROS + 5 * HOUR, endMicros: TAPE_START_MICROS + 5 * HOUR + length }),
      })
    try {
      await barsOf(symbolName(50))
      const oneNew = await timeRounds(12, round => barsOf(symbolName(round)))
      const oneSummed = await timeRounds(40, round => barsOf(symbolName(round % 12), summed))
      const oneWarm = await timeRounds(40, round => barsOf(symbolName(round % 12)))
      // So that every file has been opened once.
      for (let k = 12; k < 50; k++) await barsOf(symbolName(k))
      const oneCold = await timeRounds(24, round => barsOf(symbolName(51 + round)))
      const hour = await timeRounds(40, round => rowsOf(symbolName(round % 12), HOUR))
      const day = await timeRounds(40, round => rowsOf(symbolName(round % 12)))
      const allCold = await timeRounds(3, () => {
        blocks = open()
        return allBars()
      })
      const allSummed = await timeRounds(9, () => allBars(summed))
      const allWarm = await timeRounds(9, () => allBars())
      const figure = (name: string, times: Times, target?: string): Figure => {
        return { name, value: times.p50, unit: 'ms', target, detail: spread(times) }
      }
      return [
        figure('minute bars with exact VWAP, 1 symbol: from Parquet, p50', oneCold, '≤ 25'),
        figure('minute bars with exact VWAP, 1 symbol: from Parquet, mostly of files not opened before, p50', oneNew),
        figure('minute bars with exact VWAP, 1 symbol: decoded, summed anew, p50', oneSummed, '≤ 2'),
        figure('minute bars with exact VWAP, 1 symbol: asked for again, p50', oneWarm, '≤ 2'),
        figure('minute bars with exact VWAP, 100 symbols: from Parquet, p50', allCold, '≤ 900'),
        figure('minute bars with exact VWAP, 100 symbols: decoded, summed anew, p50', allSummed, '≤ 100'),
        figure('minute bars with exact VWAP, 100 symbols: asked for again, p50', allWarm, '≤ 100'),
        figure("a symbol's hour as a view: cached, p50", hour, '≤ 1'),
        figure("a symbol's day as a view: cached, p50", day, '≤ 1'),
      ]
    } finally {
      await pool.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
}
