import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import type { Client } from '../../../../src/contract/capability.ts'
import { rowsOf } from '../../../../src/contract/columns.ts'
import { Failure } from '../../../../src/contract/failure.ts'
import { results } from '../../../../src/contract/results.ts'
import { sql } from '../../../../src/contract/sql.ts'
import { openSql } from '../../../../src/main/query/sql/handlers.ts'
import { connectDirect } from '../../../../src/main/wire/direct.ts'
import { createDispatch } from '../../../../src/main/wire/dispatch.ts'
import { asForeign, openHybridPlace, type HybridPlace } from '../../../support/hybrid-place.ts'
import { append } from '../../../support/lake.ts'
import type { SampleRow } from '../../../support/market-messages.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

type SqlClient = Client<typeof sql & typeof results>

/** SQL over tables and live view that are moved by hand. */
async function openLivePlace(): Promise<HybridPlace & { client: SqlClient }> {
  const place = await openHybridPlace()
  const { handlers, close } = openSql(place.tools, {
    memoryMb: 512,
    tempFolder: makeTempFolder(),
    seenIn: () => () => ({ past: {}, untilMicros: 0 }),
  })
  onTestFinished(close)
  const contract = { ...sql, ...results }
  return { ...place, client: connectDirect(contract, createDispatch(contract, handlers, { checkAnswers: true })) }
}

let lastId = 0
const trades = ({ clock }: HybridPlace, count: number, symbol = 'BHP'): SampleRow[] =>
  Array.from({ length: count }, () => ({
    id: ++lastId,
    symbol,
    micros: clock.micros,
    price: 36_61000000,
    sequence: lastId,
  }))

const COUNT = 'SELECT count(*)::INTEGER AS n FROM trades'
const countIn = async ({ client }: { client: SqlClient }, statement = COUNT, more = {}) =>
  rowsOf((await client['sql.run']({ sql: statement, ...more })).data)[0].n

it('counts what the log has, whatever of it is in the table', async () => {
  const place = await openLivePlace()
  const { client } = place
  expect(await countIn(place)).toBe(0)
  place.write(0, trades(place, 5))
  place.write(1, trades(place, 3, 'RIO'))
  place.readTo()
  expect(await countIn(place)).toBe(8)
  await place.commitTo([2, 3])
  const { query } = await client['sql.run']({ sql: COUNT })
  expect(query).toMatchObject({ engine: 'hybrid', told_by: 'offsets', partial: false, why: null })
  expect(query.sources.tail?.rows).toBe(3)
  expect(await countIn(place)).toBe(8)
  expect(await countIn(place, COUNT, { live: false })).toBe(5)
  expect(await countIn(place, COUNT, { snapshot_id: 'current' })).toBe(5)
  expect(await countIn(place, COUNT, { snapshot_id: query.snapshot_id! })).toBe(5)
  expect(await countIn(place, `${COUNT} AT (VERSION => ${query.snapshot_id})`)).toBe(5)
  await expect(client['sql.run']({ sql: COUNT, snapshot_id: 'current', live: true })).rejects.toThrow(
    'live is of the tables as they are now',
  )
})

const shares = fc.tuple(fc.constantFrom(0, 0.4, 1), fc.constantFrom(0, 0.4, 1))
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('write' as const), partition: fc.nat(1), count: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ do: fc.constant('read' as const), shares }),
    fc.record({ do: fc.constant('commit' as const), shares }),
  ),
  { minLength: 4, maxLength: 8 },
)

it(
  'equals the log up to what is read and committed, at every moment of any schedule',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, async schedule => {
        const place = await openLivePlace()
        const { log, read, committed } = place
        const between = (from: number, partition: number, share: number) =>
          from + Math.floor((log[partition].length - from) * share)
        for (const one of schedule) {
          if (one.do === 'write') place.write(one.partition, trades(place, one.count, one.count % 2 ? 'BHP' : 'RIO'))
          else if (one.do === 'read') place.readTo(one.shares.map((share, i) => between(read[i], i, share)))
          else {
            const next = one.shares.map((share, i) => between(committed[i], i, share))
            if (next.some((end, i) => end > committed[i])) await place.commitTo(next)
          }
          const expected = log.flatMap((rows, i) => rows.slice(0, Math.max(read[i], committed[i])))
          const { data } = await place.client['sql.run']({
            sql: 'SELECT count(*)::INTEGER AS n, count(DISTINCT trade_id)::INTEGER AS ids, sum(source_sequence)::DOUBLE AS sum FROM trades',
          })
          const sum = expected.reduce((all, { sequence }) => all + sequence!, 0)
          expect(rowsOf(data)).toEqual([
            { n: expected.length, ids: expected.length, sum: expected.length > 0 ? sum : null },
          ])
          const ofRio = expected.filter(({ symbol }) => symbol === 'RIO').length
          expect(await countIn(place, `${COUNT} WHERE symbol = 'RIO'`)).toBe(ofRio)
        }
      }),
      { numRuns: 6 },
    )
  },
)

it('fetches the columns and the rows that a statement can need, and gives whole rows where it says so', async () => {
  const place = await openLivePlace()
  const asked: {
    columns?: string[]
    symbols?: string[]
    since_micros?: number
    until_micros?: number
    exchange?: string
  }[] = []
  const { ask } = place.live
  place.live.ask = async () => {
    const client = await ask()
    return {
      ...client,
      'tail.fresh'(input, options) {
        asked.push(input)
        return client['tail.fresh'](input, options)
      },
    }
  }
  place.write(0, trades(place, 4))
  place.write(1, trades(place, 3, 'RIO'))
  place.readTo()
  await place.commitTo([1, 0])
  const run = async (statement: string, params: string[] = []) =>
    (await place.client['sql.run']({ sql: statement, params })).data
  expect(
    rowsOf(await run("SELECT sum(price) AS p FROM trades t WHERE t.symbol = $1 AND exchange = 'ASX'", ['RIO'])),
  ).toEqual([{ p: '109.83' }])
  expect(asked.pop()).toMatchObject({
    columns: ['symbol', 'exchange', 'exchange_timestamp', 'price'],
    symbols: ['RIO'],
    exchange: 'ASX',
  })
  await run(
    "SELECT count(*) FROM trades WHERE exchange_timestamp > '2026-01-01' AND exchange_timestamp <= '2026-12-01'",
  )
  const micros = (text: string) => Date.parse(text) * 1000
  expect(asked).toHaveLength(1)
  expect(asked.pop()).toMatchObject({
    columns: ['exchange_timestamp'],
    since_micros: micros('2026-01-01') + 1,
    until_micros: micros('2026-12-01') + 1,
  })
  for (const statement of [
    'FROM trades',
    'SELECT t FROM trades t',
    'SELECT count(trades) FROM trades',
    'SELECT b FROM trades t(a, b)',
    "SELECT COLUMNS('pri.*') FROM trades",
    'SELECT #7 FROM trades',
    'SUMMARIZE trades',
    'SELECT t.* EXCLUDE (vendor_data) FROM trades t',
    'SELECT x.price FROM trades x NATURAL JOIN quotes y',
    'UNPIVOT trades ON price, quantity',
  ]) {
    const { rowCount } = await run(statement)
    expect(asked.at(-1)!.columns!.length, statement).toBeGreaterThan(15)
    expect(rowCount, statement).toBeGreaterThan(statement.includes('NATURAL') ? -1 : 0)
    asked.length = 0
  }
  const rows = rowsOf(await run('FROM trades ORDER BY source_sequence'))
  const committed = rowsOf(await run(`FROM trades ORDER BY source_sequence LIMIT 1`))
  expect([rows.length, rows[0]]).toEqual([7, committed[0]])
  expect(rows.map(row => row.price)).toEqual(rows.map(() => '36.61'))
})

it('answers from the tables, and says why, when the live view is away', async () => {
  const place = await openLivePlace()
  place.write(0, trades(place, 4))
  place.readTo()
  await place.commitTo([3, 0])
  place.live.ask = () => Promise.reject(new Failure('UNAVAILABLE', 'The process of the live view has ended.'))
  const { data, query } = await place.client['sql.run']({ sql: COUNT })
  expect(rowsOf(data)).toEqual([{ n: 3 }])
  expect(query).toMatchObject({ partial: true, sources: { lake: { rows: 1 } } })
  expect(query.why).toContain('The process of the live view has ended')
  expect(query.sources.tail).toBeUndefined()
  const opened = await place.client['results.open']({ sql: 'FROM trades' })
  expect(opened).toMatchObject({ row_count: 3, query: { partial: true } })
})

it('says what is missing where the live view has let go of rows that are in no table', async () => {
  const place = await openLivePlace()
  place.write(0, trades(place, 10))
  await place.commitTo([3, 0])
  place.restartTail([6, 0])
  place.readTo()
  const { data, query } = await place.client['sql.run']({ sql: COUNT })
  expect(rowsOf(data)).toEqual([{ n: 7 }])
  expect(query).toMatchObject({ partial: true, why: expect.stringContaining('3 messages') as string })
})

it('leaves out rows that are in both, when another engine has written to the table', async () => {
  const place = await openLivePlace()
  place.write(0, trades(place, 6))
  place.readTo()
  await place.commitTo([2, 0])
  await append(asForeign(place.lake), place.rowsOf(0, 2, 4), { specId: 0 })
  const { data, query } = await place.client['sql.run']({
    sql: 'SELECT count(*)::INTEGER AS n, count(DISTINCT trade_id)::INTEGER AS ids FROM trades',
  })
  expect(query.told_by).toBe('place')
  expect(rowsOf(data)).toEqual([{ n: 6, ids: 6 }])
})

it('holds and exports what the log has too', async () => {
  const place = await openLivePlace()
  place.write(0, trades(place, 5))
  place.readTo()
  await place.commitTo([2, 0])
  const opened = await place.client['results.open']({ sql: 'SELECT symbol, price FROM trades' })
  expect(opened).toMatchObject({ row_count: 5, query: { engine: 'hybrid', sources: { tail: { rows: 3 } } } })
  const chunks: Uint8Array[] = []
  for await (const chunk of place.client['sql.export']({ sql: 'SELECT symbol FROM trades', format: 'csv' }))
    chunks.push(chunk)
  expect(Buffer.concat(chunks).toString().trim().split('\r\n')).toHaveLength(6)
})
