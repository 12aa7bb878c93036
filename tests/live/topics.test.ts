// `k2 topics init | list` on a real broker with a real registry.
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Context } from '../../src/contract/capability.ts'
import { topics } from '../../src/contract/topics.ts'
import { openRegistry } from '../../src/main/log/registry.ts'
import { createSchemaIds, subjectOf } from '../../src/main/log/schema-ids.ts'
import { topicsHandlers } from '../../src/main/log/topics-handlers.ts'
import { avroSchemas } from '../../src/main/market/avro-schemas.ts'
import { startKafka, type KafkaBroker } from '../support/kafka-broker.ts'
import { openLog } from '../support/kafka-log.ts'
import { needs } from '../support/needs.ts'
import { startRegistry, type RegistryServer } from '../support/registry-server.ts'

const [kafka, registry] = [needs('kafka'), needs('registry')]
const context: Context = { signal: new AbortController().signal, correlationId: 'test', door: 'direct' }
const settings = (given: object = {}) => topics['topics.init'].input.parse(given)

describe.skipIf(kafka.skip || registry.skip)(`topics of market data${kafka.because}${registry.because}`, () => {
  let broker: KafkaBroker
  let server: RegistryServer
  beforeAll(async () => {
    ;[broker, server] = await Promise.all([startKafka(), startRegistry()])
  }, 120_000)
  afterAll(() => Promise.all([broker?.close(), server?.stop()]))

  function open(topicNames: readonly string[]) {
    const log = openLog(broker.bootstrap)
    const opened = openRegistry({ urls: [server.url] })
    onTestFinished(() => opened.close())
    return {
      log,
      registry: opened,
      ...topicsHandlers({ log: () => Promise.resolve(log), registry: opened, topicNames }),
    }
  }

  async function configOf(topic: string, names: string[]): Promise<Record<string, string>> {
    const admin = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    onTestFinished(() => admin.disconnect())
    const told = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: topic, configNames: names }],
    })
    return Object.fromEntries(
      told.resources[0].configEntries.map(({ configName, configValue }) => [configName, configValue]),
    )
  }

  it('are made with the partitions of their exchange and their schemas, and the second time are there', async () => {
    const { registry: opened, ...handlers } = open(['market.equities.trades.asx', 'market.equities.quotes.asx'])
    const made = await handlers['topics.init'](settings({ retention: '2h' }), context)
    expect(topics['topics.init'].output.parse(made)).toEqual(made)
    expect(made.map(({ topic, state, partitions }) => [topic, state, partitions])).toEqual([
      ['market.equities.trades.asx', 'created', 30],
      ['market.equities.quotes.asx', 'created', 30],
      ['market.equities.reference_data.asx', 'created', 1],
    ])
    for (const { topic, subject, schema_id: id, compatibility, messages } of made) {
      expect([subject, compatibility, messages]).toEqual([subjectOf(topic), 'BACKWARD', 0])
      const [, , table] = topic.split('.') as ['market', string, keyof typeof avroSchemas]
      expect(await opened.latest(subject)).toMatchObject({ id, version: 1 })
      expect(opened.schemaOf(id!)).toEqual(avroSchemas[table])
    }
    const [{ topic, schema_id: id }] = made
    expect(await createSchemaIds(opened)(topic)).toBe(id)
    const again = await handlers['topics.init'](settings(), context)
    expect(again).toEqual(made.map(row => ({ ...row, state: 'there' })))
    const [trades] = await handlers['topics.init'](settings({ retention: '3h' }), context)
    expect(trades).toMatchObject({ state: 'there', why: 'retention not set: the topic was there' })
    expect(await configOf('market.equities.trades.asx', ['retention.ms', 'cleanup.policy'])).toEqual({
      'retention.ms': '7200000',
      'cleanup.policy': 'delete',
    })
    expect(await configOf('market.equities.reference_data.asx', ['cleanup.policy'])).toEqual({
      'cleanup.policy': 'compact',
    })
  }, 60_000)

  it('that exist with other partitions are kept, and refused when others are asked for, before anything is made', async () => {
    const handlers = open(['market.crypto.trades.binance'])
    await handlers.log.createTopics([{ name: 'market.crypto.trades.binance', partitions: 3 }])
    const refused = handlers['topics.init'](settings({ partitions: 4 }), context)
    await expect(refused).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('exists with 3 partitions, not 4') as string,
    })
    expect((await handlers.log.topics()).map(({ name }) => name)).not.toContain('market.crypto.quotes.binance')
    const made = await handlers['topics.init'](settings(), context)
    expect(made.map(({ state, partitions }) => [state, partitions])).toEqual([
      ['there', 3],
      ['created', 16],
      ['created', 1],
    ])
  }, 60_000)

  it('are listed with what is missing and what else is there of our form', async () => {
    const handlers = open(['market.futures.trades.cme'])
    await handlers.log.createTopics([
      { name: 'market.options.quotes.cboe', partitions: 2 },
      { name: 'orders', partitions: 1 },
    ])
    const listed = await handlers['topics.list']({}, context)
    expect(topics['topics.list'].output.parse(listed)).toEqual(listed)
    const names = listed.map(({ topic }) => topic)
    expect(names).not.toContain('orders')
    const rows = new Map(listed.map(row => [row.topic, row]))
    expect(rows.get('market.futures.trades.cme')).toMatchObject({
      state: 'missing',
      partitions: null,
      messages: null,
      schema_id: null,
    })
    expect(rows.get('market.options.quotes.cboe')).toMatchObject({
      state: 'there',
      partitions: 2,
      messages: 0,
      schema_id: null,
    })
  }, 60_000)

  it('whose registry holds a schema that ours does not fit are told so, with its reason', async () => {
    const handlers = open(['market.equities.trades.nzx'])
    const subject = subjectOf('market.equities.trades.nzx')
    const foreign = { ...avroSchemas.trades, fields: [{ name: 'price', type: 'string' }] }
    await handlers.registry.register(subject, foreign)
    await expect(handlers['topics.init'](settings(), context)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/not compatible.*Incompatible artifact.*The topics are there/) as string,
    })
    expect((await handlers.log.topics()).map(({ name }) => name)).toContain('market.equities.trades.nzx')
  }, 60_000)
})
