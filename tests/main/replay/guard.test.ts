// Queries in a session: what they answer had happened when its clock was there.
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import { microsOf } from '../../../src/main/query/moments.ts'
import { readHandlers } from '../../../src/main/query/reads/handlers.ts'
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
  const lists = readHandlers(await replayTools(lake), { cursorKey: Buffer.alloc(32, 7) })
  const ask = withinSession({ clockOf: client.clockOf, microsOf }, 'trades', lists['trades.list'])
  const idsOf = async (input: Partial<Parameters<typeof ask>[0]>) => {
    const { data } = await ask({ order: 'asc', limit: 100, ...input }, context)
    return rowsOf(data).map(row => row.message_id)
  }
  return { lake, client, idsOf }
}

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
