// One of two topics that one read goes over is deleted on a real broker: it alone ends, and the other is written on.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openKafkaLog } from '../../src/main/log/kafka.ts'
import { deleteTopic } from '../support/kafka-admin.ts'
import { startKafka, type KafkaBroker } from '../support/kafka-broker.ts'
import { needs } from '../support/needs.ts'
import { plainProduced } from '../support/plain-intake.ts'
import { CRYPTO, memoryTables, openWriter, TRADES } from '../support/writer.ts'

const kafka = needs('kafka')
const SOON = { timeout: 20_000 }
const trades = (from: number, count: number) =>
  plainProduced(Array.from({ length: count }, (_, i) => ({ id: `A${from + i}`, symbol: 'A', seq: from + i })))

describe.skipIf(kafka.skip)(`a topic that is deleted on the broker while it is written${kafka.because}`, () => {
  let broker: KafkaBroker
  beforeAll(async () => {
    broker = await startKafka()
  })
  afterAll(() => broker?.close())

  it('ends alone and says so, and is not taken for the one that is made anew', async () => {
    const log = openKafkaLog({ brokers: [broker.bootstrap] })
    onTestFinished(() => log.close())
    await log.createTopics([TRADES, CRYPTO].map(name => ({ name, partitions: 2 })))
    const tables = memoryTables()
    const settings = { topics: [], pattern: String.raw`market\..*\.trades\..*`, lookEveryMs: 200 }
    const writer = openWriter({ log, tables, settings })
    onTestFinished(async () => void (await writer.stop()))
    await log.append(TRADES, trades(1, 5))
    await log.append(CRYPTO, trades(101, 5))
    await expect.poll(() => tables.trades.rows().length, SOON).toBe(10)

    await deleteTopic(broker.bootstrap, CRYPTO)
    await expect.poll(() => writer.status().why, SOON).toMatch(new RegExp(`^Deleted.*${CRYPTO}`))
    await log.append(TRADES, trades(6, 5))
    await expect.poll(() => tables.trades.rows().length, SOON).toBe(15)
    await expect.poll(() => writer.status(), SOON).toMatchObject({ state: 'writing', lag: 0 })

    // Another topic of the pattern: the read is begun anew, and the one that is gone does not hold it up.
    const later = 'market.futures.trades.asx'
    await log.createTopics([{ name: later, partitions: 1 }])
    await log.append(later, trades(201, 5))
    await expect.poll(() => tables.trades.rows().length, SOON).toBe(20)

    await log.createTopics([{ name: CRYPTO, partitions: 2 }])
    await expect.poll(() => writer.status(), SOON).toMatchObject({ state: 'stopped' })
    expect(writer.status().why).toContain('deleted and made anew')
    expect(tables.trades.rows()).toHaveLength(20)
  })
})
