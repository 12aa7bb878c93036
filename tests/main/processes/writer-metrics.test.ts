import { expect, it } from 'vitest'
import { createMetrics } from '../../../src/main/metrics/metrics.ts'
import { countWriter } from '../../../src/main/processes/writer-metrics.ts'

const TOPIC = 'market.equities.trades.asx'

it('measures how long rows take from the exchange to the commit, whatever the log says of its own times', async () => {
  const metrics = createMetrics({ environment: 'test', service: 'k2-writer' })
  const { events } = countWriter(metrics, 'k2-{data_type}', [])
  const nowMicros = Date.now() * 1000
  const none = { messages: 0, deadLetters: 0, duplicates: 0, outOfOrder: 0, resets: 0, gaps: 0, elapsedMs: 1 }
  const times = [{ topic: TOPIC, exchangeMicros: [nowMicros - 2e6, nowMicros - 30e6, nowMicros + 9e6] }]
  events.onCommit!({ ...none, table: 'trades', rows: 3, validThroughMicros: nowMicros - 3600e6, times, offsets: [] })
  const text = await metrics.text()
  const value = (name: string) =>
    Number(new RegExp(`^k2_ingestion_latency_seconds_${name}\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1])
  expect(value('count')).toBe(3)
  expect(value('sum')).toBeGreaterThanOrEqual(32)
  expect(value('sum')).toBeLessThan(92)
  expect(text).toMatch(/^k2_ingestion_latency_seconds_count\{.*exchange="ASX".*\} 3$/m)
})

it('tells nothing any more of a partition that is left to another writer', async () => {
  const metrics = createMetrics({ environment: 'test', service: 'k2-writer' })
  const { fill } = countWriter(metrics, 'k2-{data_type}', [])
  const lag = { table: 'trades', topic: TOPIC, committedOffset: 5, messages: 3, seconds: 7 } as const
  const told = async () => [
    ...(await metrics.text()).matchAll(/^k2_kafka_consumer_\w+\{.*partition="(\d)".*\} (\S+)$/gm),
  ]
  const numbers = async () => (await told()).map(([, partition, value]) => `${partition}: ${value}`)
  fill([
    { ...lag, partition: 0 },
    { ...lag, partition: 1 },
  ])
  expect(await numbers()).toEqual(['0: 3', '1: 3', '0: 7', '1: 7', '0: 5', '1: 5'])
  fill([{ ...lag, partition: 1 }])
  expect(await numbers()).toEqual(['1: 3', '1: 7', '1: 5'])
})
