// A day of 20 M trades of a hundred symbols replayed: all of it in order into column batches, sought in, and at the pace
// it happened. K2_BENCH_ROWS takes fewer.
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { lakeReads } from '../src/main/lake/reads.ts'
import { openPool } from '../src/main/query/pool.ts'
import { nextTimeOf, takeRowsOf } from '../src/main/replay/merge.ts'
import { msUntil, realTicker, shownAt, type Pace } from '../src/main/replay/pace.ts'
import { atTime } from '../src/main/replay/place.ts'
import type { ReadTools, RowSource } from '../src/main/replay/row-source.ts'
import { openReader } from '../src/main/replay/table-reader.ts'
import { localLakeOptions, withLake } from './support/bench-lake.ts'
import { dayWarehouse } from './support/day-warehouse.ts'
import { createRandom, DAY_MICROS, symbolName, TAPE_START_MICROS } from './support/tape.ts'
import { spread, timesOf } from './support/timing.ts'
import type { Figure } from './figure.ts'

const ROWS = Number(process.env.K2_BENCH_ROWS ?? 20_000_000)
const COLUMNS = [
  'exchange_timestamp',
  'price',
  'quantity',
  'source_sequence',
  '_offset',
  '_partition',
  'symbol',
  'side',
]
const HOUR_MICROS = 3600e6
const HOURS = 8
const BATCH = 10_000
const SEEKS = 20
const PACED_MS = 5_000
const DAY = { fromMicros: TAPE_START_MICROS, toMicros: TAPE_START_MICROS + DAY_MICROS }

export async function run(): Promise<Figure[]> {
  const { folder } = dayWarehouse(ROWS)
  return withLake(localLakeOptions(folder), async lake => {
    const tempFolder = join(folder, 'spill', 'queries')
    const pool = await openPool({ size: 5, timeoutMs: 60_000, memoryMb: 1024, tempFolder })
    try {
      const tools = { reads: lakeReads(lake), pool }
      const at = await tools.reads.at('trades')
      const source: RowSource = { table: 'trades', at, order: 'event', instruments: {}, columns: COLUMNS }
      const some = Array.from({ length: 20 }, (_, k) => symbolName(5 * k))
      return [
        ...(await measureAll(tools, source)),
        await measureSeek(tools, { ...source, instruments: { symbols: some } }, '20 symbols', '≤ 30 ms'),
        await measureSeek(tools, source, '100 symbols', '≤ 80 ms'),
        await measurePace(tools, source),
      ]
    } finally {
      await pool.close()
    }
  })
}

async function measureAll(tools: ReadTools, source: RowSource): Promise<Figure[]> {
  const range = { fromMicros: DAY.fromMicros, toMicros: DAY.fromMicros + HOURS * HOUR_MICROS }
  const reader = await openReader(tools, { source, range })
  let [rows, batches, residentMb, last] = [0, 0, 0, -Infinity]
  const started = performance.now()
  const before = process.cpuUsage()
  for (;;) {
    const taken = await takeRowsOf([reader], { direction: 1, limit: BATCH })
    if (!taken) break
    if (taken.firstMicros < last) throw new Error('The rows do not come in order.')
    last = taken.lastMicros
    rows += taken.count
    // Not of every batch: asking takes up to a millisecond.
    if (batches++ % 20 === 0) residentMb = Math.max(residentMb, process.memoryUsage.rss() / 1e6)
    await setImmediate()
  }
  const elapsedMs = performance.now() - started
  const { user, system } = process.cpuUsage(before)
  reader.close()
  const what = `replay of ${HOURS} hours, ${COLUMNS.length} columns, batches of ${BATCH.toLocaleString('en')}`
  const cpuMs = (user + system) / 1000
  return [
    {
      name: what,
      value: (rows / elapsedMs) * 1000,
      unit: 'rows/s',
      target: '≥ 3,000,000',
      detail: `${rows.toLocaleString('en')} rows; ${Math.round((rows / cpuMs) * 1000).toLocaleString('en')} a second of processor time`,
    },
    { name: `${what}: resident memory at the most`, value: residentMb, unit: 'MB', target: '≤ 700 MB' },
  ]
}

/** To the first thousand rows of any instant. */
async function measureSeek(tools: ReadTools, source: RowSource, what: string, target: string): Promise<Figure> {
  const random = createRandom(7)
  const reader = await openReader(tools, { source, range: DAY, firstRows: 1_000, readsAhead: false })
  const elapsed: number[] = []
  const cpuMs: number[] = []
  for (let seek = 0; seek < SEEKS; seek++) {
    const micros = DAY.fromMicros + Math.floor(random() * 23 * HOUR_MICROS)
    const started = performance.now()
    const before = process.cpuUsage()
    reader.seek(atTime(micros))
    for (let rows = 0; rows < 1_000;) {
      const taken = await takeRowsOf([reader], { direction: 1, limit: 1_000 - rows })
      if (!taken) break
      rows += taken.count
    }
    const { user, system } = process.cpuUsage(before)
    elapsed.push(performance.now() - started)
    cpuMs.push((user + system) / 1000)
  }
  const times = timesOf(elapsed.slice(5))
  const detail = `${spread(times)}; processor time ${timesOf(cpuMs.slice(5)).p50.toFixed(0)} ms`
  return { name: `seek to the next 1,000 rows, ${what}, p50`, value: times.p50, unit: 'ms', target, detail }
}

/** How late rows come at the speed at which they happened, some 230 a second. */
async function measurePace(tools: ReadTools, source: RowSource): Promise<Figure> {
  const readers = [await openReader(tools, { source, range: DAY })]
  readers[0].seek(atTime(DAY.fromMicros + 9 * HOUR_MICROS))
  const first = (await nextTimeOf(readers, 1))!
  const pace: Pace = { atMs: realTicker.nowMs(), micros: first, speed: 1, direction: 1 }
  const never = new AbortController().signal
  const late: number[] = []
  while (realTicker.nowMs() - pace.atMs < PACED_MS) {
    const next = (await nextTimeOf(readers, 1))!
    await realTicker.wait(Math.max(0, msUntil(pace, next, realTicker.nowMs())), never)
    const toMicros = Math.max(next, shownAt(pace, realTicker.nowMs())) + 1
    await takeRowsOf(readers, { direction: 1, limit: BATCH, toMicros })
    late.push(-msUntil(pace, next, realTicker.nowMs()))
  }
  readers[0].close()
  const times = timesOf(late)
  return { name: 'rows at 1×: late by, p99', value: times.p99, unit: 'ms', target: '≤ 20 ms', detail: spread(times) }
}
