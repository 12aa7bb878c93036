// The live view over a real broker and a real Schema Registry: what it shows, when servers go and come, and how soon.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { rowsOf } from '../../src/contract/columns.ts'
import { systemClock } from '../../src/main/base/clock.ts'
import { loadConfig } from '../../src/main/config/load-config.ts'
import { lakeOptions } from '../../src/main/processes/lake-options.ts'
import { openLake } from '../../src/main/lake/lake.ts'
import { createStreamTable } from '../../src/main/lake/stream/stream-table.ts'
import type { MessageLog } from '../../src/main/log/message-log.ts'
import { openRegistry } from '../../src/main/log/registry.ts'
import { registerSchema } from '../../src/main/log/schema-ids.ts'
import type { OffsetVector } from '../../src/main/market/topic-offsets.ts'
import { startKafka, type KafkaBroker } from '../support/kafka-broker.ts'
import { openLog } from '../support/kafka-log.ts'
import { followTrades, openLive, type LiveClient, type Seen } from '../support/live-engine.ts'
import { produced, type SampleRow } from '../support/market-messages.ts'
import { needs } from '../support/needs.ts'
import { startRegistry, type RegistryServer } from '../support/registry-server.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const kafka = needs('kafka')
const registry = needs('registry')
const PARTITIONS = 4
const MINUTE = 60e6
const UNKNOWN_ID = 987_654
const now = () => systemClock.nowMicros()

let topicCount = 0
/** Another exchange a test, as the servers are shared. */
function nextTopic(): { topic: string; exchange: string } {
  const exchange = `X${++topicCount}`
  return { topic: `market.equities.trades.${exchange.toLowerCase()}`, exchange }
}

/** The rows in Confluent's wire format under this schema id. */
function avro(rows: readonly SampleRow[], schemaId: number) {
  const messages = produced('trades', rows)
  const view = new DataView(messages.values.buffer, messages.values.byteOffset)
  for (let i = 0; i < messages.count; i++) view.setInt32((i === 0 ? 0 : messages.ends[i - 1]) + 1, schemaId)
  return messages
}

const numbered = (count: number, from: number, micros = now()): SampleRow[] =>
  Array.from({ length: count }, (_, i) => ({ symbol: `S${(from + i) % 20}`, id: from + i, micros, sequence: from + i }))

async function idsOf(client: LiveClient, symbol: string, exchange = 'ASX'): Promise<string[]> {
  const { data } = await client['trades.recent']({ symbol, exchange, window_minutes: 60, limit: 10_000 })
  return rowsOf(data).map(row => row.trade_id as string)
}

async function statsOf(client: LiveClient) {
  return (await client['tail.stats']({})).trades
}

function expectEachOnce(seen: readonly Seen[], sent: number): void {
  expect(seen.length).toBe(sent)
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const offsets = seen.filter(row => row.partition === partition).map(({ offset }) => offset)
    expect(offsets).toEqual(offsets.map((_, i) => i))
  }
}

describe.skipIf(kafka.skip || registry.skip)(
  `the live view on Kafka${kafka.because || registry.because}`,
  { timeout: 120_000 },
  () => {
    let broker: KafkaBroker
    let schemas: RegistryServer
    beforeAll(async () => {
      ;[broker, schemas] = await Promise.all([startKafka(), startRegistry()])
    }, 180_000)
    afterAll(() => Promise.all([broker.close(), schemas.stop()]))

    const settings = (more: Record<string, string>) => ({
      K2_PROFILE: makeTempFolder(),
      K2_KAFKA_BROKERS: broker.bootstrap,
      K2_SCHEMA_REGISTRY_URL: schemas.url,
      ...more,
    })

    async function makeTopic(log: MessageLog, partitions = PARTITIONS) {
      const named = nextTopic()
      await log.createTopics([{ name: named.topic, partitions }])
      const opened = openRegistry({ urls: [schemas.url] })
      const schemaId = await registerSchema(opened, named.topic)
      opened.close()
      return { ...named, schemaId }
    }

    async function openProducer(): Promise<Producer> {
      const client = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })
      const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
      await producer.connect()
      onTestFinished(() => producer.disconnect())
      return producer
    }

    it('shows Avro, JSON and the slim form alike, whoever wrote them, and says what it could not read', async () => {
      const log = openLog(broker.bootstrap)
      const { topic, exchange, schemaId } = await makeTopic(log)
      const { client } = await openLive(settings({ K2_TOPICS: topic }))
      const micros = now()
      await log.append(
        topic,
        avro([{ symbol: 'BHP', exchange, id: 'ours', micros, price: 4_512_345_678_901n }], schemaId),
      )
      const exchange_timestamp = new Date(micros / 1000 + 1).toISOString()
      const whole = {
        symbol: 'BHP',
        trade_id: 'json',
        exchange_timestamp,
        price: '45.00000001',
        quantity: '3',
        side: 'SELL',
      }
      const slim = {
        symbol: 'BHP',
        exchange,
        exchange_timestamp_ms: Math.floor(micros / 1000) + 2,
        price: 45.1,
        quantity: 7,
      }
      const producer = await openProducer()
      const values = [JSON.stringify(whole), JSON.stringify(slim), 'no row at all']
      await producer.send({ topic, messages: values.map(value => ({ key: 'BHP', value })) })
      await expect.poll(async () => (await idsOf(client, 'BHP', exchange)).length, { timeout: 10_000 }).toBe(3)
      const { data } = await client['trades.recent']({ symbol: 'BHP', exchange, window_minutes: 15, limit: 10 })
      const shown = rowsOf(data).map(({ trade_id, price, quantity, side, currency }) => ({ trade_id, price, quantity, side, currency })) // prettier-ignore
      expect(shown).toMatchObject([
        { trade_id: 'ours', price: '45123.45678901', quantity: '400', side: 'BUY', currency: 'AUD' },
        { trade_id: 'json', price: '45.00000001', quantity: '3', side: 'SELL' },
        { price: '45.1', quantity: '7' },
      ])
      await expect.poll(async () => (await statsOf(client)).undecodable, { timeout: 5_000 }).toBe(1)
      expect(await statsOf(client)).toMatchObject({ is_running: true, trouble: null, total_messages: 3 })
    })

    it('keeps answering while the broker is away, says why nothing comes, and then goes on without a row missing or twice', async () => {
      const log = openLog(broker.bootstrap)
      const { topic, schemaId } = await makeTopic(log)
      const { client } = await openLive(settings({ K2_TOPICS: topic }))
      const seen = followTrades(client, now)
      let isAway = false
      onTestFinished(async () => {
        if (isAway) await broker.restart()
      })
      let sent = 0
      const send = async () => {
        await log.append(topic, avro(numbered(100, sent), schemaId))
        sent += 100
      }
      for (let i = 0; i < 5; i++) await send()
      await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(sent)
      for (let round = 1; round <= 2; round++) {
        await broker.stop('SIGKILL')
        isAway = true
        await expect.poll(async () => (await statsOf(client)).trouble, { timeout: 20_000 }).toMatch(/\S/)
        expect(await statsOf(client)).toMatchObject({ is_running: false, total_messages: sent })
        expect(await idsOf(client, 'S7')).toHaveLength(sent / 20)
        const sending = send()
        await broker.restart()
        isAway = false
        await sending
        await send()
        await expect.poll(() => seen.length, { timeout: 30_000 }).toBe(sent)
        await expect.poll(async () => (await statsOf(client)).is_running, { timeout: 10_000 }).toBe(true)
      }
      expectEachOnce(seen, sent)
      expect(await statsOf(client)).toMatchObject({ trouble: null, total_messages: sent, duplicates: 0, skipped: 0 })
    })

    it('says what retention took away before it came to it, and shows all the rest', async () => {
      const log = openLog(broker.bootstrap)
      const { topic, schemaId } = await makeTopic(log, 1)
      const { client } = await openLive(settings({ K2_TOPICS: topic }))
      await log.append(topic, avro(numbered(20, 0), schemaId))
      await expect.poll(async () => (await statsOf(client)).total_messages, { timeout: 10_000 }).toBe(20)
      // The registry does not answer, so that the tail stands still before a schema that it does not know.
      onTestFinished(schemas.resume)
      schemas.pause()
      await log.append(topic, avro(numbered(1, 20), UNKNOWN_ID))
      await expect.poll(async () => (await statsOf(client)).partitions[0].lag, { timeout: 10_000 }).toBe(1)
      // More than is read ahead.
      const pad = { pad: randomBytes(300_000).toString('hex') }
      const large = (id: number): SampleRow => ({ ...numbered(1, id)[0], vendorData: pad })
      for (let id = 21; id < 101; id++) await log.append(topic, avro([large(id)], schemaId))
      const admin = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING }).admin()
      await admin.connect()
      await admin.fetchTopicOffsets(topic) // else it does not know the leader
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '96' }] })
      await admin.disconnect()
      schemas.resume()
      await expect.poll(async () => (await statsOf(client)).partitions[0].next_offset, { timeout: 30_000 }).toBe('101')
      await log.append(topic, avro([{ symbol: 'S7', id: 'after', micros: now() }], schemaId))
      await expect.poll(async () => (await statsOf(client)).partitions[0].lag, { timeout: 10_000 }).toBe(0)
      const { total_messages: total, skipped, undecodable } = await statsOf(client)
      expect(skipped).toBeGreaterThan(0)
      expect(total + skipped + undecodable).toBe(102)
      expect(undecodable).toBe(1)
      expect((await idsOf(client, 'S7')).at(-1)).toBe('after')
      expect(await idsOf(client, 'S18')).toContain('98')
      expect(await statsOf(client)).toMatchObject({ is_running: true, trouble: null })
    })

    it('takes in topics of its pattern that are made later', async () => {
      const log = openLog(broker.bootstrap)
      const { exchange } = await makeTopic(log)
      const pattern = String.raw`market\.equities\.trades\.${exchange.toLowerCase()}(later)?`
      const { client } = await openLive(settings({ K2_TOPIC_PATTERN: pattern }))
      const seen = followTrades(client, now)
      await expect.poll(async () => (await statsOf(client)).partitions.length, { timeout: 10_000 }).toBe(PARTITIONS)
      const later = `market.equities.trades.${exchange.toLowerCase()}later`
      const opened = openRegistry({ urls: [schemas.url] })
      onTestFinished(() => opened.close())
      const schemaId = await registerSchema(opened, later)
      await log.createTopics([
        { name: later, partitions: PARTITIONS },
        { name: `${later}.not`, partitions: 1 },
      ])
      await log.append(later, avro(numbered(200, 0), schemaId))
      await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(200)
      expectEachOnce(seen, 200)
      expect(await statsOf(client)).toMatchObject({ is_running: true, total_messages: 200 })
    })

    it('begins where the tables end when that is further back than its minutes, and at its minutes otherwise', async () => {
      const log = openLog(broker.bootstrap)
      const { topic, schemaId } = await makeTopic(log, 1)
      const aged = (minutes: number, id: number) => numbered(10, id, now() - minutes * MINUTE)
      for (const [minutes, from] of [[30, 0], [20, 10], [10, 20], [1, 30]]) await log.append(topic, avro(aged(minutes, from), schemaId)) // prettier-ignore
      const env = settings({ K2_TOPICS: topic, K2_TAIL_MINUTES: '5' })
      const held = async () => {
        const { client, close } = await openLive(env)
        await expect
          .poll(async () => (await statsOf(client)).partitions[0]?.next_offset, { timeout: 10_000 })
          .toBe('40')
        const { total_messages, partitions } = await statsOf(client)
        const { first_offset, committed_offset } = partitions[0]
        const ids = await idsOf(client, 'S5')
        await close()
        return { total_messages, first_offset, committed_offset, ids }
      }
      expect(await held()).toEqual({ total_messages: 10, first_offset: '30', committed_offset: null, ids: [] })

      const lake = await openLake(lakeOptions(loadConfig({ env })))
      onTestFinished(() => lake.close())
      await lake.ensure('trades')
      const { epoch } = (await log.topics()).find(({ name }) => name === topic)!
      const cluster = await log.cluster()
      const at = (next: number): OffsetVector => [{ cluster, epoch, topic, next: { 0: next } }]
      const table = createStreamTable(lake, 'trades')
      await table.commit({ staged: [], offsets: { from: [], to: at(12) } })
      expect(await held()).toEqual({ total_messages: 28, first_offset: '12', committed_offset: '12', ids: ['25'] })
      await table.commit({ staged: [], offsets: { from: at(12), to: at(40) } })
      expect(await held()).toMatchObject({ total_messages: 10, first_offset: '30', committed_offset: '40' })
    })

    it('shows 5,000 messages a second soon after they were produced', async () => {
      const log = openLog(broker.bootstrap)
      const { topic, schemaId } = await makeTopic(log)
      const { client } = await openLive(settings({ K2_TOPICS: topic }))
      const seen = followTrades(client, now)
      const [RATE, SECONDS, LOT] = [5_000, 4, 50]
      const startedAt = performance.now()
      const sending: Promise<void>[] = []
      for (let sent = 0; sent < RATE * SECONDS; sent += LOT) {
        sending.push(log.append(topic, avro(numbered(LOT, sent), schemaId)))
        await sleep(Math.max(0, startedAt + ((sent + LOT) / RATE) * 1000 - performance.now()))
      }
      await Promise.all(sending)
      await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(RATE * SECONDS)
      expectEachOnce(seen, RATE * SECONDS)
      // Not of the first second, in which connections are made and code is compiled.
      const waits = seen
        .filter(({ micros }) => micros > seen[0].micros + 1e6)
        .map(({ micros, seenMicros }) => (seenMicros - micros) / 1000)
      const sorted = Float64Array.from(waits).sort()
      const [p50, p99] = [0.5, 0.99].map(share => sorted[Math.floor(share * (sorted.length - 1))])
      process.stdout.write(
        `produced → followed at ${RATE} messages a second: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms\n`,
      )
      expect(p99).toBeLessThan(500)
    })
  },
)
