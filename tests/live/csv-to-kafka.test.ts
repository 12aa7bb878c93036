// Sources into a real broker: files, the simulated market and an exchange's stream, also while the broker dies and comes back.
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { rowsOf, type Row } from '../../src/contract/columns.ts'
import { ingest, type LoadProgress } from '../../src/contract/ingest.ts'
import { systemClock } from '../../src/main/base/clock.ts'
import type { MessageLog } from '../../src/main/log/message-log.ts'
import { EMBEDDED_SCHEMA_IDS } from '../../src/main/market/avro-schemas.ts'
import { NO_LOG, NO_METRICS } from '../../src/main/sources/binance/observe.ts'
import { runBinanceStream, type StreamTotals } from '../../src/main/sources/binance/stream.ts'
import { openCsv } from '../../src/main/sources/csv/csv-source.ts'
import { startDemoFeed } from '../../src/main/sources/demo/feed.ts'
import { ingestHandlers } from '../../src/main/sources/handlers.ts'
import { TRADES as STREAMED, tradesIn, ascending, idsOf, upTo } from '../main/sources/binance/read-messages.ts'
import { readLog } from '../main/sources/to-log/read-log.ts'
import { startBinanceServer } from '../support/binance-server.ts'
import { companyInfo, LOADED_AT, writeFile } from '../support/csv-files.ts'
import { startKafka, type KafkaBroker } from '../support/kafka-broker.ts'
import { openLog } from '../support/kafka-log.ts'
import { needs } from '../support/needs.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const kafka = needs('kafka')
const TRADES = 'market.equities.trades.asx'
const signal = new AbortController().signal

async function load(log: MessageLog, files: string[], reference?: string): Promise<LoadProgress[]> {
  const handlers = ingestHandlers({
    target: () => Promise.reject(new Error('nothing goes to the lake here')),
    log: async () => ({ log, schemaIdOf: (_, table) => EMBEDDED_SCHEMA_IDS[table] }),
    nowMs: () => LOADED_AT / 1000,
  })
  const input = ingest['ingest.load'].input.parse({ files, reference, exchange: 'ASX', to: 'kafka' })
  const finals: LoadProgress[] = []
  for await (const report of handlers['ingest.load'](input, { signal, correlationId: 'test', door: 'cli' }))
    if (report.state !== 'loading') finals.push(report)
  return finals
}

/** What the lake would be given. */
async function rowsOfFile(file: string): Promise<Row[]> {
  const source = await openCsv(file, { format: 'auto', exchange: 'ASX', loadedAtMicros: LOADED_AT }, signal)
  const rows: Row[] = []
  for await (const { batch } of source.read(signal)) if (batch) rows.push(...rowsOf(batch))
  return rows.map(row => Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('_'))))
}

const idOf = (row: Row) => JSON.stringify(row.message_id)
const byId = (a: Row, b: Row) => (idOf(a) < idOf(b) ? -1 : 1)

function writeTrades(rows: number, from = 0): string {
  const line = (i: number) =>
    `S${i % 97},${1394398867532 + i},${i % 1000}.${String(i % 100_000_000).padStart(8, '0')},${i + 1},BUY,${i},N${i}\n`
  const header = 'symbol,exchange_timestamp,price,quantity,side,sequence_number,trade_id\n'
  return writeFile('trades.csv', header + Array.from({ length: rows }, (_, i) => line(from + i)).join(''))
}

describe.skipIf(kafka.skip)(`sources into Kafka${kafka.because}`, () => {
  let broker: KafkaBroker
  beforeAll(async () => {
    broker = await startKafka()
  })
  afterAll(() => broker.close())

  async function restartAfter(ms: number): Promise<void> {
    await broker.stop()
    await setTimeout(ms)
    await broker.restart()
  }

  it('load files exactly, each symbol in order', async () => {
    const log = openLog(broker.bootstrap)
    const file = writeTrades(50_000)
    const [loaded] = await load(log, [file])
    expect(loaded).toMatchObject({ state: 'loaded', rows: 50_000, bad_rows: 0 })
    const logged = await readLog(log, 'trades', [TRADES])
    const rows = await rowsOfFile(file)
    expect(logged.map(({ row }) => row).sort(byId)).toEqual(rows.sort(byId))
    for (const symbol of ['S0', 'S50']) {
      const sequences = logged.filter(({ key }) => key === symbol).map(({ row }) => Number(row.source_sequence))
      expect(sequences).toEqual(ascending(sequences))
    }
    expect(await log.ranges(TRADES)).toHaveLength(30)
  })

  it('load reference data into a topic that keeps the newest of each company', async () => {
    const log = openLog(broker.bootstrap)
    const topic = 'market.equities.reference_data.asx'
    await load(log, [writeFile('company_info.csv', companyInfo)])
    const logged = await readLog(log, 'reference_data', [topic])
    expect(logged.map(({ key, row }) => [key, row.symbol])).toEqual([
      ['7078', 'BHP'],
      ['7458', 'RIO'],
      ['55', 'OLD'],
      ['55', 'NEW'],
    ])
    expect(await log.ranges(topic)).toHaveLength(1)
  })

  it('load a file whole though the broker is killed meanwhile, without a row twice', async () => {
    const log = openLog(broker.bootstrap)
    const before = (await readLog(log, 'trades', [TRADES])).length
    const file = writeTrades(150_000, 1_000_000)
    let appends = 0
    let restarting: Promise<void> | undefined
    const watched: MessageLog = {
      ...log,
      append(topic, messages) {
        if (++appends === 5) restarting = restartAfter(500)
        return log.append(topic, messages)
      },
    }
    expect((await load(watched, [file]))[0]).toMatchObject({ state: 'loaded', rows: 150_000 })
    await restarting
    const ids = (await readLog(log, 'trades', [TRADES])).map(({ row }) => idOf(row))
    expect(ids).toHaveLength(before + 150_000)
    expect(new Set(ids).size).toBe(before + 150_000)
  }, 120_000)

  it('run the simulated market, and on again after the broker was killed', async () => {
    const log = openLog(broker.bootstrap)
    const feed = await startDemoFeed(log, { seed: 1, rate: 3000, speed: 1 })
    onTestFinished(() => feed.stop())
    await vi.waitFor(() => expect(feed.status().messages).toBeGreaterThan(3000), { timeout: 20_000 })
    await restartAfter(1000)
    const { messages } = feed.status()
    await vi.waitFor(() => expect(feed.status().messages).toBeGreaterThan(messages + 3000), { timeout: 30_000 })
    await feed.stop()
    expect(feed.failure()).toBeUndefined()
    const topics = ['market.equities.quotes.asx', 'market.crypto.trades.binance', 'market.crypto.quotes.binance']
    const ranges = await Promise.all(topics.map(topic => log.ranges(topic)))
    expect(ranges.flat().reduce((sum, { latest }) => sum + latest, 0)).toBeGreaterThan(3000)
  }, 120_000)

  it('take a stream in whole while the broker is killed: what comes meanwhile waits on the disk', async () => {
    const log = openLog(broker.bootstrap)
    const server = await startBinanceServer()
    onTestFinished(() => server.stop())
    const stopping = new AbortController()
    let now: StreamTotals | undefined
    let spilled = 0
    const running = runBinanceStream(
      {
        log,
        schemaIdOf: (_, table) => EMBEDDED_SCHEMA_IDS[table],
        // One that the simulated market does not have, as the topic is the same.
        symbols: ['PEPEUSDT'],
        websocketUrl: server.url,
        folder: makeTempFolder(),
        clock: systemClock,
        metrics: {
          ...NO_METRICS,
          add: (name: string, n: number) => void (spilled += name === 'k2_messages_spilled_total' ? n : 0),
        },
        logger: NO_LOG,
      },
      totals => (now = totals),
      stopping.signal,
    )
    onTestFinished(async () => {
      stopping.abort()
      await running
    })
    await vi.waitFor(() => expect(server.open()).toBe(1), { timeout: 20_000 })
    const restarting = setTimeout(1000).then(() => restartAfter(3000))
    for (let i = 0; i < 400; i++) {
      server.trade('PEPEUSDT', 5)
      await setTimeout(20)
    }
    await restarting
    await vi.waitFor(
      async () => {
        const rows = await tradesIn(log)
        expect(ascending(idsOf(rows, 'PEPEUSDT'))).toEqual(upTo(2000))
      },
      { timeout: 40_000, interval: 500 },
    )
    expect(spilled).toBeGreaterThan(0)
    const whole = { state: 'connected', trades: 2000, gaps: 0, reconnects: 0, why: null }
    // It tells how it fares a few times a second.
    await vi.waitFor(() => expect(now).toMatchObject(whole), { timeout: 20_000, interval: 100 })
    expect((await log.ranges(STREAMED)).length).toBe(16)
  }, 120_000)
})
