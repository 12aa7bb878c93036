// `k2 ingest consume` as a person runs it on a real broker: topics by a pattern, totals, and Ctrl-C.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openKafkaLog } from '../../src/main/log/kafka.ts'
import type { MessageLog } from '../../src/main/log/message-log.ts'
import { ended, newProfile, runK2, spawnK2 } from '../support/k2.ts'
import { startKafka, type KafkaBroker } from '../support/kafka-broker.ts'
import { produced } from '../support/kafka-log.ts'
import { needs } from '../support/needs.ts'
import { waitFor } from '../support/stream-wait.ts'

const kafka = needs('kafka')
const TRADES = ['market.equities.trades.asx', 'market.crypto.trades.binance']
const QUOTES = 'market.equities.quotes.asx'
const PATTERN = 'market\\..*\\.trades\\..*'

describe.skipIf(kafka.skip)(`consume from a shell${kafka.because}`, () => {
  let broker: KafkaBroker
  let log: MessageLog
  let sent = 0
  beforeAll(async () => {
    broker = await startKafka()
    log = openKafkaLog({ brokers: [broker.bootstrap] })
    await log.createTopics([...TRADES, QUOTES].map(name => ({ name, partitions: 1 })))
  })
  afterAll(async () => {
    await log?.close()
    await broker?.close()
  })

  async function send(topic: string, count: number): Promise<void> {
    const texts = Array.from({ length: count }, () => {
      const trade = {
        symbol: 'BHP',
        exchange_timestamp_ms: 1_772_412_082_118 + ++sent,
        price: '41.25',
        quantity: '100',
      }
      return { key: 'BHP', text: JSON.stringify(trade) }
    })
    await log.append(topic, produced(texts))
  }

  it('takes all topics of a pattern and no other, goes on where the tables end, and tells its totals', async () => {
    const profile = newProfile()
    const env = { K2_KAFKA_BROKERS: broker.bootstrap }
    const words = ['--profile', profile, 'ingest', 'consume', '--topic-pattern', PATTERN]
    for (const topic of TRADES) await send(topic, 150)
    await send(QUOTES, 10)

    const first = await runK2([...words, '--max-messages', '300'], { env })
    expect(first.stderr).toMatch(/messages=300 rows=300 .*dead_letters=0/)
    expect(first.code).toBe(0)

    await send(TRADES[1], 50)
    const child = spawnK2(words, { env })
    onTestFinished(() => void child.kill('SIGKILL'))
    const second = ended(child)
    const rowsNow = async () => {
      const { stdout } = await runK2(['--profile', profile, 'lake', 'snapshots', '-n', '1', '-o', 'json'])
      return (JSON.parse(stdout) as { total_rows: number }[])[0].total_rows
    }
    await waitFor('the rest to be committed', async () => ((await rowsNow()) === 350 ? true : undefined))
    child.kill('SIGINT')
    const { code, stderr } = await second
    expect(stderr).toMatch(/messages=50 rows=50 /)
    expect(code).toBe(130)
  })

  it('refuses a topic together with a pattern, and a pattern that is none', async () => {
    const consume = (...words: string[]) =>
      runK2(['--profile', newProfile(), 'ingest', 'consume', ...words], { env: { K2_KAFKA_BROKERS: broker.bootstrap } })
    const both = await consume('--topic', TRADES[0], '--topic-pattern', PATTERN)
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('exclude each other')])
    const none = await consume('--topic-pattern', 'market\\.(')
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('pattern')])
  })
})
