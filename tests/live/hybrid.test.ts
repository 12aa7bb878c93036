// Fresh and history in one answer over a real broker: what was just produced is in it, once, while the writer commits.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { QueryMeta } from '../../src/contract/fields.ts'
import { openKafkaLog } from '../../src/main/log/kafka.ts'
import { ask, startK2 } from '../support/k2.ts'
import { startKafka } from '../support/kafka-broker.ts'
import { needs } from '../support/needs.ts'

const kafka = needs('kafka')
const TOPIC = 'market.equities.trades.asx'
const ROUNDS = 15
const ROWS_A_ROUND = 40

interface Recent {
  data: { price: string }[]
  meta: { query: QueryMeta }
}

describe.skipIf(kafka.skip)(`over a real broker${kafka.because}`, () => {
  it('answers with every trade once, up to the one just produced', { timeout: 180_000 }, async () => {
    const broker = await startKafka()
    onTestFinished(() => broker.close())
    const log = openKafkaLog({ brokers: [broker.bootstrap] })
    onTestFinished(() => log.close())
    await log.createTopics([{ name: TOPIC, partitions: 1 }])
    const env = { K2_KAFKA_BROKERS: broker.bootstrap, K2_TOPICS: TOPIC, K2_CONSUMER_BATCH_SECONDS: '1' }
    const { url } = await startK2(['serve'], { env })

    const shares = { lake: 0, tail: 0 }
    for (let round = 1; round <= ROUNDS; round++) {
      const first = (round - 1) * ROWS_A_ROUND
      await log.append(TOPIC, trades(first, ROWS_A_ROUND))
      const produced = first + ROWS_A_ROUND
      const asked = `symbol=BHP&exchange=ASX&limit=10000&min_offsets=${TOPIC}:0:${produced}`
      const { data, meta } = await answerOf(url, `/v1/trades/recent?${asked}`)
      expect(data.map(({ price }) => Number(price))).toEqual(Array.from({ length: produced }, (_, i) => i + 1))
      expect(meta.query).toMatchObject({ partial: false, why: null })
      shares.lake = Math.max(shares.lake, meta.query.sources.lake?.rows ?? 0)
      shares.tail = Math.max(shares.tail, meta.query.sources.tail?.rows ?? 0)
      await sleep(300)
    }
    expect(shares.lake).toBeGreaterThan(0)
    expect(shares.tail).toBeGreaterThan(0)
  })
})

/** The first answers may take longer than anybody waits: the topic is looked for, and the writer begins. */
async function answerOf(url: string, path: string): Promise<Recent> {
  for (let tries = 1; ; tries++) {
    const { status, body } = await ask<Recent>(url, path)
    if (status === 200) return body
    if (tries === 10) expect({ status, body }).toMatchObject({ status: 200 })
    expect([503, 504]).toContain(status)
    await sleep(200)
  }
}

/** In the slim form; each has its number as its price. */
function trades(first: number, count: number) {
  const texts = Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      symbol: 'BHP',
      exchange: 'ASX',
      exchange_timestamp_ms: Date.now(),
      price: String(first + i + 1),
      quantity: '1',
      side: 'BUY',
      source_sequence: first + i + 1,
    }),
  )
  let end = 0
  return {
    count,
    keys: texts.map(() => 'BHP'),
    values: Buffer.from(texts.join('')),
    ends: Uint32Array.from(texts, text => (end += Buffer.byteLength(text))),
  }
}
