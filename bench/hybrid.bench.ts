// The newest rows of one instrument from tables and log together, while commits of five seconds go on and nothing is
// compacted: how long an answer takes, whole and in parts, beside the same rows from the tables alone.
import { join } from 'node:path'
import type { ColumnBatch } from '../src/contract/columns.ts'
import { TABLES } from '../src/contract/tables.ts'
import type { Clock } from '../src/main/base/clock.ts'
import { rowsToJson } from '../src/main/base/rows-to-json.ts'
import { commitChange } from '../src/main/lake/commit/commit-change.ts'
import type { Lake } from '../src/main/lake/lake.ts'
import { lakeReads } from '../src/main/lake/reads.ts'
import { stageBatches } from '../src/main/lake/write/stage-batches.ts'
import type { OffsetVector } from '../src/main/market/topic-offsets.ts'
import { createHybrid } from '../src/main/query/hybrid/read-hybrid.ts'
import { readNewest } from '../src/main/query/hybrid/lake-window.ts'
import { openPool } from '../src/main/query/pool.ts'
import type { QueryTools } from '../src/main/query/tools.ts'
import { tailContract } from '../src/main/tail/relay-contract.ts'
import { relayTailHandlers } from '../src/main/tail/relay-handlers.ts'
import { createTail, type Tail } from '../src/main/tail/tail.ts'
import { connectDirect } from '../src/main/wire/direct.ts'
import { createDispatch } from '../src/main/wire/dispatch.ts'
import { logBatch, type SampleRow } from '../tests/support/market-messages.ts'
import { inTempFolder, localLakeOptions, withLake } from './support/bench-lake.ts'
import { elapsedMsOf, spread, timesOf } from './support/timing.ts'
import type { Figure } from './figure.ts'

const SYMBOLS = 100
const ROWS_A_SECOND = 231
const COMMIT_SECONDS = 5
const ROWS_A_COMMIT = ROWS_A_SECOND * COMMIT_SECONDS
/** What the window of fifteen minutes lies in. */
const COMMITS_BEFORE = 180
const COMMITS_MEANWHILE = 12
const ANSWERS_A_COMMIT = 50
const LIMIT = 1_000
const WINDOW_MICROS = 900e6
const LIFE = { cluster: 'bench', epoch: '0', topic: 'market.equities.trades.asx' }
const POOL = { size: 2, timeoutMs: 30_000, memoryMb: 256 }

export function run(): Promise<Figure[]> {
  return inTempFolder(folder =>
    withLake(localLakeOptions(folder), async lake => {
      const pool = await openPool({ ...POOL, tempFolder: join(folder, 'queries') })
      const market = openMarket(lake)
      try {
        for (let i = 0; i < COMMITS_BEFORE; i++) await market.goOn()
        return await measure(lake, market, { reads: lakeReads(lake), pool, live: market.live, clock: market.clock })
      } finally {
        market.tail.close()
        await pool.close()
      }
    }),
  )
}

interface Market {
  clock: Clock
  tail: Tail
  live: QueryTools['live']
  /** Five seconds more, in the log, the tail and the table. */
  goOn: () => Promise<void>
}

function openMarket(lake: Lake): Market {
  let micros = Date.now() * 1000
  let written = 0
  let seed = 2026
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
  const clock: Clock = { nowMicros: () => micros, nowMs: () => Math.floor(micros / 1000) }
  const newTail = (minutes: number) =>
    createTail({ dataType: 'trades', minutes, maxPerSymbol: 10_000, maxMegabytes: 128, clock })
  const tail = newTail(5)
  tail.begin(LIFE, new Map([[0, { offset: 0, isEarliest: true }]]))
  const dispatch = createDispatch(
    tailContract,
    relayTailHandlers({
      tails: { trades: tail, quotes: tail },
      isRunning: () => true,
      caughtUp: () => Promise.resolve(true),
    }),
  )
  const client = connectDirect(tailContract, dispatch)
  const upTo = (offset: number): OffsetVector => [{ ...LIFE, next: { 0: offset } }]

  function rowAt(i: number): SampleRow {
    const at = micros + Math.floor((i / ROWS_A_SECOND) * 1e6)
    const price = 3_600_000_000 + Math.floor(random() * 1000) * 1_000_000
    const symbol = symbolName(Math.floor(random() * SYMBOLS))
    return { symbol, id: 10_000_000 + written + i, micros: at, sequence: written + i, price }
  }

  return {
    clock,
    tail,
    live: () => Promise.resolve(client),
    async goOn() {
      const rows = Array.from({ length: ROWS_A_COMMIT }, (_, i) => rowAt(i))
      const batch = logBatch('trades', rows, { topic: LIFE.topic, offset: written })
      tail.append(batch)
      const decoder = newTail(1e6)
      decoder.append(batch)
      const columns = decoder.rowsFrom([], decoder.pin(), {}, rows.length).rows
      decoder.close()
      micros += COMMIT_SECONDS * 1e6
      await commit(lake, columns, { from: written === 0 ? [] : upTo(written), to: upTo(written + rows.length) })
      written += rows.length
      tail.noteCommitted(upTo(written))
      tail.trim()
    },
  }
}

const symbolName = (k: number) => `S${String(k).padStart(3, '0')}`

async function commit(
  lake: Lake,
  batch: ColumnBatch,
  offsets: { from: OffsetVector; to: OffsetVector },
): Promise<void> {
  const table = lake.table('trades')
  const { metadata } = await table.known()
  const connection = await lake.duck.connect()
  try {
    const parts = { connection, io: lake.io, metadata, specId: 0, spec: TABLES.trades, batches: [batch] }
    await commitChange(table, { operation: 'append', added: await stageBatches(parts), offsets })
  } finally {
    connection.closeSync()
  }
}

async function measure(lake: Lake, market: Market, tools: QueryTools): Promise<Figure[]> {
  const readHybrid = createHybrid(tools)
  const questionOf = (k: number) => {
    const sinceMicros = market.clock.nowMicros() - WINDOW_MICROS
    return { table: 'trades' as const, symbols: [symbolName(k % SYMBOLS)], exchange: 'ASX', sinceMicros, limit: LIMIT }
  }
  const answer = async (k: number) => {
    const { data, query } = await readHybrid(questionOf(k))
    if (data.rowCount < LIMIT || query.partial) throw new Error(`answered ${data.rowCount} rows, ${query.why}`)
    return rowsToJson(data)
  }
  const first: number[] = []
  for (let k = 0; k < SYMBOLS; k++) first.push(await elapsedMsOf(() => answer(k)))

  const meanwhile: number[] = []
  let cpuMs = 0
  for (let i = 0; i < COMMITS_MEANWHILE; i++) {
    await market.goOn()
    const before = process.cpuUsage()
    for (let k = 0; k < ANSWERS_A_COMMIT; k++) meanwhile.push(await elapsedMsOf(() => answer(37 * k + i)))
    const { user, system } = process.cpuUsage(before)
    cpuMs += (user + system) / 1000
  }

  const alone: number[] = []
  for (let k = 0; k < 20; k++) {
    const at = await tools.reads.at('trades')
    alone.push(await elapsedMsOf(async () => rowsToJson((await readNewest(tools, at, questionOf(37 * k))).rows)))
  }
  const what = `${LIMIT} rows of 15 minutes, all columns, as JSON`
  return [
    {
      name: `${what}, while commits go on`,
      value: timesOf(meanwhile).p50,
      unit: 'ms',
      target: 'p50 ≤ 5 ms, p99 ≤ 25 ms, ≤ 1.2 × the tables alone',
      detail: spread(timesOf(meanwhile)),
    },
    { name: 'processor time of such an answer', value: cpuMs / meanwhile.length, unit: 'ms' },
    {
      name: 'the first time of a symbol, of which nothing is held',
      value: timesOf(first).p50,
      unit: 'ms',
      detail: spread(timesOf(first)),
    },
    {
      name: `the same from the tables alone, of ${COMMITS_BEFORE + COMMITS_MEANWHILE} commits`,
      value: timesOf(alone).p50,
      unit: 'ms',
      detail: spread(timesOf(alone)),
    },
  ]
}
