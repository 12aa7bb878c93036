import { expect, it, onTestFinished } from 'vitest'
import type { Context } from '../../../../src/contract/capability.ts'
import { rowsOf, type ColumnBatch } from '../../../../src/contract/columns.ts'
import type { QueryMeta, Receipt } from '../../../../src/contract/fields.ts'
import { readHandlers } from '../../../../src/main/query/reads/handlers.ts'
import { receiptHandlers } from '../../../../src/main/query/receipts/handlers.ts'
import { openSql } from '../../../../src/main/query/sql/handlers.ts'
import { openHybridPlace } from '../../../support/hybrid-place.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

const context: Context = { signal: new AbortController().signal, correlationId: 'test', door: 'direct' }

interface Answer {
  data: ColumnBatch
  query: QueryMeta
}

/** In the table up to 4, read up to 8. */
async function openPlace() {
  const place = await openHybridPlace()
  const untilMicros = place.clock.micros - 55e6
  const { handlers, again, close } = openSql(place.tools, {
    memoryMb: 512,
    tempFolder: makeTempFolder(),
    seenIn: () => () => ({ past: {}, untilMicros }),
  })
  onTestFinished(close)
  const write = (ids: readonly number[]) =>
    place.write(
      0,
      ids.map(id => ({
        symbol: id % 2 ? 'BHP' : 'RIO',
        id,
        micros: place.clock.micros - 60e6 + id * 1e6,
        price: 36_61000000 + id,
      })),
    )
  write([0, 1, 2, 3, 4, 5, 6, 7])
  place.readTo()
  await place.commitTo([4, 0])
  const lists = readHandlers(place.tools, { cursorKey: Buffer.alloc(32) })
  const receipts = receiptHandlers(place.tools, lists, again)
  const run = async (sql: string, more = {}) =>
    (await handlers['sql.run']({ sql, params: [], limit: 1_000, receipt: true, ...more }, context)) as Answer
  const readAgain = async (receipt: Receipt) =>
    (await receipts['receipts.read'](JSON.parse(JSON.stringify(receipt)) as Receipt, context)) as Answer
  return { place, write, run, readAgain }
}

const SQL = 'SELECT symbol, trade_id, price FROM trades'
const idsOf = ({ data }: Answer) =>
  rowsOf(data)
    .map(row => row.trade_id as string)
    .sort()

it(
  'gives the rows of a live statement again, before and after they are in the table',
  { timeout: 60_000 },
  async () => {
    const { place, write, run, readAgain } = await openPlace()
    const first = await run(SQL)
    const ofBhp = await run("SELECT count(*) AS n, sum(price) AS p FROM trades WHERE symbol = 'BHP'")
    expect(idsOf(first)).toHaveLength(8)
    const { receipt } = first.query
    expect(receipt).toMatchObject({ snapshot: first.query.snapshot_id, offsets: [{ next: { 0: 8 } }] })
    write([8, 9])
    place.readTo()
    for (const next of [undefined, 6, 10]) {
      if (next !== undefined) await place.commitTo([next, 0])
      const again = await readAgain(receipt!)
      expect(idsOf(again)).toEqual(idsOf(first))
      expect(again.query.receipt?.hash).toBe(receipt!.hash)
      expect(rowsOf((await readAgain(ofBhp.query.receipt!)).data)).toEqual(rowsOf(ofBhp.data))
    }
    expect(idsOf(await run(SQL))).toHaveLength(10)
  },
)

it('says so when rows are neither in the tables nor in memory any more', async () => {
  const { place, run, readAgain } = await openPlace()
  const { receipt } = (await run(SQL)).query
  place.restartTail([6, 0])
  place.readTo()
  await expect(readAgain(receipt!)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

it('gives the rows of pinned statements again: of the tables alone, of AT, and of a session', async () => {
  const { place, run, readAgain } = await openPlace()
  const committed = await run(SQL, { live: false })
  const id = committed.query.snapshot_id
  const then = await run(
    `SELECT a.trade_id, b.price FROM trades a AT (VERSION => ${id}) JOIN trades b USING (trade_id)`,
  )
  const seen = await run(SQL, { replay_session: '00000000-0000-4000-8000-000000000000' })
  expect([committed, then, seen].map(answer => idsOf(answer).length)).toEqual([4, 4, 4])
  await place.commitTo([8, 0])
  for (const answer of [committed, then, seen]) {
    const again = await readAgain(answer.query.receipt!)
    expect(idsOf(again)).toEqual(idsOf(answer))
    expect(again.query.receipt).toEqual(answer.query.receipt)
  }
})

it('gives no receipt for what is left to chance, and finds one that was changed', { timeout: 60_000 }, async () => {
  const { place, run, readAgain } = await openPlace()
  await expect(run(SQL, { limit: 3 })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  await expect(run('SELECT random() AS x FROM trades')).rejects.toMatchObject({ details: { column: 8 } })
  await expect(run('SELECT current_date')).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  await expect(run(`${SQL} USING SAMPLE 2`)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  const ordered = await run(`${SQL} ORDER BY trade_id LIMIT 3`, { limit: 3 })
  expect(idsOf(await readAgain(ordered.query.receipt!))).toEqual(['0', '1', '2'])
  const { receipt } = await run(SQL).then(({ query }) => query)
  const { query } = receipt!
  const changed = (input: object) =>
    readAgain({ ...receipt!, query: { ...query, input: { ...query.input, ...input } } })
  await expect(changed({ sql: `${SQL} LIMIT 2` })).rejects.toMatchObject({ code: 'CONFLICT' })
  await expect(changed({ sql: 'FROM quotes' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  await expect(changed({ sql: "FROM read_text('/etc/passwd')" })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  await expect(changed({ tables: {} })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  await expect(changed({ more: 1 })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  place.live.ask = () => Promise.reject(new Error('gone'))
  expect((await run(SQL, { live: false })).query.receipt).toBeTruthy()
})
