import { expect, it } from 'vitest'
import { Failure } from '../../src/contract/failure.ts'
import type { WriterStatus } from '../../src/contract/writer.ts'
import { listDependencies, whyNotWritten, type DependencyParts } from '../../src/main/dependencies.ts'
import { systemHandlers } from '../../src/main/system-handlers.ts'
import { plainHandlers } from '../support/plain-handlers.ts'
import { plainWriter } from '../support/plain-stream.ts'

const context = { signal: new AbortController().signal, correlationId: 'test', door: 'direct' } as const
const away = 'Kafka at 127.0.0.1:9092 cannot be reached: connect ECONNREFUSED 127.0.0.1:9092.'
const stopped = { name: 'kafka', state: 'open', failures: 5, why: away } as const

interface Asked {
  parts?: Partial<DependencyParts>
  status?: WriterStatus
  tailTrouble?: string
  askLog?: () => Promise<object>
  askRegistry?: (signal: AbortSignal) => Promise<object>
}

const well = () => Promise.resolve({})

async function health({ parts, status = plainWriter, tailTrouble, askLog = well, askRegistry = well }: Asked) {
  const { tail } = await plainHandlers()['stats.get']({}, context)
  const trades = tailTrouble === undefined ? tail.trades : { ...tail.trades, is_running: false, trouble: tailTrouble }
  const engine = (client: object) => () => Promise.resolve(client as never)
  const handlers = systemHandlers({
    version: '0',
    environment: 'test',
    messageLog: 'kafka',
    describeConfig: () => [],
    ownVitals: () => ({ pid: 1, residentMb: 1, loopDelayP99Ms: 1 }),
    tailStats: () => Promise.resolve(tail as never),
    tableStats: () => Promise.resolve([]),
    engines: [],
    healthTimeoutMs: 300,
    dependencies: listDependencies({
      live: engine({ 'log.topics': askLog, 'tail.stats': () => Promise.resolve({ trades, quotes: tail.quotes }) }),
      history: engine({ 'lake.probe': well }),
      writer: engine({
        'registry.probe': (_: object, { signal }: { signal: AbortSignal }) => askRegistry(signal),
        'ingest.status': () => Promise.resolve(status),
      }),
      hasKafka: true,
      hasRegistry: true,
      isRunning: true,
      ...parts,
    }),
  })
  const { status: said, dependencies } = await handlers['system.health']({}, context)
  return { said, whys: Object.fromEntries(dependencies.map(({ name, why }) => [name, why])), dependencies }
}

it('is healthy when log, registry, tables, tail and writer are', async () => {
  const { said, dependencies } = await health({})
  expect(said).toBe('healthy')
  expect(dependencies.map(({ name }) => name)).toEqual(['log', 'registry', 'lake', 'tail', 'writer'])
  for (const { latency_ms } of dependencies) expect(latency_ms).toBeGreaterThanOrEqual(0)
})

it('says of each what is wrong when the broker is away', async () => {
  const { said, whys } = await health({
    askLog: () => Promise.reject(new Failure('UNAVAILABLE', away)),
    tailTrouble: away,
    status: { ...plainWriter, state: 'waiting', why: away, breakers: [stopped] },
  })
  expect(said).toBe('unhealthy')
  expect(whys).toEqual({
    log: away,
    registry: null,
    lake: null,
    tail: `The tail of trades is not reading. ${away}`,
    writer: away,
  })
})

it('answers although a dependency does not', async () => {
  const { whys, dependencies } = await health({
    askRegistry: signal =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('gone')))),
  })
  expect(whys).toMatchObject({ registry: 'It did not answer within 0.3 s.', log: null })
  expect(dependencies.find(({ name }) => name === 'registry')).toMatchObject({ healthy: false, latency_ms: null })
})

it('looks after the servers alone where nothing runs', async () => {
  const { said, whys } = await health({ parts: { isRunning: false, hasRegistry: false } })
  expect(said).toBe('healthy')
  expect(whys).toEqual({ log: null, lake: null })
  const embedded = await health({ parts: { isRunning: false, hasKafka: false, hasRegistry: false } })
  expect(embedded.whys).toEqual({ lake: null })
})

it.each<[string, Partial<WriterStatus>, string | null]>([
  ['waits for a topic that is not there yet', { state: 'waiting', why: 'There is no topic yet.' }, null],
  ['leaves the tables to another one', { state: 'following', why: 'desk-2 writes.' }, null],
  ['is not to write', { state: 'off', why: 'K2_WRITER is off.' }, null],
  [
    'waits for a server',
    { state: 'waiting', why: 'The catalog is away.', breakers: [stopped] },
    'The catalog is away.',
  ],
  ['was stopped by a log that is another one', { state: 'stopped', why: 'LOG_RESET' }, 'LOG_RESET'],
  ['halted at a gap', { state: 'halted', why: 'A gap of 200.' }, 'A gap of 200.'],
  ['ended without a word', { state: 'stopped', why: null }, 'It is stopped.'],
])('judges a writer that %s', (_, status, why) => {
  expect(whyNotWritten({ ...plainWriter, ...status })).toBe(why)
})

it('gives the statistics of the tail also while the other engines are being started', async () => {
  const { tail } = await plainHandlers()['stats.get']({}, context)
  const never = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('gone'))))
  const vitals = { pid: -1, residentMb: 1, loopDelayP99Ms: 1 }
  const handlers = systemHandlers({
    version: '0',
    environment: 'test',
    messageLog: 'embedded',
    describeConfig: () => [],
    ownVitals: () => vitals,
    tailStats: () => Promise.resolve(tail as never),
    tableStats: never,
    writerStatus: never,
    engines: [
      { name: 'live', vitals: () => Promise.resolve(vitals), restarts: () => 0 },
      { name: 'writer', vitals: never, restarts: () => 1 },
    ],
    healthTimeoutMs: 300,
    dependencies: [],
  })
  const stats = await handlers['stats.get']({}, context)
  expect(stats).toMatchObject({ tail, tables: null, writer: null })
  expect(stats.processes.map(({ name }) => name)).toEqual(['main', 'live'])
})
