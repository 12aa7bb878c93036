// What a stream needs of a person in a shell, on a real broker: dead letters, where to go on, and a gap it may not pass.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openKafkaLog } from '../../src/main/log/kafka.ts'
import type { MessageLog } from '../../src/main/log/message-log.ts'
import { openRegistry } from '../../src/main/log/registry.ts'
import { registerSchema } from '../../src/main/log/schema-ids.ts'
import { newProfile, runK2 } from '../support/k2.ts'
import { startKafka, type KafkaBroker } from '../support/kafka-broker.ts'
import { produced } from '../support/kafka-log.ts'
import { produced as producedRows } from '../support/market-messages.ts'
import { needs } from '../support/needs.ts'
import { startRegistry } from '../support/registry-server.ts'
import { letterText, openFeed } from '../support/stream-feed.ts'

const kafka = needs('kafka')
const registryServer = needs('registry')
const TRADES = 'market.equities.trades.asx'
const UNKNOWN = 'market.equities.trades.nyse'
const QUOTES = 'market.equities.quotes.asx'
const START_MS = 1_772_412_082_118

describe.skipIf(kafka.skip)(`a stream looked after from a shell${kafka.because}`, () => {
  let broker: KafkaBroker
  let log: MessageLog
  beforeAll(async () => {
    broker = await startKafka()
    log = openKafkaLog({ brokers: [broker.bootstrap] })
    await log.createTopics([TRADES, UNKNOWN, QUOTES].map(name => ({ name, partitions: 1 })))
    const texts = [1, 2, 3, 4, 5].map(n => tradeText(n))
    texts.splice(3, 0, 'not a trade', '{"symbol":"BHP"}')
    await log.append(TRADES, produced(texts.map(text => ({ key: 'BHP', text }))))
  })
  afterAll(async () => {
    await log?.close()
    await broker?.close()
  })

  const tradeText = (n: number) =>
    JSON.stringify({ symbol: 'BHP', exchange_timestamp_ms: START_MS + n, price: '41.25', quantity: '100' })

  function openShell(profile = newProfile(), env: Record<string, string> = {}) {
    const run = (...words: string[]) =>
      runK2(['--profile', profile, ...words], { env: { K2_KAFKA_BROKERS: broker.bootstrap, ...env } })
    const ask = async <T>(...words: string[]): Promise<T> => {
      const { code, stdout, stderr } = await run(...words, '-o', 'json')
      expect([code, stderr]).toEqual([0, ''])
      return JSON.parse(stdout) as T
    }
    const consume = async (topic: string, messages: number) => {
      const { code, stderr } = await run('ingest', 'consume', '--topic', topic, '--max-messages', String(messages))
      expect([code, stderr]).toEqual([0, expect.stringContaining(`messages=${messages} `)])
    }
    const rowsIn = async (table: string) => {
      const { tables } = await ask<{ tables: { rows: number }[] }>('lake', 'verify', '--table', table)
      return tables[0].rows
    }
    return { profile, run, ask, consume, rowsIn }
  }

  it('lists what could not be written with its place and reason, shows its bytes, and tries it again', async () => {
    const { run, ask, consume, rowsIn } = openShell()
    await consume(TRADES, 7)
    const place = { topic: TRADES, partition: 0 }
    expect(await ask('ingest', 'dlq', 'list')).toEqual([
      expect.objectContaining({ ...place, offset: '4', reason: 'missing_field', bytes: 16 }),
      expect.objectContaining({ ...place, offset: '3', reason: 'undecodable', bytes: 11 }),
    ])
    expect(await ask('ingest', 'dlq', 'list', '--reason', 'undecodable')).toHaveLength(1)
    expect(await ask('ingest', 'dlq', 'show', TRADES, '0', '3')).toMatchObject({
      ...place,
      key: 'BHP',
      text: 'not a trade',
      base64: Buffer.from('not a trade').toString('base64'),
    })
    for (let n = 0; n < 2; n++)
      expect(await ask('ingest', 'dlq', 'replay')).toEqual({ tried: 2, written: 0, already_there: 0, still_bad: 2 })
    expect([await rowsIn('trades'), await rowsIn('dead_letters')]).toEqual([5, 2])

    const none = await run('ingest', 'dlq', 'show', TRADES, '0', '2')
    expect(none).toEqual({
      code: 1,
      stdout: '',
      stderr: `k2: No message of ${TRADES}, partition 0, offset 2 was set aside.\n`,
    })
  })

  it.skipIf(registryServer.skip)(
    `writes once what can be read when its schema is known${registryServer.because}`,
    async () => {
      const server = await startRegistry()
      onTestFinished(server.stop)
      const registry = openRegistry({ urls: [server.url] })
      onTestFinished(registry.close)
      const schemaId = await registerSchema(registry, UNKNOWN)
      await openFeed(log, [{ topic: UNKNOWN, table: 'trades', schemaId }]).produce(10)

      const { profile, ask, consume, rowsIn } = openShell()
      await consume(UNKNOWN, 10)
      const letters = await ask<{ offset: string; reason: string; error: string }[]>('ingest', 'dlq', 'list')
      const unknown = letters.filter(({ reason }) => reason === 'unknown_schema')
      expect([letters.length, unknown.length, await rowsIn('trades')]).toEqual([10, 9, 0])
      expect(unknown[0].error).toContain('K2_SCHEMA_REGISTRY_URL')

      const later = openShell(profile, { K2_SCHEMA_REGISTRY_URL: server.url })
      const replay = () => later.ask('ingest', 'dlq', 'replay', '--topic', UNKNOWN)
      expect(await replay()).toEqual({ tried: 10, written: 9, already_there: 0, still_bad: 1 })
      expect(await replay()).toEqual({ tried: 10, written: 0, already_there: 9, still_bad: 1 })
      expect(await rowsIn('trades')).toBe(9)
      const bad = letters.find(({ reason }) => reason === 'undecodable')!
      expect(await ask('ingest', 'dlq', 'show', UNKNOWN, '0', bad.offset)).toMatchObject({ text: letterText(7) })
    },
  )

  it('says how far the log is in the tables, and reads again from where it is told with no row twice', async () => {
    const { ask, consume, rowsIn } = openShell()
    await consume(TRADES, 4)
    const place = { table: 'trades', topic: TRADES, partition: 0 }
    const show = () => ask<object[]>('ingest', 'offsets', 'show')
    expect(await show()).toMatchObject([{ ...place, next_offset: '4', earliest: '0', latest: '7', lag: 3 }])
    await consume(TRADES, 3)
    expect(await show()).toMatchObject([{ ...place, next_offset: '7', lag: 0 }])

    const set = await ask('ingest', 'offsets', 'set', TRADES, '0', 'earliest')
    expect(set).toMatchObject({ ...place, before: '7', next_offset: '0' })
    expect(await show()).toMatchObject([{ ...place, next_offset: '0', lag: 7 }])
    await consume(TRADES, 7)
    expect(await show()).toMatchObject([{ ...place, next_offset: '7', lag: 0 }])
    expect([await rowsIn('trades'), await rowsIn('dead_letters')]).toEqual([5, 2])
  })

  it('refuses in one line what is no place in the log', async () => {
    const { run } = openShell()
    for (const [words, code, said] of [
      [['set', TRADES, '7', 'earliest'], 1, `Topic ${TRADES} has 1 partition, and no 7. Nothing was changed.`],
      [
        ['set', TRADES, '0', '8'],
        1,
        `partition 0 of ${TRADES} from 0 up to 7; 8 is not in there. Nothing was changed.`,
      ],
      [['set', 'market.equities.trades.none', '0', 'earliest'], 1, 'The log has no topic market.equities.trades.none.'],
      [['set', TRADES, '0', 'nowhere'], 2, '"nowhere" says no place in a log: give earliest, latest, an offset'],
      [['set', TRADES, 'first', 'earliest'], 2, 'partition: must be a number.'],
      [['set', TRADES, '0'], 2, "missing required argument 'to'."],
      [['show', TRADES], 1, `No table has anything of topic ${TRADES} yet.`],
    ] as const) {
      const refused = await run('ingest', 'offsets', ...words)
      expect([refused.code, refused.stdout], words.join(' ')).toEqual([code, ''])
      expect(refused.stderr).toMatch(/^k2: .*\n$/)
      expect(refused.stderr).toContain(said)
    }
  })

  it('halts before a gap with one line that says what to do, and passes it when asked to', async () => {
    const numbers = [1, 2, 3, 300, 301]
    const logMicros = Date.now() * 1000 // else Kafka lets go of them as too old
    const quotes = numbers.map(n => ({ symbol: 'BHP', id: n, micros: (START_MS + n) * 1000, sequence: n, logMicros }))
    await log.append(QUOTES, producedRows('quotes', quotes))
    const { run, ask, consume } = openShell()
    const inTable = async () => {
      const words = ['SELECT source_sequence AS n FROM quotes ORDER BY n', '--snapshot', 'current']
      return (await ask<{ n: string }[]>('query', 'sql', ...words)).map(({ n }) => Number(n))
    }
    const gaps = () =>
      ask('query', 'sql', 'SELECT expected_sequence, received_sequence, gap_size, _offset FROM sequence_gaps')
    const gap = { expected_sequence: '4', received_sequence: '300', gap_size: '296', _offset: '3' }

    const halted = await run('ingest', 'consume', '--topic', QUOTES, '--on-gap', 'halt')
    expect(halted.code).toBe(1)
    expect(halted.stderr.split('\n')).toEqual([
      expect.stringMatching(/^messages=5 rows=3 .* gaps=1 .* lag=2 /),
      `k2: Halted: 296 messages of BHP on ASX are missing before offset 3 of partition 0 of ${QUOTES}. ` +
        'What lies before is committed and the gap is recorded; nothing after it was written. ' +
        'Fill the gap at its source, or start again with --on-gap continue to pass it.',
      '',
    ])
    expect(await inTable()).toEqual([1, 2, 3])
    expect(await gaps()).toEqual([gap])

    await consume(QUOTES, 2)
    expect(await inTable()).toEqual(numbers)
    expect(await gaps()).toEqual([gap])
  })
})
