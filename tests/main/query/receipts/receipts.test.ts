// Receipts: the same rows and the same hash again, whatever became of the table, or a clear word that they are gone.
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Context } from '../../../../src/contract/capability.ts'
import { rowsOf, type ColumnBatch } from '../../../../src/contract/columns.ts'
import type { QueryMeta, Receipt } from '../../../../src/contract/fields.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import { recentHandlers } from '../../../../src/main/query/hybrid/handlers.ts'
import { windowedLists } from '../../../../src/main/query/hybrid/windowed-lists.ts'
import { readHandlers } from '../../../../src/main/query/reads/handlers.ts'
import { receiptHandlers, withReceipts } from '../../../../src/main/query/receipts/handlers.ts'
import { rollBack } from '../../../../src/main/lake/travel/roll-back.ts'
import { ONLY_HEAD } from '../../../support/failing-operations.ts'
import { idsIn, openHybridPlace, type HybridPlace } from '../../../support/hybrid-place.ts'
import { MINUTE } from '../../../support/tail.ts'

const context: Context = { signal: new AbortController().signal, correlationId: 'test', door: 'direct' }

interface Answer {
  data: ColumnBatch
  query: QueryMeta
}

/** In the table up to 4, read up to 8. */
async function openPlace() {
  const place = await openHybridPlace()
  const row = (id: number) => ({
    symbol: 'BHP',
    id,
    micros: place.clock.micros - 60e6 + id * 1e6,
    vendorData: id % 2 === 0 ? { venue: 'C', büro: 'ö' } : null,
    conditions: id % 3 === 0 ? ['XT', 'CX'] : null,
  })
  place.write(
    0,
    Array.from({ length: 8 }, (_, id) => row(id)),
  )
  place.readTo()
  await place.commitTo([4, 0])
  const lists = withReceipts(readHandlers(place.tools, { cursorKey: Buffer.alloc(32) }))
  const handlers = {
    ...recentHandlers(place.tools, place.readHybrid),
    ...lists,
    ...windowedLists(place.tools, place.readHybrid, lists),
    ...receiptHandlers(place.tools, lists),
  }
  const recent = async (more = {}) =>
    (await handlers['trades.recent'](
      { symbol: 'BHP', exchange: 'asx', window_minutes: 15, limit: 1000, receipt: true, ...more },
      context,
    )) as Answer
  const again = async (receipt: Receipt) => (await handlers['receipts.read'](receipt, context)) as Answer
  return { place, handlers, recent, again }
}

const all = ['0', '1', '2', '3', '4', '5', '6', '7']
const same = ({ data, query }: Answer) => ({ rows: rowsOf(data), hash: query.receipt?.hash })

async function letMoreHappen(place: HybridPlace): Promise<void> {
  place.write(0, [{ symbol: 'BHP', id: 'later', micros: place.clock.micros }])
  place.readTo()
  await place.commitTo([6, 0])
  await place.commitTo([9, 0])
}

describe('a receipt of recent rows', () => {
  it('gives them again after commits and compaction, when the live view has let go of them', async () => {
    const { place, recent, again } = await openPlace()
    const answer = await recent()
    expect(idsIn(answer.data)).toEqual(all)
    await letMoreHappen(place)
    await place.compact()
    place.restartTail([9, 0])
    place.clock.micros += 60 * MINUTE
    expect(same(await again(answer.query.receipt!))).toEqual(same(answer))
  })

  it('gives rows that are in no table yet from the live view, up to where the answer was', async () => {
    const { place, recent, again } = await openPlace()
    const answer = await recent({ limit: 6 })
    place.write(0, [{ symbol: 'BHP', id: 'later', micros: place.clock.micros }])
    place.readTo()
    await place.commitTo([6, 0])
    expect(same(await again(answer.query.receipt!))).toEqual(same(answer))
    place.restartTail([9, 0])
    await expect(again(answer.query.receipt!)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await place.commitTo([9, 0])
    expect(same(await again(answer.query.receipt!))).toEqual(same(answer))
  })

  it('gives them when its snapshot has expired and a later one has the same rows', async () => {
    const { place, recent, again } = await openPlace()
    const answer = await recent()
    await letMoreHappen(place)
    place.clock.micros += 60 * MINUTE
    await expireSnapshots(place.lake.table('trades'), { retention: ONLY_HEAD })
    expect(same(await again(answer.query.receipt!))).toEqual(same(answer))
  })

  it('says that its snapshot has expired when no later one has them', async () => {
    const { place, recent, again } = await openPlace()
    const first = await place.commitTo([5, 0])
    const answer = await recent()
    await place.commitTo([8, 0])
    await rollBack(place.lake.table('trades'), first.snapshotId)
    place.clock.micros += 60 * MINUTE
    await expireSnapshots(place.lake.table('trades'), { retention: ONLY_HEAD })
    const { snapshot } = answer.query.receipt!
    await expect(again(answer.query.receipt!)).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_FOUND',
      message: expect.stringContaining(`Snapshot ${snapshot} of this receipt has expired`) as string,
    })
  })

  it('gives what a rollback took away later, as long as the snapshots are kept', async () => {
    const { place, recent, again } = await openPlace()
    const first = await place.commitTo([4, 0])
    const answer = await recent()
    await place.commitTo([8, 0])
    await rollBack(place.lake.table('trades'), first.snapshotId)
    place.restartTail([8, 0])
    expect(same(await again(answer.query.receipt!))).toEqual(same(answer))
  })

  it('has a hash that a script makes of the rows as the API answers them', async () => {
    const { place, recent } = await openPlace()
    expect(place.log[0].length).toBe(8)
    const { data, query } = await recent()
    const lines = rowsOf(data).map(row => Object.values(row).map(sorted))
    const text = [Object.keys(data.columns), ...lines].map(line => `${JSON.stringify(line)}\n`).join('')
    expect(query.receipt!.hash).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`)
  })

  it('is refused when it was changed', async () => {
    const { recent, again } = await openPlace()
    const { receipt } = (await recent()).query
    await expect(again({ ...receipt!, hash: `sha256:${'0'.repeat(64)}` })).rejects.toMatchObject({ code: 'CONFLICT' })
    const query = { name: 'trades.recent', input: { ...receipt!.query.input, limit: 0 } }
    await expect(again({ ...receipt!, query })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    const other = { name: 'config.get', input: {} }
    await expect(again({ ...receipt!, query: other })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('is not given for an answer in which something is missing, nor where none is asked for', async () => {
    const { place, recent } = await openPlace()
    expect((await recent({ receipt: undefined })).query).not.toHaveProperty('receipt')
    place.restartTail([6, 0])
    place.readTo()
    expect((await recent()).query).toMatchObject({ partial: true, receipt: null })
  })
})

const sorted = (cell: unknown) =>
  typeof cell === 'object' && cell !== null && !Array.isArray(cell)
    ? Object.fromEntries(Object.entries(cell).sort(([a], [b]) => (a < b ? -1 : 1)))
    : cell

describe('a list over the last minutes', () => {
  it('has the newest rows of tables and log, newest first or last, and says whether there are more', async () => {
    const { handlers } = await openPlace()
    const ask = async (more: object) =>
      handlers['trades.list']({ symbol: 'BHP', window_minutes: 15, limit: 3, order: 'desc', ...more }, context)
    const newest = await ask({})
    expect(idsIn(newest.data)).toEqual(['7', '6', '5'])
    expect(newest).toMatchObject({ query: { engine: 'hybrid' }, pagination: { limit: 3, has_more: true } })
    expect(idsIn((await ask({ order: 'asc' })).data)).toEqual(['5', '6', '7'])
    const whole = await ask({ symbol: undefined, limit: 8 })
    expect(idsIn(whole.data)).toEqual(all.toReversed())
    expect(whole.pagination?.has_more).toBe(false)
  })

  it('takes no times, cursor or state of the past', async () => {
    const { handlers } = await openPlace()
    const input = { window_minutes: 15, limit: 3, order: 'sequence' as const, as_of: '2026-11-21' }
    await expect(handlers['trades.list'](input, context)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: { window_minutes: ['as_of', 'order=sequence'] },
    })
  })

  it('has a receipt in its own order', async () => {
    const { place, handlers, again } = await openPlace()
    const input = { window_minutes: 15, limit: 5, order: 'desc' as const, receipt: true }
    const answer = (await handlers['trades.list'](input, context)) as Answer
    await letMoreHappen(place)
    expect(same(await again(answer.query.receipt!))).toEqual(same(answer))
  })
})

describe('a receipt of a list of the tables', () => {
  it('gives its rows again after later commits, also of the columns that were chosen', async () => {
    const { place, handlers, again } = await openPlace()
    const fields = ['price', 'symbol', 'trade_id']
    const input = { fields, order: 'asc' as const, limit: 10, receipt: true }
    const answer = (await handlers['trades.query'](input, context)) as Answer
    expect(idsIn(answer.data)).toEqual(['0', '1', '2', '3'])
    await letMoreHappen(place)
    const second = await again(answer.query.receipt!)
    expect(same(second)).toEqual(same(answer))
    expect(Object.keys(second.data.columns)).toEqual(fields)
  })

  it('says that the snapshot has expired when it has', async () => {
    const { place, handlers, again } = await openPlace()
    const answer = (await handlers['trades.list']({ order: 'desc', limit: 10, receipt: true }, context)) as Answer
    await letMoreHappen(place)
    place.clock.micros += 60 * MINUTE
    await expireSnapshots(place.lake.table('trades'), { retention: ONLY_HEAD })
    await expect(again(answer.query.receipt!)).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
  })

  it('gives the nothing of a table that was never written, also after its first rows', async () => {
    const place = await openHybridPlace()
    const lists = withReceipts(readHandlers(place.tools, { cursorKey: Buffer.alloc(32) }))
    const { 'receipts.read': again } = receiptHandlers(place.tools, lists)
    const input = { order: 'asc' as const, limit: 10, receipt: true }
    const answers = [
      (await lists['trades.list'](input, context)) as Answer,
      (await lists['trades.query']({ ...input, fields: ['price', 'symbol'] }, context)) as Answer,
    ]
    place.write(0, [{ symbol: 'BHP', id: 0, micros: place.clock.micros }])
    await place.commitTo([1, 0])
    for (const { query } of answers) {
      expect(query.receipt).toMatchObject({ snapshot: null })
      const { data, query: second } = (await again(query.receipt!, context)) as Answer
      expect(data.rowCount).toBe(0)
      expect(second).toMatchObject({ snapshot_id: null, receipt: query.receipt })
    }
  })
})
