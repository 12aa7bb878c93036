// Files into a log: every row a message that says exactly what the table's row would say.
import { describe, expect, it, onTestFinished } from 'vitest'
import type { z } from 'zod'
import { rowsOf, type Row } from '../../../../src/contract/columns.ts'
import { Failure } from '../../../../src/contract/failure.ts'
import { ingest, type LoadProgress } from '../../../../src/contract/ingest.ts'
import { createEmbeddedLog } from '../../../../src/main/log/embedded.ts'
import type { MessageLog } from '../../../../src/main/log/message-log.ts'
import { partitionOf } from '../../../../src/main/market/partition.ts'
import { ingestHandlers } from '../../../../src/main/sources/handlers.ts'
import type { LoadTable, LoadTarget } from '../../../../src/main/sources/load-target.ts'
import { companyInfo, LOADED_AT, writeFile } from '../../../support/csv-files.ts'
import { readLog, type LoggedRow } from './read-log.ts'

type Input = z.input<(typeof ingest)['ingest.load']['input']>
const SCHEMA_IDS: Record<LoadTable, number> = { trades: 7, quotes: 8, reference_data: 0x7fff_ff03 }

function openLog(): MessageLog {
  const log = createEmbeddedLog({ maxBytes: 256e6 })
  onTestFinished(() => log.close())
  return log
}

async function load(
  input: Input,
  log?: MessageLog,
  target = memoryTarget().target,
  signal = new AbortController().signal,
) {
  const handlers = ingestHandlers({
    target: async () => target,
    ...(log && { log: async () => ({ log, schemaIdOf: (_: string, table: LoadTable) => SCHEMA_IDS[table] }) }),
    nowMs: () => LOADED_AT / 1000,
  })
  const context = { signal, correlationId: 'test', door: 'direct' } as const
  const parsed = ingest['ingest.load'].input.parse({ exchange: 'ASX', to: log ? 'kafka' : 'lake', ...input })
  const finals: LoadProgress[] = []
  for await (const report of handlers['ingest.load'](parsed, context))
    if (report.state !== 'loading') finals.push(report)
  return finals
}

/** What the lake would be given. */
function memoryTarget() {
  const rows: Row[] = []
  const target: LoadTarget = {
    begin: async () => ({
      append: async batch => void rows.push(...rowsOf(batch)),
      commit: async () => ({ snapshotId: '1', rows: rows.length }),
      abort: async () => {},
    }),
  }
  return { rows, target }
}

/** The log's own columns are no part of a message. */
function ofMessage(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('_')))
}

const byId = (a: Row, b: Row) => (JSON.stringify(a.message_id) < JSON.stringify(b.message_id) ? -1 : 1)

async function expectSameRows(input: Input, table: LoadTable, topics: readonly string[]): Promise<LoggedRow[]> {
  const log = openLog()
  const lake = memoryTarget()
  await load(input, undefined, lake.target)
  await load(input, log)
  const logged = await readLog(log, table, topics)
  expect(logged.map(({ row }) => row).sort(byId)).toEqual(lake.rows.map(ofMessage).sort(byId))
  expect(logged.every(({ schemaId }) => schemaId === SCHEMA_IDS[table])).toBe(true)
  return logged
}

const TRADES = 'market.equities.trades.asx'

describe('files into a log', () => {
  it('of trades say what the table would, each under its symbol in the partition that everybody expects', async () => {
    const lines = [
      'symbol,exchange_timestamp,price,quantity,side,sequence_number,trade_id,company_id,qualifiers,venue',
      'BHP,1394398867532123,36.18000001,9999999999.99999999,BUY,9007199254740993,T1,7078,3,X',
      'RIO,2014-03-10T10:00:00.000001Z,90071992.54740993,0.00000001,SELL_SHORT,-9223372036854775808,,1,,',
      'Ünï,1394398867532,-1,2,,,"a,b",,,',
      ...Array.from({ length: 9000 }, (_, i) => `S${i % 70},${1394398867532 + i},${i}.5,${i + 1},SELL,${i},N${i},,,`),
    ]
    const logged = await expectSameRows({ files: [writeFile('trades.csv', lines.join('\n'))] }, 'trades', [TRADES])
    expect(logged).toHaveLength(9003)
    for (const { key, partition, row } of logged) {
      expect(key).toBe(row.symbol)
      expect(partition).toBe(partitionOf(key, 30))
    }
    const sequences = logged.filter(({ key }) => key === 'S1').map(({ row }) => Number(row.source_sequence))
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b))
  })

  it('of quotes keep sides that are empty, and asx-raw its zone and ordinals', async () => {
    const file = writeFile(
      '7078_quotes.csv',
      '03/10/2014,07:57:14.754,36.667,36.70,200,0\r\n03/10/2014,07:57:14.754,0.0,36.70,200,10\r\n',
    )
    const reference = writeFile('company_info.csv', companyInfo)
    await expectSameRows({ files: [file], reference }, 'quotes', ['market.equities.quotes.asx'])
    const raw = writeFile('7078.csv', '03/10/2014,07:57:14.754,36.667,20000,3,X,\r\n03/10/2014,07:57:15,36,1,0,,9\r\n')
    await expectSameRows({ files: [raw], reference, type: 'trades' }, 'trades', [TRADES])
  })

  it('of reference data go under the company into one partition', async () => {
    const file = writeFile('company_info.csv', companyInfo)
    const topic = 'market.equities.reference_data.asx'
    const logged = await expectSameRows({ files: [file] }, 'reference_data', [topic])
    expect(logged.map(({ key, partition }) => [key, partition])).toEqual([
      ['7078', 0],
      ['7458', 0],
      ['55', 0],
      ['55', 0],
    ])
  })

  it('of several exchanges go to the topic of each', async () => {
    const lines = ['ASX,BHP', 'BINANCE,BTCUSDT', 'ASX,RIO', 'binance,ETHUSDT'].map(
      (names, i) => `${names},${1394398867532 + i},1,2\n`,
    )
    const file = writeFile('all.csv', `exchange,symbol,exchange_timestamp,price,quantity\n${lines.join('')}`)
    const crypto = 'market.crypto.trades.binance'
    const logged = await expectSameRows({ files: [file] }, 'trades', [TRADES, crypto])
    expect(logged.map(({ topic, key }) => `${topic} ${key}`).sort()).toEqual([
      `${crypto} BTCUSDT`,
      `${crypto} ETHUSDT`,
      `${TRADES} BHP`,
      `${TRADES} RIO`,
    ])
  })
})

const HEADER = 'symbol,exchange_timestamp,price,quantity\n'
const line = (price: string | number) => `BHP,1394398867532,${price},1\n`

describe('a load into a log', () => {
  it('says in the end that the log keeps no account of files, and sends the same messages when told again', async () => {
    const log = openLog()
    const files = [writeFile('a.csv', HEADER + line(1) + line('x') + line(2))]
    const [first] = await load({ files }, log)
    expect(first).toMatchObject({ state: 'loaded', rows: 2, bad_rows: 1, dead_letters: `${files[0]}.dead.csv` })
    expect(first.snapshot_id).toBeUndefined()
    expect(first.why).toContain('K2_DEDUPE_MINUTES')
    await load({ files }, log)
    const ids = (await readLog(log, 'trades', [TRADES])).map(({ row }) => row.message_id)
    expect(ids).toHaveLength(4)
    expect(new Set(ids).size).toBe(2)
  })

  it('uses a topic as it is, whatever its partitions', async () => {
    const log = openLog()
    await log.createTopics([{ name: TRADES, partitions: 3 }])
    await load({ files: [writeFile('a.csv', HEADER + line(1))] }, log)
    expect((await log.ranges(TRADES)).map(({ latest }) => latest)).toContain(1)
  })

  it('that fails on the way says what stays in the log', async () => {
    const log = openLog()
    let appends = 0
    const failing: MessageLog = {
      ...log,
      async append(topic, messages) {
        if (++appends > 3) throw new Failure('UNAVAILABLE', 'The brokers are away; load again when they are back.')
        return log.append(topic, messages)
      },
    }
    const files = [writeFile('a.csv', HEADER + Array.from({ length: 40_000 }, (_, i) => line(i + 1)).join(''))]
    const failed = load({ files }, failing)
    await expect(failed).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(failed).rejects.toThrow(`${3 * 4096} rows of the file are in the log already and stay there.`)
    expect(await readLog(log, 'trades', [TRADES])).toHaveLength(3 * 4096)
  })

  it('has few messages on their way at a time', async () => {
    const log = openLog()
    let now = 0
    let most = 0
    const slow: MessageLog = {
      ...log,
      async append(topic, messages) {
        most = Math.max(most, ++now)
        await new Promise(resolve => setTimeout(resolve, 5))
        await log.append(topic, messages)
        now--
      },
    }
    const rows = 100_000
    const files = [writeFile('a.csv', HEADER + Array.from({ length: rows }, (_, i) => line(i + 1)).join(''))]
    expect((await load({ files }, slow))[0]).toMatchObject({ state: 'loaded', rows })
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(6)
    const prices = (await readLog(log, 'trades', [TRADES])).map(({ row }) => row.price)
    expect(prices).toEqual(Array.from({ length: rows }, (_, i) => String(i + 1)))
  })

  it('needs a Kafka', async () => {
    const failed = load({ files: ['/tmp'], to: 'kafka' })
    await expect(failed).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    await expect(failed).rejects.toThrow('K2_KAFKA_BROKERS')
  })
})
