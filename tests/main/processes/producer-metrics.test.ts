import { expect, it, onTestFinished } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import { createEmbeddedLog } from '../../../src/main/log/embedded.ts'
import type { MessageLog } from '../../../src/main/log/message-log.ts'
import { EMBEDDED_SCHEMA_IDS } from '../../../src/main/market/avro-schemas.ts'
import { createStandardizer, noRegistry } from '../../../src/main/market/standardize.ts'
import { createMetrics } from '../../../src/main/metrics/metrics.ts'
import type { OpenedLog } from '../../../src/main/processes/open-log.ts'
import { countLogEvent, countProducing } from '../../../src/main/processes/producer-metrics.ts'
import { produced } from '../../support/market-messages.ts'

const TRADES = 'market.equities.trades.asx'
const lots = (count: number) =>
  produced(
    'trades',
    Array.from({ length: count }, (_, id) => ({ symbol: 'BHP', id, micros: 1 })),
  )

async function openCounted(more: Partial<OpenedLog> = {}) {
  const log = createEmbeddedLog({ maxBytes: 16e6 })
  onTestFinished(() => log.close())
  await log.createTopics([{ name: TRADES, partitions: 2 }])
  const metrics = createMetrics({ environment: 'test', service: 'k2' })
  const opened: OpenedLog = {
    log,
    schemaOf: noRegistry.schemaOf,
    standardize: createStandardizer({ schemas: noRegistry }),
    schemaIdOf: () => Promise.resolve(EMBEDDED_SCHEMA_IDS.trades),
    close: () => log.close(),
    ...more,
  }
  const lines = async (name: string) =>
    (await metrics.text())
      .split('\n')
      .filter(line => line.startsWith(`${name}{`))
      .map(line => line.replace(/^.*?\{/, '{'))
  const value = async (name: string) => Number((await lines(name))[0]?.split(' ').at(-1) ?? 0)
  return { metrics, counted: countProducing(opened, metrics), lines, value }
}

it('counts messages by topic and market, how long they took, and that the producer has started', async () => {
  const { counted, lines, value } = await openCounted()
  expect(await value('k2_producer_initialized_total')).toBe(0)
  await counted.log.append(TRADES, lots(7))
  await counted.log.append(TRADES, lots(5))
  const [line] = await lines('k2_kafka_messages_produced_total')
  expect(line).toMatch(
    /topic="market.equities.trades.asx",data_type="trades",exchange="asx",asset_class="equities".* 12$/i,
  )
  expect(await value('k2_kafka_produce_duration_seconds_count')).toBe(2)
  expect(await value('k2_producer_initialized_total')).toBe(1)
  expect(await counted.log.ranges(TRADES)).toContainEqual(expect.objectContaining({ latest: 12 }))
})

it('counts what the log did not take, and what was given up, and hands the failure on', async () => {
  const failures = [new Failure('UNAVAILABLE', 'away'), new Failure('NOT_FOUND', 'no topic')]
  const log: MessageLog = { ...createEmbeddedLog({ maxBytes: 1e6 }), append: () => Promise.reject(failures.shift()!) }
  onTestFinished(() => log.close())
  const { counted, lines, value } = await openCounted({ log })
  await expect(counted.log.append(TRADES, lots(1))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await expect(counted.log.append(TRADES, lots(1))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await lines('k2_kafka_produce_errors_total')).toEqual([
    expect.stringMatching(/error_type="UNAVAILABLE".* 1$/),
    expect.stringMatching(/error_type="NOT_FOUND".* 1$/),
  ])
  expect(await lines('k2_kafka_messages_produced_total')).toEqual([])
  expect(await value('k2_producer_init_errors_total')).toBe(2)
  expect(await value('k2_kafka_produce_max_retries_exceeded_total')).toBe(1)
})

it('counts rows that find no schema, and what is tried again', async () => {
  const { counted, metrics, lines, value } = await openCounted({
    schemaIdOf: () => Promise.reject(new Failure('CONFLICT', 'it does not fit')),
  })
  await expect(counted.schemaIdOf(TRADES)).rejects.toMatchObject({ code: 'CONFLICT' })
  expect((await lines('k2_serializer_errors_total'))[0]).toMatch(/subject="market.equities.trades.asx-value".* 1$/)
  countLogEvent(metrics, { kind: 'produce_retried', topic: TRADES, message: 'again' })
  countLogEvent(metrics, { kind: 'broker_lost', broker: 'one', message: 'gone' })
  expect(await value('k2_kafka_produce_retries_total')).toBe(1)
})
