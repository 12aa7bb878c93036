// A reader of what is live whose connection breaks: by the cursor of the last batch it has, it gets what came behind that.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import type { TailTable } from '../../../src/contract/tables.ts'
import type { Order } from '../../../src/main/replay/row-order.ts'
import { COMMITTED, openReplayPlace } from '../../support/replay-place.ts'
import { testReplay, type ReplayClient } from '../../support/replay.ts'

async function openPlace(tables: readonly TailTable[] = ['trades', 'quotes']) {
  const { lake, live, write } = await openReplayPlace(tables)
  const client = await testReplay(lake, undefined, live)
  async function open(changes: Partial<Parameters<ReplayClient['replay.open']>[0]> = {}) {
    const asked = { data_types: [...tables], go_live: true, speed: 'max' as const, batch_size: 4 }
    const { session } = await client['replay.open']({ ...asked, ...changes })
    await client['replay.control']({ session, action: 'play' })
    return session
  }
  return { client, write, open }
}

interface Batch {
  cursor: string
  rows: string[]
}

/** Follows until so many rows have come; of none, until it is said how the session stands. */
async function follow(
  client: ReplayClient,
  session: string,
  count: number,
  after?: string,
  begin: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Batch[]> {
  const batches: Batch[] = []
  const signal = AbortSignal.timeout(20_000)
  let begun: Promise<unknown> | undefined
  let seen = 0
  for await (const { trades, quotes, cursor } of client['replay.follow']({ session, after }, { signal })) {
    const all = [...rowsOf(trades), ...rowsOf(quotes)].sort((a, b) => Number(a.ordinal) - Number(b.ordinal))
    const rows = all.map(row => `${(row.trade_id ?? row.quote_id) as string}${row.is_late === true ? ' late' : ''}`)
    if (rows.length > 0 || count === 0) batches.push({ cursor, rows })
    await (begun ??= begin())
    if ((seen += rows.length) >= count) break
  }
  return batches
}

const rowsIn = (batches: readonly Batch[]) => batches.flatMap(({ rows }) => rows)

/** What a session gave, the rows that were live in three parts. */
async function givenInParts(order: Order = 'event') {
  const place = await openPlace()
  const session = await place.open({ order })
  const given: Batch[] = []
  for (const part of [0, 9, 17, 13]) {
    place.write(part)
    given.push(...(await follow(place.client, session, part || COMMITTED)))
  }
  return { ...place, session, given, live: given.filter(({ cursor }) => cursor.startsWith('live')) }
}

/** What a reader that never left is told of its rows. */
async function countsOf(client: ReplayClient, session: string) {
  const { rows, late, turns, checksum } = await client['replay.state']({ session })
  return { rows, late, turns, checksum }
}

describe('a reader of what is live that comes back', () => {
  it.each<Order>(['event', 'arrival'])('gets all behind its last batch, and none counts twice, by %s', async order => {
    const { client, session, live, write, open } = await givenInParts(order)
    const rows = rowsIn(live)
    expect(rows).toHaveLength(39)
    expect(rows.filter(row => row.endsWith('late')).length).toBeGreaterThan(1)
    expect(new Set(live.map(({ cursor }) => cursor)).size).toBe(live.length)
    const counts = await countsOf(client, session)
    for (const [i, { cursor }] of live.entries()) {
      const behind = rowsIn(live.slice(i + 1))
      expect(rowsIn(await follow(client, session, behind.length, cursor))).toEqual(behind)
      expect(await countsOf(client, session)).toEqual(counts)
    }
    const unbroken = await open({ order })
    await follow(client, unbroken, COMMITTED + rows.length)
    write(6)
    const more = rowsIn(await follow(client, unbroken, 6))
    const both = [...rowsIn(live.slice(-2)), ...more]
    expect(rowsIn(await follow(client, session, both.length, live.at(-3)!.cursor))).toEqual(both)
  })

  it('has the checksum of a session that nobody left', async () => {
    const { client, write, open } = await openPlace()
    const [broken, unbroken] = [await open(), await open()]
    await follow(client, broken, COMMITTED)
    await follow(client, unbroken, COMMITTED)
    for (const part of [9, 8]) {
      write(part)
      const [first] = await follow(client, broken, part)
      await follow(client, unbroken, part)
      await follow(client, broken, 1, first.cursor)
      await follow(client, broken, part - first.rows.length, first.cursor)
    }
    expect(await countsOf(client, broken)).toEqual(await countsOf(client, unbroken))
  })

  it('breaks off again and again, while it is given rows once more too', { timeout: 60_000 }, async () => {
    const { client, session, live } = await givenInParts()
    const rows = rowsIn(live)
    /** By cursor, how many live rows lie before it. */
    const places = new Map<string, number>()
    let before = 0
    for (const batch of live) places.set(batch.cursor, (before += batch.rows.length))
    expect(places.size).toBe(live.length)
    const visit = fc.record({ cursor: fc.nat(), rows: fc.integer({ min: 0, max: 15 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(visit, { minLength: 1, maxLength: 6 }), async visits => {
        for (const { cursor, rows: wanted } of visits) {
          const [after, place] = [...places][cursor % places.size]
          const found = await follow(client, session, Math.min(wanted, rows.length - place), after)
          expect(rowsIn(found)).toEqual(rows.slice(place, place + rowsIn(found).length))
          let at = place
          for (const batch of found) places.set(batch.cursor, (at += batch.rows.length))
        }
      }),
      { numRuns: 30 },
    )
  })

  it('gets none of them while the session is paused, and as many as it is stepped', async () => {
    const { client, session, live } = await givenInParts()
    await client['replay.control']({ session, action: 'pause' })
    const after = live[2].cursor
    expect(await follow(client, session, 0, after)).toEqual([{ cursor: after, rows: [] }])
    const expected = rowsIn(live.slice(3))
    const stepped: string[] = []
    for (const count of [1, 2, 6]) {
      const step = () => Promise.resolve(void client['replay.control']({ session, action: 'step', count }))
      stepped.push(...rowsIn(await follow(client, session, count, undefined, step)))
    }
    expect(stepped).toEqual(expected.slice(0, 9))
    await client['replay.control']({ session, action: 'play' })
    expect(rowsIn(await follow(client, session, expected.length - 9))).toEqual(expected.slice(9))
  })

  it('goes back into the tables from rows that it is given once more', async () => {
    const { client, session, given, live } = await givenInParts()
    await client['replay.control']({ session, action: 'pause' })
    const after = live[3].cursor
    const step = () => Promise.resolve(void client['replay.control']({ session, action: 'step', count: -COMMITTED }))
    const back = rowsIn(await follow(client, session, COMMITTED, after, step))
    expect(back).toEqual(rowsIn(given).slice(0, COMMITTED).toReversed())
    expect(await client['replay.state']({ session })).toMatchObject({ stage: 'lake', rows: 2 * COMMITTED + 39 })
  })
})

describe('a reader of what is live that comes back too late', () => {
  const tooLate = { code: 'OFFSET_OUT_OF_RANGE', message: expect.stringContaining('open another session') as string }

  it('is told so when the session has left what was live, and takes no place', async () => {
    const { client, session, live } = await givenInParts()
    const after = live[1].cursor
    await follow(client, session, 3, after)
    await client['replay.control']({ session, action: 'seek', to: '2020-01-01' })
    await expect(follow(client, session, 1, after)).rejects.toMatchObject(tooLate)
    expect(await client['replay.state']({ session })).toMatchObject({ stage: 'lake', state: 'playing' })
    const all = rowsIn(await follow(client, session, COMMITTED + 39))
    expect(new Set(all.map(row => row.split(' ')[0])).size).toBe(COMMITTED + 39)
    // They are live once more, in another order than they came in.
    await expect(follow(client, session, 1, after)).rejects.toMatchObject(tooLate)
    await client['replay.control']({ session, action: 'live' })
    await expect(follow(client, session, 1, after)).rejects.toMatchObject(tooLate)
  })

  it('is told so when more came since than is kept', async () => {
    const { client, write, open } = await openPlace(['trades'])
    const session = await open({ batch_size: 1 })
    write(3_000)
    const live = (await follow(client, session, COMMITTED + 3_000)).slice(COMMITTED)
    await expect(follow(client, session, 1, live[0].cursor)).rejects.toMatchObject(tooLate)
    expect(rowsIn(await follow(client, session, 100, live.at(-101)!.cursor))).toEqual(rowsIn(live.slice(-100)))
  })

  it('is refused with a cursor that no batch came with', async () => {
    const { client, session, live } = await givenInParts()
    for (const after of ['live:1:40', 'live:2:0', 'live:1', 'live:1:-1', 'live:1:2:3', 'live:1:99999999999999999'])
      await expect(follow(client, session, 1, after), after).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    expect(rowsIn(await follow(client, session, 1, live.at(-2)!.cursor))).toEqual(live.at(-1)!.rows)
  })
})
