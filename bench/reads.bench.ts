// The newest hundred trades out of a day of 20 M of a hundred symbols: read from the files each time, and given again
// from what was read before; over REST, from one client and from fifty; and the first question of a fresh process.
// K2_BENCH_ROWS takes fewer.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { reads as readsContract } from '../src/contract/reads.ts'
import { systemClock } from '../src/main/base/clock.ts'
import { lakeReads } from '../src/main/lake/reads.ts'
import { openPool } from '../src/main/query/pool.ts'
import { readHandlers } from '../src/main/query/reads/handlers.ts'
import { readAgain } from '../src/main/read-again.ts'
import { createDispatch } from '../src/main/wire/dispatch.ts'
import { createPlainServer } from '../tests/support/plain-server.ts'
import { inTempFolder, localLakeOptions, withLake } from './support/bench-lake.ts'
import { dayWarehouse } from './support/day-warehouse.ts'
import { firstAnswer, type FirstAnswer } from './support/first-answer.ts'
import { symbolName, TAPE_SYMBOLS } from './support/tape.ts'
import { loadAverage } from './support/process-cost.ts'
import { short, spread, timeRounds, timesOf, type Times } from './support/timing.ts'
import type { Figure } from './figure.ts'

const ROWS = Number(process.env.K2_BENCH_ROWS ?? 20_000_000)
const ROUNDS = 30
const LOAD_SECONDS = 4
const FIRST_ROUNDS = 5
const KEY = 'a key of the benchmark'

type Handlers = ReturnType<typeof readHandlers>
type Input = Partial<Parameters<Handlers['trades.list']>[0]>

export function run(): Promise<Figure[]> {
  return inTempFolder(folder =>
    withLake(localLakeOptions(dayWarehouse(ROWS).folder), async lake => {
      const pool = await openPool({ size: 5, timeoutMs: 60_000, memoryMb: 512, tempFolder: join(folder, 'queries') })
      const reads = lakeReads(lake)
      const tools = { reads, pool, clock: systemClock, live: () => Promise.reject(new Error('no live view')) }
      const cursorKey = Buffer.alloc(32)
      try {
        const [uncached, cached] = [0, undefined].map(cacheBytes => readHandlers(tools, { cursorKey, cacheBytes }))
        const version = async () => ({ snapshot_id: (await reads.at('trades')).snapshotId ?? null })
        const handlers = { ...cached, ...readAgain({ ...cached, 'reads.version': version }) }
        return [
          ...(await measure('without a symbol', uncached, cached, () => ({}))),
          ...(await measure('of one symbol', uncached, cached, n => ({ symbol: symbolName(n % TAPE_SYMBOLS) }))),
          ...(await measureRest(handlers)),
          await measureFirst(),
        ]
      } finally {
        await pool.close()
      }
    }),
  )
}

async function measure(
  name: string,
  uncached: Handlers,
  cached: Handlers,
  inputOf: (n: number) => Input,
): Promise<Figure[]> {
  const context = { signal: new AbortController().signal, correlationId: 'bench', door: 'direct' as const }
  const ask = (handlers: Handlers, n: number) =>
    handlers['trades.list']({ order: 'desc', limit: 100, receipt: false, ...inputOf(n) }, context)
  const times: [string, Times][] = [
    ['from the files', await timeRounds(ROUNDS, n => ask(uncached, n))],
    ['given again', (await timeRounds(ROUNDS, n => ask(cached, n)), await timeRounds(ROUNDS, n => ask(cached, n)))],
  ]
  return times.map(([how, of]) => ({
    name: `newest 100 ${name}, ${how}`,
    value: of.p50,
    unit: 'ms',
    detail: `${spread(of)}; load ${loadAverage()}`,
  }))
}

async function measureRest(handlers: Handlers): Promise<Figure[]> {
  const contract = { 'trades.list': readsContract['trades.list'] }
  const server = createPlainServer(contract, createDispatch(contract, handlers), KEY)
  try {
    const { url } = await server.listen()
    const address = `${url}/v1/trades?limit=100`
    await load(address, 1, 1)
    const one = await load(address, 1, LOAD_SECONDS)
    const startedCpu = process.cpuUsage()
    const fifty = await load(address, 50, LOAD_SECONDS)
    const { user, system } = process.cpuUsage(startedCpu)
    const each = (user + system) / 1000 / fifty.elapsedMs.length
    const times = timesOf(one.elapsedMs)
    const detail = `${spread(times)}; load ${loadAverage()}`
    return [
      { name: 'GET 100 rows, one client, p50', value: times.p50, unit: 'ms', target: '≤ 2', detail },
      { name: 'GET 100 rows, one client, p99', value: times.p99, unit: 'ms', target: '≤ 15' },
      {
        name: 'GET 100 rows, 50 clients',
        value: fifty.perSecond,
        unit: 'requests/s',
        target: '≥ 2,500',
        detail: `${each.toFixed(2)} ms of the server's processor time each; load ${loadAverage()}`,
      },
    ]
  } finally {
    await server.close()
  }
}

async function measureFirst(): Promise<Figure> {
  const warehouse = join(dayWarehouse(ROWS).folder, 'warehouse')
  const found: FirstAnswer[] = []
  for (let round = 0; round < FIRST_ROUNDS; round++)
    found.push(await firstAnswer(warehouse, `/v1/trades?symbol=${symbolName(round)}&limit=100`))
  const times = timesOf(found.map(({ ms }) => ms))
  const cpu = timesOf(found.map(({ cpuMs }) => cpuMs))
  return {
    name: 'first question of a fresh process, 100 rows of one symbol, p50',
    value: times.p50,
    unit: 'ms',
    target: '≤ 60',
    detail: `${spread(times)}; processor time p50 ${short(cpu.p50)}; load ${loadAverage()}`,
  }
}

async function load(address: string, clients: number, seconds: number) {
  const script = join(import.meta.dirname, 'support/http-load.mjs')
  const { stdout } = await promisify(execFile)(process.execPath, [script, address, KEY, `${clients}`, `${seconds}`], {
    maxBuffer: 64_000_000,
  })
  return JSON.parse(stdout) as { perSecond: number; elapsedMs: number[] }
}
