// Queries in a session: what they answer had happened when its clock was there.
import { describe, expect, it } from 'vitest'
import { rowsOf, type ColumnBatch } from '../../../src/contract/columns.ts'
import type { Receipt } from '../../../src/contract/fields.ts'
import { microsOf } from '../../../src/main/query/moments.ts'
import { readHandlers } from '../../../src/main/query/reads/handlers.ts'
import { receiptHandlers, withReceipts } from '../../../src/main/query/receipts/handlers.ts'
import { withinSession } from '../../../src/main/replay/guard.ts'
import { append, START_MICROS, tempLake } from '../../support/lake.ts'
import { replayBatch } from '../../support/replay-rows.ts'
import { replayTools, testReplay } from '../../support/replay.ts'

const context = { signal: new AbortController().signal, correlationId: 'c', door: 'direct' as const }

async function guardedLake() {
  const lake = await tempLake()
  const rows = Array.from({ length: 20 }, (_, i) => ({ id: `r${i}`, micros: START_MICROS + i * 1e6, sequence: i }))
  await append(lake, replayBatch('trades', rows))
  const client = await testReplay(lake)
  const tools = await replayTools(lake)
  const lists = withReceipts(readHandlers({ ...tools, live: noLive }, { cursorKey: Buffer.alloc(32, 7) }))
  const ask = withinSession({ clockOf: client.clockOf, microsOf }, 'trades', lists['trades.list'])
  const idsOf = async (input: Partial<Parameters<typeof ask>[0]>) => {
    const { data } = await ask({ order: 'asc', limit: 100, ...input }, context)
    return rowsOf(data).map(row => row.message_id)
  }
  const pageOf = async (input: Partial<Parameters<typeof ask>[0]>) => {
    const { data, query, pagination } = await ask({ order: 'asc', limit: 3, ...input }, context)
    const cursor = pagination?.next_cursor ?? undefined
    return { ids: rowsOf(data).map(row => row.message_id), cursor, receipt: query.receipt }
  }
  const again = receiptHandlers({ ...tools, live: noLive }, lists)['receipts.read']
  const idsAgain = async (receipt: Receipt) =>
    rowsOf((await again(receipt, context)).data as ColumnBatch).map(row => row.message_id)
  return { lake, client, idsOf, pageOf, idsAgain }
}

const noLive = () => Promise.reject(new Error('no live view'))

const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `r${from + i}`)

describe('a query in a session', () => {
  it('sees what was played and nothing of what is to come, whatever end it asks for', async () => {
    const { client, idsOf } = await guardedLake()
    const { session: replay_session } = await client['replay.open']({})
    expect(await idsOf({ replay_session })).toEqual([])
    await client['replay.control']({ session: replay_session, action: 'step', count: 7 })
    expect(await idsOf({ replay_session })).toEqual(ids(0, 7))
    expect(await idsOf({ replay_session, end_time: '2100-01-01' })).toEqual(ids(0, 7))
    expect(await idsOf({ replay_session, end_time: '2014-03-10T00:00:03Z' })).toEqual(ids(0, 3))
    expect(await idsOf({ replay_session, start_time: '2014-03-10T00:00:05Z' })).toEqual(ids(5, 7))
    expect(await idsOf({ replay_session, start_time: '2014-03-10T00:00:09Z' })).toEqual([])
    await client['replay.control']({ session: replay_session, action: 'seek', to: '2014-03-10T00:00:02Z' })
    expect(await idsOf({ replay_session })).toEqual(ids(0, 2))
    expect(await idsOf({})).toEqual(ids(0, 20))
  })

  it('does not see rows that were committed after its snapshot', async () => {
    const { lake, client, idsOf } = await guardedLake()
    const { session: replay_session } = await client['replay.open']({})
    await client['replay.control']({ session: replay_session, action: 'step', count: 20 })
    await append(lake, replayBatch('trades', [{ id: 'later', micros: START_MICROS + 500_000 }]))
    expect(await idsOf({ replay_session })).toEqual(ids(0, 20))
    expect(await idsOf({})).toContain('later')
  })

  it('is refused another state of the tables, a clock by arrival, and a session that is not there', async () => {
    const { client, idsOf } = await guardedLake()
    const { session: replay_session } = await client['replay.open']({})
    await expect(idsOf({ replay_session, as_of: '2100-01-01' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    await expect(idsOf({ replay_session, window_minutes: 5 })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    const none = '00000000-0000-4000-8000-000000000000'
    await expect(idsOf({ replay_session: none })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('pages in a session', () => {
  async function begun(clock: number) {
    const place = await guardedLake()
    const { session: replay_session } = await place.client['replay.open']({})
    const step = (count: number) => place.client['replay.control']({ session: replay_session, action: 'step', count })
    const seek = (to: string) => place.client['replay.control']({ session: replay_session, action: 'seek', to })
    await step(clock)
    return { ...place, replay_session, step, seek }
  }

  it.each(['asc', 'desc'] as const)('go on to the end that the first one had while the clock does: %s', async order => {
    const { pageOf, step, replay_session } = await begun(7)
    const walked: unknown[] = []
    let cursor: string | undefined
    do {
      const page = await pageOf({ replay_session, order, cursor })
      walked.push(...page.ids)
      cursor = page.cursor
      await step(2)
    } while (cursor)
    expect(walked).toEqual(order === 'asc' ? ids(0, 7) : ids(0, 7).reverse())
  })

  it('have nothing of what is to come when the clock was set back, and go on with all when it is there again', async () => {
    const { pageOf, seek, replay_session } = await begun(8)
    const { cursor } = await pageOf({ replay_session })
    await seek('2014-03-10T00:00:04Z')
    expect(await pageOf({ replay_session, cursor })).toMatchObject({ ids: ids(3, 4), cursor: undefined })
    await seek('2014-03-10T00:00:15Z')
    expect(await pageOf({ replay_session, cursor, limit: 10 })).toMatchObject({ ids: ids(3, 8), cursor: undefined })
  })

  it('keep an end that was asked for, and take no cursor of another question or session', async () => {
    const { client, pageOf, step, replay_session } = await begun(7)
    const end_time = '2014-03-10T00:00:05Z'
    const { cursor } = await pageOf({ replay_session, end_time })
    await step(5)
    expect((await pageOf({ replay_session, end_time, cursor })).ids).toEqual(ids(3, 5))
    const refused = { code: 'INVALID_INPUT' }
    await expect(pageOf({ replay_session, cursor, order: 'desc' })).rejects.toMatchObject(refused)
    await expect(pageOf({ cursor })).rejects.toMatchObject(refused)
    const { session: other } = await client['replay.open']({})
    await expect(pageOf({ replay_session: other, cursor })).rejects.toMatchObject(refused)
  })

  it('are given again for their receipts when the session is over', async () => {
    const { client, pageOf, idsAgain, step, replay_session } = await begun(5)
    const first = await pageOf({ replay_session, receipt: true })
    await step(5)
    const second = await pageOf({ replay_session, receipt: true, cursor: first.cursor })
    await client['replay.close']({ session: replay_session })
    expect(first.receipt!.query.input).not.toHaveProperty('replay_session')
    expect(await idsAgain(first.receipt!)).toEqual(ids(0, 3))
    expect(await idsAgain(second.receipt!)).toEqual(ids(3, 5))
  })
})
