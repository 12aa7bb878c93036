// What a run of the writing half, whole, says of a stream with something wrong in it: every metric has the value that the
// stream gives it, and the labels to find the place by.
import { expect, it, onTestFinished, vi } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import { loadConfig } from '../../../src/main/config/load-config.ts'
import { createEmbeddedLog } from '../../../src/main/log/embedded.ts'
import type { MessageLog, ReadOptions } from '../../../src/main/log/message-log.ts'
import { mergeMetrics } from '../../../src/main/metrics/metrics.ts'
import { startWriterEngine, type WriterHooks } from '../../../src/main/processes/writer.ts'
import { produced as texts } from '../../support/log-messages.ts'
import { produced, type SampleRow } from '../../support/market-messages.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

const TRADES = 'market.equities.trades.asx'
const ASX = { exchange: 'ASX', asset_class: 'equities' }
const OPEN_MICROS = Date.UTC(2026, 10, 23, 1) * 1000
const HOUR_MICROS = 3_600e6

async function openLog(): Promise<MessageLog> {
  const log = createEmbeddedLog({ maxBytes: 16e6 })
  await log.createTopics([{ name: TRADES, partitions: 1 }])
  return log
}

async function startWriting(log: MessageLog, hooks: WriterHooks = {}) {
  const env = { K2_PROFILE: makeTempFolder(), K2_LOG_LEVEL: 'silent', K2_CONSUMER_BATCH_SECONDS: '60' }
  const engine = await startWriterEngine({ config: loadConfig({ env }), byItself: true }, () => log, hooks)
  onTestFinished(async () => void (await engine.close(AbortSignal.timeout(10_000))))
  const context = { signal: new AbortController().signal, correlationId: 'c', door: 'cli' } as const
  const status = () => engine.handlers['ingest.status']({}, context)
  const finish = () => engine.handlers['writer.finish']({}, context)
  return { metrics: async () => samplesIn(await mergeMetrics([await engine.metrics()])), status, finish }
}

const series = (labels: Record<string, string>, value: number) => ({ labels, value })

/** By name, each series' own labels and its value. */
function samplesIn(text: string) {
  const lines = [...text.matchAll(/^(k2_\w+)\{(.*)\} (\S+)$/gm)].map(([, name, labels, value]) => {
    const own = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, said]) => [label, said])
    const { service, environment, component, ...rest } = Object.fromEntries(own) as Record<string, string>
    expect([service, environment, component]).not.toContain(undefined)
    return { name, labels: rest, value: Number(value) }
  })
  return (name: string) => lines.filter(line => line.name === name).map(({ labels, value }) => series(labels, value))
}

const trade = (symbol: string, sequence: number, micros = OPEN_MICROS + sequence): SampleRow => ({
  symbol,
  sequence,
  id: sequence,
  micros,
  logMicros: OPEN_MICROS,
})

const ODD_STREAM = [
  ...[1, 2, 5, 20, 140, 141].map(sequence => trade('BHP', sequence)), // 2, 14 and 119 are missing
  ...[7, 9, 11].map(sequence => trade('CBA', sequence)),
  trade('CBA', 12, OPEN_MICROS), // the next one, and yet earlier
  ...[141, 141, 20].map(sequence => trade('BHP', sequence)), // repeats
  ...[130, 131].map(sequence => trade('BHP', sequence)), // late
  trade('BHP', 1, OPEN_MICROS + HOUR_MICROS), // begun anew
]
const UNREADABLE = ['no message of ours', 'nor this one', '\0\0\0\u0003gof a schema that nobody knows', null]

it('counts gaps, repeats, late messages, sequences begun anew and what cannot be read', async () => {
  const log = await openLog()
  const { metrics, status, finish } = await startWriting(log)
  await log.append(TRADES, produced('trades', ODD_STREAM))
  await log.append(TRADES, texts(UNREADABLE.map(text => ['x', text])))
  const messages = ODD_STREAM.length + UNREADABLE.length
  await vi.waitFor(async () => expect(await status()).toMatchObject({ messages }), 10_000)
  await finish()
  await metrics()
  const of = await metrics() // reading them does not count anything twice
  expect(of('k2_sequence_gaps_detected_total')).toEqual([
    series({ ...ASX, symbol: 'BHP', severity: 'minor' }, 1),
    series({ ...ASX, symbol: 'BHP', severity: 'major' }, 1),
    series({ ...ASX, symbol: 'BHP', severity: 'critical' }, 1),
    series({ ...ASX, symbol: 'CBA', severity: 'minor' }, 2),
  ])
  expect(of('k2_duplicate_messages_detected_total')).toEqual([series(ASX, 3)])
  expect(of('k2_out_of_order_messages_total')).toEqual([series(ASX, 2)])
  expect(of('k2_sequence_resets_detected_total')).toEqual([series(ASX, 1)])
  expect(of('k2_sequence_disagreements_total')).toEqual([series(ASX, 1)])
  expect(of('k2_dead_letters_total')).toEqual([
    series({ topic: TRADES, reason: 'undecodable' }, 2),
    series({ topic: TRADES, reason: 'unknown_schema' }, 1),
    series({ topic: TRADES, reason: 'no_value' }, 1),
  ])
  expect(of('k2_deserializer_errors_total')).toEqual([series({ topic: TRADES }, 3)])
})

it('tells how far the table is behind the log, in messages and in time, and where it is', async () => {
  const log = await openLog()
  const { metrics, status, finish } = await startWriting(log)
  const ageSeconds = 90
  const logMicros = (Date.now() - ageSeconds * 1000) * 1000
  const rows = Array.from({ length: 20 }, (_, i) => ({ ...trade('BHP', i + 1), logMicros }))
  await log.append(TRADES, produced('trades', rows))
  await vi.waitFor(async () => expect(await status()).toMatchObject({ messages: 20 }), 10_000)
  const place = { topic: TRADES, partition: '0', consumer_group: 'k2-iceberg-writer-trades' }
  const before = await metrics()
  expect(before('k2_kafka_consumer_lag_messages')).toEqual([series(place, 20)])
  expect(before('k2_kafka_consumer_offset')).toEqual([series(place, 0)])
  const [{ labels, value: seconds }] = before('k2_kafka_consumer_lag_seconds')
  expect(labels).toEqual(place)
  expect(seconds).toBeGreaterThanOrEqual(ageSeconds)
  expect(seconds).toBeLessThan(ageSeconds + 30)
  expect(before('k2_kafka_messages_consumed_total')).toEqual([
    series({ ...ASX, topic: TRADES, consumer_group: place.consumer_group }, 20),
  ])

  await finish()
  const after = await metrics()
  expect(after('k2_kafka_consumer_lag_messages')).toEqual([series(place, 0)])
  expect(after('k2_kafka_consumer_lag_seconds')).toEqual([series(place, 0)])
  expect(after('k2_kafka_consumer_offset')).toEqual([series(place, 20)])
})

it('shows which breaker is open, and when it lets something through again', async () => {
  let trouble: ReadOptions['onTrouble']
  const log = await openLog()
  const watched: MessageLog = {
    ...log,
    read(options) {
      trouble = options.onTrouble
      return log.read(options)
    },
  }
  const { metrics } = await startWriting(watched, { halfOpenAfterMs: 1_000 })
  await vi.waitFor(() => expect(trouble).toBeDefined(), 10_000)
  const states = async () => {
    const found = (await metrics())('k2_circuit_breaker_state')
    return Object.fromEntries(found.map(({ labels, value }) => [labels.breaker_name, value]))
  }
  const closed = { kafka: 0, registry: 0, catalog: 0, s3: 0 }
  expect(await states()).toEqual(closed)
  for (let i = 0; i < 5; i++) trouble!(new Failure('UNAVAILABLE', 'The broker is away.'))
  await vi.waitFor(async () => expect(await states()).toEqual({ ...closed, kafka: 2 }), {
    timeout: 10_000,
    interval: 5,
  })
  expect((await metrics())('k2_circuit_breaker_failures_total')).toEqual([series({}, 5)])
  await vi.waitFor(async () => expect(await states()).toEqual({ ...closed, kafka: 1 }), {
    timeout: 10_000,
    interval: 20,
  })
  trouble!(undefined)
  await vi.waitFor(async () => expect(await states()).toEqual(closed), { timeout: 10_000, interval: 5 })
})
