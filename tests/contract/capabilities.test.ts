// Every capability of K2, answered by the real engines over every door.
import { setTimeout as sleep } from 'node:timers/promises'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Capability, Client, Contract } from '../../src/contract/capability.ts'
import { rowsOf } from '../../src/contract/columns.ts'
import { batchTables, rowSchema, type QueryMeta, type Receipt } from '../../src/contract/fields.ts'
import { contract, type K2 } from '../../src/contract/index.ts'
import { anyRows } from '../../src/contract/sql.ts'
import { closeInOrder } from '../../src/main/base/close-in-order.ts'
import { createLog } from '../../src/main/base/log.ts'
import { compose, type Composed } from '../../src/main/compose.ts'
import { loadConfig } from '../../src/main/config/load-config.ts'
import type { Config } from '../../src/main/config/settings.ts'
import { deadLetterRows } from '../../src/main/ingest/side-rows.ts'
import { lakeOptions } from '../../src/main/processes/lake-options.ts'
import { openLake } from '../../src/main/lake/lake.ts'
import { createStreamTable } from '../../src/main/lake/stream/stream-table.ts'
import { connectDirect } from '../../src/main/wire/direct.ts'
import { startBinanceServer, type BinanceServer } from '../support/binance-server.ts'
import { openDoor, TRANSPORTS, type Transport } from '../support/transports.ts'

const profile = mkdtempSync(join(tmpdir(), 'k2-capabilities-'))
const csv = join(profile, 'trades.csv')

const NO_SESSION = '00000000-0000-4000-8000-000000000000'
const TOPIC = 'market.equities.trades.asx'

/** One allowed input of each; a capability without one does not compile. */
const examples: { [N in keyof K2]: z.input<K2[N]['input']> } = {
  'system.health': {},
  'system.live': {},
  'system.about': {},
  'stats.get': {},
  'config.get': {},
  'trades.recent': { symbol: 'BHP', exchange: 'asx', limit: 7 },
  'quotes.recent': { symbol: 'BTCUSDT', exchange: 'BINANCE', window_minutes: 1 },
  'symbols.list': { exchange: 'ASX' },
  'tail.follow': { data_type: 'quotes', symbols: ['BHP', 'RIO'], backlog: 5 },
  'trades.list': { symbol: 'BHP', start_time: '2014-03-10', limit: 5 },
  'quotes.list': { exchange: 'asx', order: 'asc' },
  'trades.query': { symbols: ['BHP'], min_price: '10.5', sides: ['BUY', 'UNKNOWN'], limit: 5 },
  'quotes.query': { min_quantity: 1, order: 'sequence' },
  'snapshots.query': { id: '1', table: 'trades', limit: 5 },
  'receipts.read': { snapshot: null, offsets: [], query: { name: '', input: {} }, hash: '' }, // that of what is loaded below
  'dates.range': { symbol: 'BHP' },
  'lake.init': {},
  'snapshots.list': { limit: 5 },
  'snapshots.current': {},
  'snapshots.diff': { a: '1', b: '2', table: 'trades' },
  'lake.tag': { name: 'before-the-open' },
  'lake.rollback': { snapshot_id: '1' }, // ids are those of what is loaded below
  'lake.compact': { table: 'trades' },
  'lake.expire': { dry_run: true },
  'lake.orphans': { older_than_hours: 1 },
  'lake.verify': { quick: true },
  'ingest.load': { files: [csv], type: 'trades', exchange: 'ASX', again: true },
  'ingest.consume': { topic: TOPIC, max_messages: 100 },
  'ingest.status': {},
  'ingest.stream': { source: 'binance', symbols: ['BTCUSDT'], max_messages: 1 },
  'deadLetters.list': {},
  'deadLetters.show': { topic: TOPIC, partition: 0, offset: 0 }, // the one that is made below
  'deadLetters.replay': { topic: TOPIC },
  'offsets.show': {},
  'offsets.set': { topic: TOPIC, partition: 0, to: 'latest' },
  'trades.export': { symbols: ['RIO'], limit: 10, format: 'csv' },
  'quotes.export': { format: 'arrow', limit: 10 },
  'snapshots.export': { id: '1', table: 'trades', format: 'parquet' }, // of what is loaded below
  'sql.run': { sql: 'SELECT symbol, price FROM trades LIMIT 5' },
  'sql.export': { sql: 'SELECT symbol, price FROM trades', format: 'csv' },
  'results.open': { sql: 'SELECT symbol, price FROM trades' },
  'results.window': { result: NO_SESSION, first: 0, count: 10 }, // of one that is opened below
  'results.export': { result: NO_SESSION, format: 'csv' },
  'results.close': { result: NO_SESSION },
  'topics.init': {},
  'topics.list': {},
  'replay.read': { symbols: ['BHP'], start_time: '2014-03-10' },
  'replay.play': { symbol: 'BHP', batch_size: 10 },
  'bars.list': { symbol: 'BHP', interval: '5m', fill: 'previous' },
  'summary.day': { symbol: 'BHP', date: '2014-03-10' },
  'aggregations.run': { symbols: ['BHP'], metrics: ['vwap', 'twap', 'spread'], interval: '1h' },
  'replay.open': { data_types: ['trades', 'quotes'], symbols: ['BHP'] },
  'replay.control': { session: NO_SESSION, action: 'speed', speed: 'max' }, // of one that is opened below
  'replay.follow': { session: NO_SESSION },
  'replay.state': { session: NO_SESSION },
  'replay.close': { session: NO_SESSION },
  'asof.join': { symbol: 'BHP', horizons_ms: [1000], window_before_ms: 500 },
  'demo.start': { rate: 20_000 },
  'demo.status': {},
  'demo.stop': {},
}

let composed: Composed
let binance: BinanceServer
let trading: NodeJS.Timeout

beforeAll(async () => {
  binance = await startBinanceServer()
  trading = setInterval(() => binance.trade('BTCUSDT'), 50)
  const env = { K2_LOG_LEVEL: 'silent', K2_BINANCE_WEBSOCKET_URL: binance.url }
  const config = loadConfig({ flags: { profile }, env })
  const log = createLog({ level: 'silent', format: 'json', environment: 'test' })
  composed = compose({ config, log, version: '0', placement: 'here', checkAnswers: true })
  await startDemo()
  await keepDeadLetter(config)
  const [a, b] = [await loadCsv(), await loadCsv()]
  examples['snapshots.diff'] = { a, b }
  examples['lake.rollback'] = { snapshot_id: a }
  examples['snapshots.query'] = { id: a }
  examples['snapshots.export'] = { id: a, format: 'parquet' }
  examples['receipts.read'] = await receiptOfCsv()
  examples['lake.tag'] = { name: 'before-the-open', snapshot_id: a }
  await openSession()
  await openResult()
  await sleep(500)
})
afterAll(async () => {
  clearInterval(trading)
  await binance.stop()
  expect(await closeInOrder(composed.closeSteps, AbortSignal.timeout(5_000))).toEqual([])
  rmSync(profile, { recursive: true })
})

/** Gives the snapshot with its rows. */
async function receiptOfCsv(): Promise<Receipt> {
  const client = connectDirect(contract, composed.dispatch)
  return (await client['trades.list']({ symbol: 'BHP', end_time: '2014-12-31', receipt: true })).query.receipt!
}

async function loadCsv(): Promise<string> {
  writeFileSync(csv, 'symbol,exchange_timestamp,price,quantity\nBHP,2014-03-10T00:00:00Z,36.61,100\n')
  const client = connectDirect(contract, composed.dispatch)
  for await (const { snapshot_id } of client['ingest.load'](examples['ingest.load']))
    if (snapshot_id) return snapshot_id
  throw new Error('the file was not loaded')
}

/** One that plays the same rows again and again. */
async function openSession(): Promise<void> {
  const client = connectDirect(contract, composed.dispatch)
  const { session } = await client['replay.open']({ symbols: ['BHP'], speed: 'max' })
  await client['replay.control']({ session, action: 'loop', from: '2014-03-10', to: '2014-03-11' })
  await client['replay.control']({ session, action: 'play' })
  for (const name of ['replay.control', 'replay.follow', 'replay.state'] as const)
    Object.assign(examples[name], { session })
}

async function openResult(): Promise<void> {
  const client = connectDirect(contract, composed.dispatch)
  const { result } = await client['results.open'](examples['results.open'])
  for (const name of ['results.window', 'results.export'] as const) Object.assign(examples[name], { result })
}

/** The one that is asked for. */
async function keepDeadLetter(config: Config): Promise<void> {
  const lake = await openLake(lakeOptions(config))
  const table = createStreamTable(lake, 'dead_letters')
  const place = { topic: TOPIC, partition: 0, offset: 0 }
  const problem = { reason: 'undecodable', error: 'It is no message.' } as const
  const letter = { ...place, ...problem, logMicros: 1, key: null, bytes: Buffer.from('none') }
  const from = await table.offsets()
  const to = [{ cluster: 'c', epoch: '0', topic: TOPIC, next: { 0: 1 } }]
  await table.commit({ staged: [await table.stage([deadLetterRows([letter])])], offsets: { from, to } })
  await lake.close()
}

const startDemo = () => connectDirect(contract, composed.dispatch)['demo.start']({ rate: 20_000 })

type Loose = Record<string, (input: unknown, options?: { signal: AbortSignal }) => unknown>
const open = async (transport: Transport) =>
  (await openDoor(transport, contract as Contract, composed.dispatch)).client as unknown as Loose
const reached = (transport: Transport) =>
  Object.entries(contract as Contract).filter(([, { http }]) => transport !== 'http' || http !== undefined)

/** Over HTTP rows are objects; elsewhere columns that the output schema itself knows. */
function check(transport: Transport, { output }: Capability, answer: unknown): void {
  if (transport === 'http') checkJson(output, answer)
  else output.parse(answer)
}

function checkJson(schema: z.ZodType, value: unknown): void {
  if (schema === anyRows) return void expect(value).toBeInstanceOf(Array)
  const tables = batchTables.get(schema)
  if (tables) {
    const isRow = (row: unknown) => tables.some(table => rowSchema(table).safeParse(row).success)
    expect((value as unknown[]).filter(row => !isRow(row))).toEqual([])
  } else if (schema instanceof z.ZodUnion) {
    const fits = (one: unknown) => {
      try {
        checkJson(one as z.ZodType, value)
        return true
      } catch {
        return false
      }
    }
    // That of statements says nothing of its rows.
    expect(schema.options.filter(one => one !== anyRows).some(fits)).toBe(true)
  } else if (schema instanceof z.ZodObject) {
    for (const [name, field] of Object.entries(schema.shape)) {
      checkJson(field as z.ZodType, (value as Record<string, unknown>)[name])
    }
  } else schema.parse(value)
}

describe.each(TRANSPORTS)('over %s', transport => {
  it.each(reached(transport).filter(([, { kind }]) => kind === 'call'))(
    '%s answers as its contract says',
    async (name, capability) => {
      const client = await open(transport)
      check(transport, capability, await client[name](examples[name as keyof K2]))
      if (name === 'demo.stop') await startDemo()
    },
  )

  it.each(reached(transport).filter(([, { kind }]) => kind === 'stream'))(
    '%s streams as its contract says',
    async (name, capability) => {
      const client = await open(transport)
      let batches = 0
      for await (const batch of client[name](examples[name as keyof K2]) as AsyncIterable<unknown>) {
        check(transport, capability, batch)
        if (++batches === 3) break
      }
      expect(batches).toBeGreaterThan(0)
    },
  )

  it.each(reached(transport))('%s refuses a field it does not know, by name', async (name, { kind }) => {
    const client = await open(transport)
    const input = { ...examples[name as keyof K2], no_such_field: 1 }
    const asked =
      kind === 'call'
        ? client[name](input)
        : (client[name](input) as AsyncIterable<unknown>)[Symbol.asyncIterator]().next()
    await expect(asked).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('no_such_field') as string,
    })
  })

  it.each(reached(transport))('%s is cancelled by its caller', async (name, { kind }) => {
    const client = await open(transport)
    const signal = AbortSignal.abort()
    const example = examples[name as keyof K2]
    const asked =
      kind === 'call'
        ? client[name](example, { signal })
        : (client[name](example, { signal }) as AsyncIterable<unknown>)[Symbol.asyncIterator]().next()
    await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})

/** Every field of every capability with a value of no allowed type. */
const wrongFields = Object.entries(contract as Contract).flatMap(([name, { input }]) =>
  Object.keys((input as z.ZodObject).shape).map(field => [name, field] as const),
)

describe.each(TRANSPORTS)('over %s', transport => {
  const open = (name: string) =>
    openDoor(transport, contract as Contract, composed.dispatch).then(({ client }) => client[name] as Ask)

  it.each(wrongFields.filter(([name]) => transport !== 'http' || (contract as Contract)[name].http))(
    '%s refuses what cannot be its %s',
    async (name, field) => {
      const ask = await open(name)
      const wrong = { ...examples[name as keyof K2], [field]: '\u0000' }
      const asked = (contract as Contract)[name].kind === 'call' ? ask(wrong) : firstOf(ask(wrong))
      await expect(asked).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringContaining(field) as string,
      })
    },
  )

  it('tail.follow ends when it is cancelled between batches', async () => {
    const ask = await open('tail.follow')
    const abort = new AbortController()
    const reading = (async () => {
      for await (const batch of ask({ data_type: 'trades' }, { signal: abort.signal }) as AsyncIterable<unknown>) {
        expect(batch).toBeDefined()
        abort.abort()
      }
    })()
    await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('tail.follow gives a slow reader every row, as one that comes back finds all that came meanwhile', async () => {
    const ask = await open('tail.follow')
    const batches = (ask({ data_type: 'trades' }) as AsyncIterable<Batch>)[Symbol.asyncIterator]()
    let expected: number | undefined
    for (let taken = 0; taken < 10; taken++) {
      const { rows, cursor, missed } = ((await batches.next()) as { value: Batch }).value
      const rowCount = Array.isArray(rows) ? rows.length : rows.rowCount
      const end = Number(cursor.split(':')[1])
      expect(missed).toBe(0)
      if (expected !== undefined) expect(end - rowCount).toBe(expected)
      expected = end
      await sleep(50)
    }
    await batches.return?.()
  })
})

interface Batch {
  missed: number
  cursor: string
  rows: { rowCount: number } | unknown[]
}
type Ask = (input: unknown, options?: { signal: AbortSignal }) => unknown
const firstOf = (stream: unknown) => (stream as AsyncIterable<unknown>)[Symbol.asyncIterator]().next()

it('gives the same rows over every door', async () => {
  const direct: Client<K2> = connectDirect(contract, composed.dispatch)
  await direct['demo.stop']({})
  await sleep(300)
  const input = { symbol: 'RIO', exchange: 'ASX', limit: 50 }
  const expected = rowsOf((await direct['trades.recent'](input)).data)
  expect(expected.length).toBeGreaterThan(5)
  for (const transport of TRANSPORTS) {
    const { data } = (await (await open(transport))['trades.recent'](input)) as { data: never }
    expect(transport === 'http' ? data : rowsOf(data)).toEqual(expected)
  }
  await startDemo()
})

it.each(['replay.read', 'snapshots.diff'] as const)('%s gives the same again by its receipt', async name => {
  const client = await open('http')
  type Answer = { data: unknown; query: QueryMeta }
  const answer = (await client[name]({ ...examples[name], receipt: true })) as Answer
  const again = (await client['receipts.read'](answer.query.receipt)) as Answer
  expect(again.data).toEqual(answer.data)
})

it('gives an unknown symbol an empty answer, not a failure', async () => {
  const client = connectDirect(contract, composed.dispatch)
  // A live view that has not caught up yet says so.
  await vi.waitFor(async () => {
    const { data, query } = await client['trades.recent']({ symbol: 'NOSUCH', exchange: 'ASX' })
    expect(data.rowCount).toBe(0)
    expect(query).toMatchObject({ partial: false, engine: 'hybrid' })
  }, 10_000)
})
