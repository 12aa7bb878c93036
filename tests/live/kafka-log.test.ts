// Kafka as the log, on a real broker: what was appended comes back whole, in order, from exactly where it is asked for.
import { randomUUID } from 'node:crypto'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { partitionOf } from '../../src/main/market/partition.ts'
import { produceWithJava, startKafka, type KafkaBroker } from '../support/kafka-broker.ts'
import { makeTopic, numbered, openLog, produced, readAll, startReading, textsOf } from '../support/kafka-log.ts'
import { needs } from '../support/needs.ts'

const kafka = needs('kafka')

describe.skipIf(kafka.skip)(`Kafka as the log${kafka.because}`, () => {
  let broker: KafkaBroker
  beforeAll(async () => {
    broker = await startKafka({
      properties: {
        'log.cleaner.backoff.ms': 100,
        'log.segment.delete.delay.ms': 100,
        'log.initial.task.delay.ms': 100,
      },
    })
  })
  afterAll(() => broker.close())

  const open = () => openLog(broker.bootstrap)
  const client = () => new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })
  async function admin() {
    const admin = client().admin()
    await admin.connect()
    onTestFinished(() => admin.disconnect())
    return admin
  }
  async function producer(options: Parameters<Kafka['producer']>[0] = {}): Promise<Producer> {
    const producer = client().producer(options)
    await producer.connect()
    onTestFinished(() => producer.disconnect())
    return producer
  }

  describe('keeps topics', () => {
    it('creates those that are missing, with their settings, and says of what life they are', async () => {
      const log = open()
      const name = await makeTopic(log, 5, { 'cleanup.policy': 'compact' })
      await log.createTopics([{ name, partitions: 5 }])
      const found = (await log.topics()).find(topic => topic.name === name)!
      expect(found.partitions).toBe(5)
      const { resources } = await (
        await admin()
      ).describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name, configNames: ['cleanup.policy'] }] })
      expect(resources[0].configEntries[0].configValue).toBe('compact')

      await (await admin()).deleteTopics({ topics: [name] })
      await expect.poll(async () => (await log.topics()).some(topic => topic.name === name)).toBe(false)
      await log.createTopics([{ name, partitions: 5 }])
      const again = (await log.topics()).find(topic => topic.name === name)!
      expect(again.epoch).not.toBe(found.epoch)
    })

    it('refuses another number of partitions, too many copies, and a setting that does not exist', async () => {
      const log = open()
      const name = await makeTopic(log, 2)
      const refused = (spec: object) => log.createTopics([{ name: `topic-${randomUUID()}`, partitions: 1, ...spec }])
      await expect(refused({ name, partitions: 3 })).rejects.toMatchObject({ code: 'CONFLICT' })
      await expect(refused({ replication: 3 })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      await expect(refused({ config: { nonsense: '1' } })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      await expect(refused({ name: 'no/such name' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    })

    it('shows neither its own topics nor another identity to a second client', async () => {
      const [one, other] = [open(), open()]
      await one.noteProgress('any', await makeTopic(one), { 0: 0 })
      expect((await one.topics()).map(({ name }) => name)).not.toContain('__consumer_offsets')
      expect(await one.cluster()).toMatch(/.+/)
      expect(await other.cluster()).toBe(await one.cluster())
    })
  })

  describe('gives back', () => {
    it('keys, values, tombstones, empty values and times as they were appended, in the partitions of their keys', async () => {
      const log = open()
      const topic = await makeTopic(log, 4)
      const start = 1_768_000_000_000_000
      const messages = ['BHP', 'über', '', 'RIO', 'BTCUSDT'].flatMap((key, k) =>
        [`text of ${key} €`, null, '', 'x'.repeat(3000 * k)].map((text, i) => ({
          key,
          text,
          micros: start + k * 9000 - i * 1000,
        })),
      )
      await log.append(topic, produced(messages))
      const received = await readAll(log, topic)
      for (const partition of [0, 1, 2, 3]) {
        const own = messages.filter(({ key }) => partitionOf(key, 4) === partition)
        const got = received.filter(message => message.partition === partition)
        expect(got).toEqual(own.map((message, offset) => ({ ...message, partition, offset })))
      }
    })

    it('a thousand appends at once in the order they were made', async () => {
      const log = open()
      const topic = await makeTopic(log, 3)
      const messages = numbered(3000)
      await Promise.all(
        Array.from({ length: 1000 }, (_, i) => log.append(topic, produced(messages.slice(i * 3, i * 3 + 3)))),
      )
      const received = await readAll(log, topic)
      for (const partition of [0, 1, 2]) {
        const own = messages.filter(({ key }) => partitionOf(key, 3) === partition)
        expect(textsOf(received.filter(message => message.partition === partition))).toEqual(textsOf(own))
      }
    })

    it('what is larger than a batch may be, cut smaller, and refuses only the message that is', async () => {
      const log = open()
      const topic = await makeTopic(log, 1, { 'max.message.bytes': '20000' })
      const noise = Array.from({ length: 40 }, (_, i) => ({ key: 'k', text: `${i} ${randomBytesText(3000)}` }))
      await log.append(topic, produced(noise))
      const huge = log.append(topic, produced([{ key: 'k', text: randomBytesText(40_000) }]))
      await expect(huge).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
      await log.append(topic, produced([{ key: 'k', text: 'after' }]))
      expect(textsOf(await readAll(log, topic))).toEqual([...textsOf(noise), 'after'])
    })

    it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])("what Kafka's own producer compressed with %s", async codec => {
      const log = open()
      const topic = await makeTopic(log, 2)
      const lines = Array.from({ length: 3000 }, (_, i) => `k${i % 5}:value ${i} ${'abc'.repeat(i % 50)}`)
      await produceWithJava(broker.bootstrap, topic, lines, codec)
      const received = await readAll(log, topic)
      expect(received.map(({ key, text }) => `${key}:${text}`).sort()).toEqual([...lines].sort())
      const inOrder = received.filter(({ key }) => key === 'k3').map(({ text }) => Number(text!.split(' ')[1]))
      expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b))
    })

    it('the time of the broker where the topic asks for it', async () => {
      const log = open()
      const topic = await makeTopic(log, 1, { 'message.timestamp.type': 'LogAppendTime' })
      const before = Date.now() * 1000
      await log.append(topic, produced([{ key: 'k', text: 'a', micros: 1e15 }]))
      const [{ micros }] = await readAll(log, topic)
      expect(micros).toBeGreaterThanOrEqual(before - 1000)
    })
  })

  describe('reads from', () => {
    it('an offset in the midst of a batch, the oldest message, or what comes after', async () => {
      const log = open()
      const topic = await makeTopic(log)
      await log.append(topic, produced(numbered(100)))
      const [middle, oldest, newest] = [37, 'earliest', 'latest'].map(at =>
        startReading(log, [topic], () => at as number),
      )
      expect((await middle.until(63))[0]).toMatchObject({ offset: 37, text: 'text 37' })
      expect((await oldest.until(100))[0].offset).toBe(0)
      await log.append(topic, produced(numbered(1, 100)))
      expect((await newest.until(1))[0]).toMatchObject({ offset: 100, text: 'text 100' })
    })

    it('where a time begins, and tells what is held', async () => {
      const log = open()
      const topic = await makeTopic(log, 2)
      const second = 1_000_000
      const start = 1_768_000_000 * second
      const messages = numbered(20).map((message, i) => ({ ...message, key: 'a', micros: start + i * second }))
      await log.append(topic, produced(messages))
      const own = partitionOf('a', 2)
      const at = async (micros: number) => (await log.offsetsAt(topic, micros)).get(own)
      expect(await at(start - 1)).toBe(0)
      expect(await at(start + 7 * second)).toBe(7)
      expect(await at(start + 7 * second + 1)).toBe(8)
      expect(await at(start + 20 * second)).toBe(20)
      expect((await log.offsetsAt(topic, 0)).get(1 - own)).toBe(0)
      expect(await log.ranges(topic)).toEqual(
        [0, 1].map(partition => ({ partition, earliest: 0, latest: partition === own ? 20 : 0 })),
      )
    })

    it.each([
      ['that retention has removed', 3],
      ['that does not exist yet', 21],
    ])('no offset %s', async (_, offset) => {
      const log = open()
      const topic = await makeTopic(log)
      await log.append(topic, produced(numbered(20)))
      const manager = await admin()
      await manager.fetchTopicOffsets(topic) // else it does not know the leader
      await manager.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '5' }] })
      const failure = { code: 'OFFSET_OUT_OF_RANGE', details: { topic, partition: 0, offset, earliest: 5, latest: 20 } }
      await expect(startReading(log, [topic], () => offset).until(1)).rejects.toMatchObject(failure)
    })

    it('no topic that does not exist', async () => {
      const log = open()
      const missing = { code: 'NOT_FOUND', message: /no-such-topic/ }
      await expect(startReading(log, ['no-such-topic']).until(1)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(log.append('no-such-topic', produced(numbered(1)))).rejects.toMatchObject({ code: missing.code })
      await expect(log.ranges('no-such-topic')).rejects.toThrow(missing.message)
    })
  })

  describe('reads over gaps', () => {
    it('of transactions: what was committed, without what was aborted, past the marks of both', async () => {
      const log = open()
      const topic = await makeTopic(log)
      const sending = await producer({ transactionalId: `t-${randomUUID()}`, maxInFlightRequests: 1, idempotent: true })
      const sent: string[] = []
      for (let i = 0; i < 6; i++) {
        const transaction = await sending.transaction()
        for (const part of ['a', 'b']) await transaction.send({ topic, messages: [{ key: 'k', value: `${i}${part}` }] })
        if (i % 2 === 0) sent.push(`${i}a`, `${i}b`)
        await (i % 2 === 0 ? transaction.commit() : transaction.abort())
        await log.append(topic, produced([{ key: 'k', text: `plain ${i}` }]))
        sent.push(`plain ${i}`)
      }
      const [{ latest }] = await log.ranges(topic)
      const reading = startReading(log, [topic])
      await reading.untilOffset(topic, 0, latest)
      expect(textsOf(reading.received)).toEqual(sent)
      expect(latest).toBe(24)
    })

    it('of a compacted topic, whose offsets stay what they were', async () => {
      const log = open()
      const compact = { 'cleanup.policy': 'compact', 'segment.ms': '100', 'min.cleanable.dirty.ratio': '0.01' }
      const topic = await makeTopic(log, 1, {
        ...compact,
        'max.compaction.lag.ms': '100',
        'min.compaction.lag.ms': '0',
      })
      for (let i = 0; i < 5; i++) {
        await log.append(topic, produced([...numbered(7, 7 * i), { key: `once ${i}`, text: `once ${i}` }]))
        await new Promise(resolve => setTimeout(resolve, 150))
      }
      const gaps = async () => 40 - (await readAll(log, topic)).length
      await expect.poll(gaps, { timeout: 20_000, interval: 300 }).toBeGreaterThan(10)
      const received = await readAll(log, topic)
      for (const { key, text, offset } of received)
        if (key.startsWith('once')) expect(offset).toBe(Number(text!.split(' ')[1]) * 8 + 7)
      expect(textsOf(received).slice(-8)).toEqual([...textsOf(numbered(7, 28)), 'once 4'])
      const reading = startReading(log, [topic], () => 1)
      expect(
        (await reading.until(received.length - received.filter(({ offset }) => offset < 1).length))[0].offset,
      ).toBeGreaterThan(0)
    })
  })

  it('takes up a partition that is added while it reads, and asks where to begin in it', async () => {
    const log = open()
    const topic = await makeTopic(log, 1)
    const asked: number[] = []
    const reading = startReading(log, [topic], (_, partition) => {
      asked.push(partition)
      return 'earliest'
    })
    await log.append(topic, produced(numbered(1)))
    await reading.until(1)
    await (await admin()).createPartitions({ topicPartitions: [{ topic, count: 2 }] })
    const other = await producer()
    await expect
      .poll(() =>
        other.send({ topic, messages: [{ key: 'k', value: 'in the new one', partition: 1 }] }).then(
          () => true,
          () => false,
        ),
      ) // prettier-ignore
      .toBe(true)
    expect((await reading.until(2))[1]).toMatchObject({ partition: 1, text: 'in the new one' })
    expect(asked).toEqual([0, 1])
  })

  it('waits for a topic that is deleted, and does not take one made anew for it', async () => {
    const log = open()
    const topic = await makeTopic(log)
    const told: (string | undefined)[] = []
    const reading = startReading(log, [topic], () => 'earliest', { onTrouble: trouble => told.push(trouble?.message) })
    await log.append(topic, produced(numbered(3)))
    await reading.until(3)
    await (await admin()).deleteTopics({ topics: [topic] })
    await expect.poll(() => told.length, { timeout: 10_000 }).toBeGreaterThan(0)
    const again = openLog(broker.bootstrap)
    await again.createTopics([{ name: topic, partitions: 1 }])
    await again.append(topic, produced(numbered(9)))
    await expect(reading.until(4)).rejects.toMatchObject({ code: 'LOG_RESET', details: { topic } })
  })

  it('notes progress where the tools of Kafka show it', async () => {
    const log = open()
    const topic = await makeTopic(log, 2)
    await log.noteProgress('a group', topic, { 0: 11, 1: 0 })
    await log.noteProgress('a group', topic, { 0: 12 })
    const [{ partitions }] = await (await admin()).fetchOffsets({ groupId: 'a group', topics: [topic] })
    expect(Object.fromEntries(partitions.map(({ partition, offset }) => [partition, offset]))).toEqual({
      0: '12',
      1: '0',
    })
  })

  it('leaves no connection and no timer behind when it is closed while it reads and waits', async () => {
    const before = process.getActiveResourcesInfo().filter(isOurs).length
    const log = open()
    const topic = await makeTopic(log)
    const reading = startReading(log, [topic])
    await log.append(topic, produced(numbered(5)))
    await reading.until(5)
    await log.close()
    await reading.stop()
    await expect.poll(() => process.getActiveResourcesInfo().filter(isOurs).length).toBeLessThanOrEqual(before)
    await expect(log.append(topic, produced(numbered(1)))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(log.topics()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

const isOurs = (resource: string) => resource === 'TCPSocketWrap' || resource === 'TLSWrap'

function randomBytesText(length: number): string {
  return Array.from({ length }, () => String.fromCharCode(33 + Math.floor(Math.random() * 90))).join('')
}
