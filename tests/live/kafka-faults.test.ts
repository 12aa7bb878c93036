// Kafka that dies, hangs, moves and comes back: reading and writing go on by themselves, with exactly the offsets they would
// have had; and Kafka that does not let us in says why.
import { readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { KafkaEvent, KafkaLogOptions } from '../../src/main/log/kafka.ts'
import { partitionOf } from '../../src/main/market/partition.ts'
import { deleteTopic } from '../support/kafka-admin.ts'
import { KAFKA_USER, startKafka, type KafkaBroker, type KafkaOptions } from '../support/kafka-broker.ts'
import { makeTopic, numbered, openLog, produced, readAll, startReading, textsOf } from '../support/kafka-log.ts'
import { LOOPBACK_CERTIFICATE } from '../support/loopback-certificate.ts'
import { needs } from '../support/needs.ts'
import { plainProduced } from '../support/plain-intake.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { memoryTables, openWriter, quickBreakers, TRADES } from '../support/writer.ts'

const kafka = needs('kafka')
const PARTITIONS = 4
/** Measured: after a restart batches are of epoch 0 as before, where 4.2 gives them 2. Nothing shows that they are others. */
const keepsEpoch = process.env.K2_TEST_KAFKA?.startsWith('3.')
const because = keepsEpoch ? ' (skipped: a lone broker before 4.0 comes back under the same leader epoch)' : ''
const LOST_END = `does not read on when the log has lost messages that were read and has others in their place${because}`

async function startBroker(options: KafkaOptions = {}): Promise<KafkaBroker> {
  const broker = await startKafka(options)
  onTestFinished(() => broker.close())
  return broker
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Appends small lots one after the other until told to stop; each is acknowledged before the next. */
function keepAppending(log: ReturnType<typeof openLog>, topic: string) {
  let sent = 0
  let stopped = false
  const appending = (async () => {
    while (!stopped) {
      await log.append(topic, produced(numbered(20, sent)))
      sent += 20
      await pause(2)
    }
    return sent
  })()
  const stop = () => {
    stopped = true
    return appending
  }
  onTestFinished(() => void stop().catch(() => {}))
  return { sent: () => sent, stop }
}

function expectEachOnce(
  received: { key: string; text: string | null; partition: number; offset: number }[],
  sent: number,
) {
  expect(new Set(textsOf(received))).toEqual(new Set(textsOf(numbered(sent))))
  expect(received.length).toBe(sent)
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const own = received.filter(message => message.partition === partition)
    expect(own.map(({ offset }) => offset)).toEqual(own.map((_, i) => i))
    const order = own.map(({ text }) => Number(text!.split(' ')[1]))
    expect(order).toEqual([...order].sort((a, b) => a - b))
  }
}

/** A writer that has written five trades, and how its breaker says Kafka is. */
async function writeTrades(log: ReturnType<typeof openLog>) {
  await log.createTopics([{ name: TRADES, partitions: 1 }])
  const settings = { lookEveryMs: 200 }
  const writer = openWriter({ log, tables: memoryTables(), settings, breakers: quickBreakers(2_000) })
  await log.append(TRADES, plainProduced([1, 2, 3, 4, 5].map(n => ({ id: `A${n}`, symbol: 'A', seq: n }))))
  await expect.poll(() => writer.status().rows, { timeout: 20_000 }).toBe(5)
  return { writer, kafka: () => writer.status().breakers.find(({ name }) => name === 'kafka') }
}

// Brokers that start again and again take their time on a busy machine.
describe.skipIf(kafka.skip)(`Kafka in trouble${kafka.because}`, { timeout: 180_000 }, () => {
  it('loses nothing and doubles nothing when the broker is killed and comes back, while it reads and writes', async () => {
    const broker = await startBroker()
    const events: KafkaEvent[] = []
    const log = openLog(broker.bootstrap, { onEvent: event => events.push(event) })
    const topic = await makeTopic(log, PARTITIONS)
    const told: (string | undefined)[] = []
    const reading = startReading(log, [topic], () => 'earliest', { onTrouble: trouble => told.push(trouble?.message) })
    const appending = keepAppending(log, topic)
    for (let round = 1; round <= 2; round++) {
      const before = appending.sent()
      await expect.poll(appending.sent, { timeout: 30_000 }).toBeGreaterThan(before + 200)
      await broker.restart()
      await expect.poll(() => told.length > 0 && told.at(-1) === undefined, { timeout: 20_000 }).toBe(true)
    }
    const before = appending.sent()
    await expect.poll(appending.sent, { timeout: 30_000 }).toBeGreaterThan(before + 200)
    const sent = await appending.stop()
    expectEachOnce(await reading.until(sent), sent)
    await pause(300)
    expect(reading.received.length).toBe(sent)
    expect(told.filter(message => message !== undefined).length).toBeGreaterThanOrEqual(2)
    expect(told.at(-1)).toBeUndefined()
    expect(events.some(({ kind }) => kind === 'broker_lost')).toBe(true)
    expect(events.some(({ kind }) => kind === 'broker_back')).toBe(true)
  })

  it('says that the broker is away, and fails what waits too long without saying that it was written', async () => {
    const broker = await startBroker()
    const log = openLog(broker.bootstrap, { deliverMs: 1500 })
    const topic = await makeTopic(log, PARTITIONS)
    await log.append(topic, produced(numbered(20)))
    const { writer, kafka } = await writeTrades(log)
    await broker.stop()
    const failing = log.append(topic, produced(numbered(20, 20)))
    await expect(failing).rejects.toMatchObject({ code: 'UNAVAILABLE', message: /0 were acknowledged.*not known/ })
    await expect(log.topics()).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    await expect.poll(kafka, { timeout: 30_000 }).toMatchObject({ state: 'open', why: expect.any(String) as string })
    expect(writer.status()).toMatchObject({ state: 'waiting', rows: 5 })
    await broker.restart()
    await log.append(topic, produced(numbered(20, 40)))
    const reading = startReading(log, [topic])
    await reading.until(40)
    expect(new Set(textsOf(reading.received))).toEqual(new Set(textsOf([...numbered(20), ...numbered(20, 40)])))
    await log.append(TRADES, plainProduced([{ id: 'A6', symbol: 'A', seq: 6 }]))
    await expect.poll(kafka, { timeout: 30_000 }).toMatchObject({ state: 'closed', failures: 0 })
    await expect
      .poll(writer.status, { timeout: 30_000 })
      .toMatchObject({ state: 'writing', messages: 6, rows: 6, duplicates: 0 })
  })

  it('goes on with another leader when the broker that led a partition dies', async () => {
    const [one] = [await startBroker({ properties: { 'default.replication.factor': 2, 'min.insync.replicas': 1 } })]
    const two = await startBroker({ joins: one })
    const log = openLog(one.bootstrap)
    const topic = `replicated-${Date.now()}`
    await expect
      .poll(
        () =>
          log.createTopics([{ name: topic, partitions: PARTITIONS, replication: 2 }]).then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      ) // prettier-ignore
      .toBe(true)
    const reading = startReading(log, [topic])
    const appending = keepAppending(log, topic)
    await expect.poll(appending.sent, { timeout: 30_000 }).toBeGreaterThan(200)
    await two.stop('SIGTERM')
    const before = appending.sent()
    await expect.poll(appending.sent, { timeout: 40_000 }).toBeGreaterThan(before + 200)
    const sent = await appending.stop()
    expectEachOnce(await reading.until(sent), sent)
  })

  it('goes on in a topic that is deleted and made anew with fewer partitions while it is written', async () => {
    const broker = await startBroker()
    const log = openLog(broker.bootstrap, { deliverMs: 20_000 })
    const topic = await makeTopic(log, PARTITIONS)
    const appending = keepAppending(log, topic)
    await expect.poll(appending.sent, { timeout: 30_000 }).toBeGreaterThan(200)
    await deleteTopic(broker.bootstrap, topic)
    const waiting = numbered(700, 1_000_000)
    const lots = Array.from({ length: 10 }, (_, i) => log.append(topic, produced(waiting.slice(70 * i, 70 * i + 70))))
    await pause(200)
    const fewer = PARTITIONS - 1
    await log.createTopics([{ name: topic, partitions: fewer }])
    await Promise.all(lots)
    const before = appending.sent()
    await expect.poll(appending.sent, { timeout: 30_000 }).toBeGreaterThan(before + 200)
    const sent = await appending.stop()

    const received = await readAll(log, topic)
    const texts = textsOf(received)
    expect(new Set(texts).size).toBe(texts.length)
    const later = numbered(sent - before - 20, before + 20)
    expect(texts).toEqual(expect.arrayContaining(textsOf([...waiting, ...later])))
    for (const { text } of later) {
      const { key, partition } = received.find(message => message.text === text)!
      expect(partition).toBe(partitionOf(key, fewer))
    }
  })

  it.skipIf(keepsEpoch)(LOST_END, async () => {
    const proxy = await startTcpProxy()
    onTestFinished(() => proxy.close())
    const broker = await startBroker({ advertisedPort: proxy.port })
    proxy.target = broker.port
    // Past the proxy, so that only the reading is cut off.
    const properties = readFileSync(join(broker.dir, 'server.properties'), 'utf8')
    const [, address] = /INTERNAL:\/\/(127[\d.]+:\d+)/.exec(properties)!
    const writing = openLog(address)
    const topic = await makeTopic(writing)
    for (let sent = 0; sent < 200; sent += 20) await writing.append(topic, produced(numbered(20, sent)))
    const reading = startReading(openLog(`127.0.0.1:${proxy.port}`), [topic])
    await reading.until(200)
    proxy.refuse()
    await broker.stop()
    // What a leader does not have that was behind when it took over.
    const file = join(broker.dir, 'data', `${topic}-0`, '00000000000000000000.log')
    truncateSync(file, Math.floor(statSync(file).size / 2))
    await broker.restart()
    for (let sent = 1000; sent < 1300; sent += 20) await writing.append(topic, produced(numbered(20, sent)))
    proxy.resume()
    await expect(reading.until(201)).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      message: expect.stringContaining('has lost its end') as string,
      details: {
        topic,
        partition: 0,
        offset: 200,
        earliest: 0,
        latest: expect.toSatisfy((end: number) => end > 0 && end < 200) as number,
      },
    })
    expect(textsOf(reading.received)).toEqual(textsOf(numbered(200)))
  })

  describe('behind a network that fails', () => {
    let proxy: TcpProxy
    let broker: KafkaBroker
    beforeAll(async () => {
      proxy = await startTcpProxy()
      broker = await startKafka({ advertisedPort: proxy.port })
      proxy.target = broker.port
    })
    afterAll(async () => {
      await broker.close()
      await proxy.close()
    })
    const open = (options: Partial<KafkaLogOptions> = {}) => openLog(`127.0.0.1:${proxy.port}`, options)

    it('takes a broker that does not answer for one that is lost, and goes on when it answers', async () => {
      const log = open({ answerMs: 500 })
      const topic = await makeTopic(log, PARTITIONS)
      const told: (string | undefined)[] = []
      const reading = startReading(log, [topic], () => 'earliest', {
        onTrouble: trouble => told.push(trouble?.message),
      })
      const appending = keepAppending(log, topic)
      await reading.until(100)
      told.length = 0
      onTestFinished(proxy.resume)
      proxy.hang()
      await expect.poll(() => told.length, { timeout: 10_000 }).toBeGreaterThan(0)
      expect(told.at(-1)).toMatch(/did not answer/)
      proxy.resume()
      const before = appending.sent()
      await expect.poll(appending.sent, { timeout: 30_000 }).toBeGreaterThan(before + 100)
      const sent = await appending.stop()
      expectEachOnce(await reading.until(sent), sent)
      expect(told.at(-1)).toBeUndefined()
    })

    it('loses and doubles nothing when every connection breaks again and again', async () => {
      const log = open()
      const topic = await makeTopic(log, PARTITIONS)
      const reading = startReading(log, [topic])
      const appending = keepAppending(log, topic)
      for (let cut = 0; cut < 25; cut++) {
        await pause(30 + 7 * (cut % 5))
        proxy.cut()
      }
      const sent = await appending.stop()
      expectEachOnce(await reading.until(sent), sent)
    })

    it('fetches no more ahead of a reader that takes nothing than it was told, and then all the rest', async () => {
      const log = open()
      const topic = await makeTopic(log, PARTITIONS)
      const big = Array.from({ length: 64 }, (_, i) => ({ key: `k${i}`, text: noise(256 * 1024) }))
      await log.append(topic, produced(big))
      const stopping = new AbortController()
      const batches = log.read({
        topics: [topic],
        from: () => 'earliest',
        signal: stopping.signal,
        maxBytesAhead: 1_000_000,
      })
      const before = proxy.bytesBack
      await pause(700)
      const ahead = proxy.bytesBack - before
      // One batch of each partition may be beyond the bound.
      expect(ahead).toBeGreaterThan(256 * 1024)
      expect(ahead).toBeLessThan(1_000_000 + PARTITIONS * 1_100_000)
      let count = 0
      for await (const batch of batches) if ((count += batch.count) === big.length) break
      expect(proxy.bytesBack - before).toBeGreaterThan(12_000_000)
    })
  })

  describe('that guards its door', () => {
    let broker: KafkaBroker
    beforeAll(async () => {
      broker = await startKafka({ sasl: true, tls: true })
    })
    afterAll(() => broker.close())
    const ssl = { ca: LOOPBACK_CERTIFICATE }
    const plain = { mechanism: 'PLAIN', ...KAFKA_USER } as const

    it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)('lets a user in by %s over TLS', async mechanism => {
      const log = openLog(broker.bootstrap, { ssl, sasl: { ...KAFKA_USER, mechanism } })
      const topic = await makeTopic(log)
      await log.append(topic, produced(numbered(10)))
      expect(textsOf(await startReading(log, [topic]).until(10))).toEqual(textsOf(numbered(10)))
    })

    it.each([
      ['a wrong password', { ssl, sasl: { ...plain, password: 'wrong' } }, 'UNAUTHORIZED', /K2_KAFKA_SASL_PASSWORD/],
      [
        'a wrong one by SCRAM',
        { ssl, sasl: { ...plain, mechanism: 'SCRAM-SHA-512', password: 'wrong' } },
        'UNAUTHORIZED',
        /SCRAM-SHA-512/,
      ],
      ['a certificate of its own', { ssl: {}, sasl: plain }, 'UNAVAILABLE', /K2_CA_FILE/],
      ['no TLS', { sasl: plain }, 'UNAVAILABLE', /K2_KAFKA_SSL/],
      ['nobody named', { ssl }, 'UNAVAILABLE', /K2_KAFKA_SASL_MECHANISM/],
    ] as [string, Partial<KafkaLogOptions>, string, RegExp][])(
      'says what to set: %s',
      async (_, options, code, message) => {
        const log = openLog(broker.bootstrap, options)
        await expect(log.topics()).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string })
        if (code === 'UNAUTHORIZED') await expect(startReading(log, ['any']).until(1)).rejects.toMatchObject({ code })
      },
    )
  })

  it('says so when it speaks no TLS', async () => {
    const broker = await startBroker()
    const log = openLog(broker.bootstrap, { ssl: { ca: LOOPBACK_CERTIFICATE } })
    await expect(log.topics()).rejects.toMatchObject({ code: 'UNAVAILABLE', message: /set K2_KAFKA_SSL to false/ })
  })

  it('says so when nobody listens, and when the one who does speaks no Kafka', async () => {
    await expect(openLog('127.0.0.1:1').topics()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: /127\.0\.0\.1:1/,
    })
    await expect(openLog('no-port-here').topics()).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: /K2_KAFKA_BROKERS/,
    })
  })
})

function noise(length: number): string {
  return Array.from({ length: length / 8 }, () => Math.random().toString(36).slice(2, 10).padEnd(8, '0')).join('')
}
