// Sessions: rows of both kinds on one clock, played, stepped, sought, turned round and looped.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowsOf, timestampText, type Row } from '../../../src/contract/columns.ts'
import { append, START_MICROS, tempLake } from '../../support/lake.ts'
import { heldTicker, testReplay, type ReplayClient } from '../../support/replay.ts'
import { replayBatch, type ReplayRow } from '../../support/replay-rows.ts'

const at = (second: number) => timestampText(START_MICROS + second * 1e6)

const count = 40
/** One a second, of either kind in turns of three. */
const rows = Array.from({ length: count }, (_, i): ReplayRow & { table: 'trades' | 'quotes' } => ({
  id: `r${String(i).padStart(2, '0')}`,
  table: i % 3 === 0 ? 'trades' : 'quotes',
  micros: START_MICROS + Math.floor(i / 2) * 1e6,
  sequence: i,
  partition: i % 2,
  offset: i,
  arrived: START_MICROS + ((i * 7) % count) * 1e6,
}))
const ids = rows.map(({ id }) => id)

async function sessionLake() {
  const lake = await tempLake()
  for (const table of ['trades', 'quotes'] as const) {
    const own = rows.filter(row => row.table === table)
    await append(lake, replayBatch(table, own.slice(5)), { table })
    await append(lake, replayBatch(table, own.slice(0, 5)), { table })
  }
  return lake
}

const BOTH = { data_types: ['trades', 'quotes'] as ('trades' | 'quotes')[] }
type Batch = ReturnType<ReplayClient['replay.follow']> extends AsyncIterable<infer B> ? B : never

/** The rows of a batch, in the order of the clock. */
function merged({ trades, quotes }: Batch): Row[] {
  const all = [...rowsOf(trades), ...rowsOf(quotes)].sort((a, b) => Number(a.ordinal) - Number(b.ordinal))
  expect(all.map(row => row.ordinal)).toEqual(all.map((_, i) => i))
  return all
}

/** Follows until `isEnough`, or until the session has ended. */
async function collect(
  client: ReplayClient,
  session: string,
  isEnough: (ids: string[], batch: Batch) => boolean = (_, { state }) => state === 'ended',
  begin: () => Promise<unknown> = () => Promise.resolve(),
): Promise<string[]> {
  const found: string[] = []
  let begun = false
  for await (const batch of client['replay.follow']({ session })) {
    if (!begun) {
      begun = true
      await begin()
      continue
    }
    found.push(...merged(batch).map(row => row.message_id as string))
    if (isEnough(found, batch)) break
  }
  return found
}

describe('a session', () => {
  it('plays the rows of both kinds in one order, with the same checksum whatever the batches', async () => {
    const client = await testReplay(await sessionLake())
    const checksums = new Set<string>()
    for (const batch_size of [1, 7, 1000]) {
      const { session } = await client['replay.open']({ ...BOTH, speed: 'max', batch_size })
      await client['replay.control']({ session, action: 'play' })
      expect(await collect(client, session)).toEqual(ids)
      const state = await client['replay.state']({ session })
      expect(state).toMatchObject({ state: 'ended', rows: count, clock: at(19), late: 0 })
      checksums.add(state.checksum)
      await client['replay.close']({ session })
    }
    expect(checksums.size).toBe(1)
    const { session } = await client['replay.open']({ ...BOTH, speed: 'max', start_time: at(1) })
    await client['replay.control']({ session, action: 'play' })
    expect(await collect(client, session)).toEqual(ids.slice(2))
    expect(checksums).not.toContain((await client['replay.state']({ session })).checksum)
  })

  it('stops its clock at the row played last, forward and back, at a speed too', async () => {
    const client = await testReplay(await sessionLake())
    const { session } = await client['replay.open']({ ...BOTH, speed: 1000 })
    await client['replay.control']({ session, action: 'play' })
    expect(await collect(client, session)).toEqual(ids)
    expect(await client['replay.state']({ session })).toMatchObject({ state: 'ended', clock: at(19) })
    const back = () => client['replay.control']({ session, action: 'reverse' })
    expect(await collect(client, session, undefined, back)).toEqual(ids.toReversed())
    expect(await client['replay.state']({ session })).toMatchObject({ state: 'ended', clock: at(0) })
  })

  it('gives the rows of one ordered read after any seeks, steps and turns', { timeout: 180_000 }, async () => {
    const client = await testReplay(await sessionLake())
    const { session } = await client['replay.open']({ ...BOTH, batch_size: 3 })
    const move = fc.oneof(
      fc.record({ kind: fc.constant('seek' as const), to: fc.integer({ min: -2, max: 22 }) }),
      fc.record({ kind: fc.constant('step' as const), to: fc.integer({ min: -9, max: 9 }).filter(n => n !== 0) }),
    )
    const timeOf = (i: number) => Math.floor(i / 2)
    let place = 0
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 1, maxLength: 6 }), async moves => {
        for (const { kind, to } of moves) {
          if (kind === 'seek') {
            await client['replay.control']({ session, action: 'seek', to: at(to) })
            place = rows.filter((_, i) => timeOf(i) < to).length
            continue
          }
          const expected = to > 0 ? ids.slice(place, place + to) : ids.slice(Math.max(0, place + to), place).reverse()
          const step = () => client['replay.control']({ session, action: 'step', count: to })
          if (expected.length === 0) {
            // There is nothing that a reader could wait for.
            await step()
            continue
          }
          expect(await collect(client, session, found => found.length >= expected.length, step)).toEqual(expected)
          place += to > 0 ? expected.length : -expected.length
        }
      }),
      { numRuns: 12 },
    )
  })

  it('steps without a reader too, and tells where the clock is', async () => {
    const client = await testReplay(await sessionLake())
    const { session, clock } = await client['replay.open'](BOTH)
    expect(clock).toBe(at(0))
    const control = client['replay.control']
    expect(await control({ session, action: 'step', count: 5 })).toMatchObject({ clock: at(2), visible_until: at(2) })
    expect(await control({ session, action: 'step' })).toMatchObject({
      visible_until: timestampText(START_MICROS + 2e6 + 1),
      rows: 6,
    })
    expect(await control({ session, action: 'step', count: -1 })).toMatchObject({ clock: at(2), visible_until: at(2) })
    expect(await control({ session, action: 'step', unit: 'bar' })).toMatchObject({ clock: at(60) })
    expect(await control({ session, action: 'step', unit: 'bar', count: -1 })).toMatchObject({ clock: at(0) })
  })

  it('counts its turns, so that a reader knows which rows follow each other', async () => {
    const client = await testReplay(await sessionLake())
    const { session, turns } = await client['replay.open']({ ...BOTH, batch_size: 2 })
    const byTurn: string[][] = []
    const ways: string[] = []
    const reading = (async () => {
      for await (const batch of client['replay.follow']({ session })) {
        ways[batch.turns] = batch.direction
        ;(byTurn[batch.turns] ??= []).push(...merged(batch).map(row => row.message_id as string))
      }
    })()
    await expect.poll(() => byTurn.length).toBe(1)
    const control = client['replay.control']
    const told = [
      await control({ session, action: 'step', count: 4 }),
      await control({ session, action: 'step', count: -3 }),
      await control({ session, action: 'seek', to: at(9) }),
      await control({ session, action: 'step', count: 5 }),
    ]
    expect([turns, ...told.map(state => state.turns)]).toEqual([0, 0, 1, 2, 2])
    const expected = { 0: ids.slice(0, 4), 1: ids.slice(1, 4).reverse(), 2: ids.slice(18, 23) }
    await expect.poll(() => ({ ...byTurn })).toEqual(expected)
    expect(ways).toEqual(['forward', 'backward', 'forward'])
    await client['replay.close']({ session })
    await reading
  })

  it('plays back to its start in the exact reverse', async () => {
    const client = await testReplay(await sessionLake())
    const { session } = await client['replay.open']({ ...BOTH, speed: 'max', batch_size: 9 })
    await client['replay.control']({ session, action: 'seek', to: at(15) })
    await client['replay.control']({ session, action: 'reverse' })
    const found = await collect(client, session, undefined, () => client['replay.control']({ session, action: 'play' }))
    expect(found).toEqual(ids.slice(0, 30).reverse())
  })

  it('plays a loop again and again, without what lies outside', async () => {
    const client = await testReplay(await sessionLake())
    const { session } = await client['replay.open']({ ...BOTH, speed: 'max', batch_size: 4 })
    await client['replay.control']({ session, action: 'loop', from: at(3), to: at(6) })
    const found = await collect(
      client,
      session,
      all => all.length >= 15,
      () => client['replay.control']({ session, action: 'play' }),
    )
    expect(found.slice(0, 15)).toEqual([...ids.slice(6, 12), ...ids.slice(6, 12), ...ids.slice(6, 12)].slice(0, 15))
    await client['replay.control']({ session, action: 'loop', from: at(100), to: at(200) })
    await collect(
      client,
      session,
      (_, { state }) => state === 'paused',
      () => client['replay.control']({ session, action: 'play' }),
    )
    expect((await client['replay.state']({ session })).why).toBe('There is no row in the loop.')
  })

  it('gives rows when they are due, and none while it is paused', async () => {
    const ticker = heldTicker()
    const client = await testReplay(await sessionLake(), ticker)
    const { session } = await client['replay.open']({ ...BOTH, speed: 2, end_time: at(4) })
    await client['replay.control']({ session, action: 'play' })
    const began = ticker.ms
    const due: [string, number][] = []
    for await (const batch of client['replay.follow']({ session })) {
      for (const row of merged(batch)) due.push([row.message_id as string, ticker.ms - began])
      if (batch.state === 'ended') break
    }
    expect(due).toEqual(ids.slice(0, 8).map((id, i) => [id, Math.floor(i / 2) * 500]))
  })

  it('goes on behind the batch whose cursor it is given', async () => {
    const client = await testReplay(await sessionLake())
    const { session } = await client['replay.open']({ ...BOTH, speed: 'max', batch_size: 5 })
    await client['replay.control']({ session, action: 'play' })
    const cursors: string[] = []
    for await (const { cursor } of client['replay.follow']({ session })) if (cursors.push(cursor) === 4) break
    const found: string[] = []
    for await (const batch of client['replay.follow']({ session, after: cursors[2] })) {
      found.push(...merged(batch).map(row => row.message_id as string))
      if (batch.state === 'ended') break
    }
    expect(found).toEqual(ids.slice(10))
  })

  it('plays nothing outside its range, wherever it is sought to, and goes on behind a cursor from there', async () => {
    const client = await testReplay(await sessionLake())
    const { session } = await client['replay.open']({ ...BOTH, start_time: at(2), end_time: at(18), speed: 'max' })
    const control = client['replay.control']
    await control({ session, action: 'seek', to: at(0) })
    let cursor = ''
    for await (const batch of client['replay.follow']({ session })) {
      cursor = batch.cursor
      break
    }
    await control({ session, action: 'play' })
    const found: string[] = []
    for await (const batch of client['replay.follow']({ session, after: cursor })) {
      found.push(...merged(batch).map(row => row.message_id as string))
      if (batch.state === 'ended') break
    }
    expect(found).toEqual(ids.slice(4, 36))
    await control({ session, action: 'seek', to: at(19) })
    await control({ session, action: 'reverse' })
    expect(await collect(client, session, undefined, () => control({ session, action: 'play' }))).toEqual(
      ids.slice(4, 36).toReversed(),
    )
  })

  it('refuses a cursor that no batch of it came with, and goes on for the reader it has', async () => {
    const client = await testReplay(await sessionLake())
    const { session } = await client['replay.open']({ ...BOTH, start_time: at(2), end_time: at(18), batch_size: 5 })
    const reader = client['replay.follow']({ session })[Symbol.asyncIterator]()
    const { value: first } = (await reader.next()) as { value: Batch }
    const place = (second: number, skip: number | string = 0) => `${START_MICROS + second * 1e6}:${skip}`
    const forged = [
      place(5),
      [place(5), place(5), place(5)].join('.'),
      [place(5), place(5, -3)].join('.'),
      [place(5), place(5, '')].join('.'),
      [place(5), '7'].join('.'),
      [place(5), '-:1'].join('.'),
      [place(5), '99999999999999999:0'].join('.'),
      // More rows than there are at that time.
      [place(5), place(5, 4)].join('.'),
      [place(1), place(5)].join('.'),
      [place(5), place(19)].join('.'),
      '...',
    ]
    for (const after of forged) {
      const refused = client['replay.follow']({ session, after })[Symbol.asyncIterator]().next()
      await expect(refused, after).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringContaining('as it came with a batch') as string,
      })
    }
    await client['replay.control']({ session, action: 'play', speed: 'max' })
    const found = merged(first).map(row => row.message_id)
    for (;;) {
      const { value, done } = (await reader.next()) as { value: Batch; done?: boolean }
      if (done) break
      found.push(...merged(value).map(row => row.message_id))
      if (value.state === 'ended') break
    }
    expect(found).toEqual(ids.slice(4, 36))
  })

  it('ends for a reader when another one comes', async () => {
    const client = await testReplay(await sessionLake())
    const { session } = await client['replay.open'](BOTH)
    const first = client['replay.follow']({ session })[Symbol.asyncIterator]()
    await first.next()
    const waiting = first.next()
    const second = client['replay.follow']({ session })[Symbol.asyncIterator]()
    await second.next()
    expect((await waiting).done).toBe(true)
    await second.return?.()
  })

  it('shows tables as they were at a moment, and both as they were when the chosen snapshot was committed', async () => {
    const lake = await sessionLake()
    const { snapshot_id } = (await (await testReplay(lake))['replay.read']({})).query
    await append(lake, replayBatch('quotes', [{ id: 'later', micros: START_MICROS }]), { table: 'quotes' })
    await append(lake, replayBatch('trades', [{ id: 'latest', micros: START_MICROS }]))
    const client = await testReplay(lake)
    const now = await client['replay.open']({ ...BOTH, speed: 'max' })
    await client['replay.control']({ session: now.session, action: 'play' })
    expect(await collect(client, now.session)).toHaveLength(count + 2)
    const then = await client['replay.open']({ ...BOTH, speed: 'max', snapshot_id: snapshot_id! })
    await client['replay.control']({ session: then.session, action: 'play' })
    // The quotes were committed after those trades, so at that moment there were none yet.
    expect(await collect(client, then.session)).toEqual(rows.filter(row => row.table === 'trades').map(({ id }) => id))
  })

  it('lets queries see nothing after its clock', async () => {
    const client = await testReplay(await sessionLake())
    const { session } = await client['replay.open']({ ...BOTH, batch_size: 1 })
    for (let step = 1; step <= count; step++) {
      await client['replay.control']({ session, action: 'step' })
      const { untilMicros, asOfMicros } = client.clockOf(session)
      const visible = rows.filter(({ micros }) => micros < untilMicros).length
      expect([step - 1, step]).toContain(visible)
      expect(asOfMicros).toBeGreaterThan(0)
    }
    await client['replay.control']({ session, action: 'seek', to: at(7) })
    expect(client.clockOf(session).untilMicros).toBe(START_MICROS + 7e6)
    expect(() => client.clockOf('6ff0aa1f-0000-4000-8000-000000000000')).toThrow('There is no session')
  })
})

describe('by arrival', () => {
  it('plays rows as they were taken in, and marks those that are late, whichever way it comes to them', async () => {
    const client = await testReplay(await sessionLake())
    const arrived = rows.toSorted((a, b) => a.arrived! - b.arrived!)
    let newest = -Infinity
    const marks = arrived.map(({ id, micros }) => {
      const isLate = micros < newest
      newest = Math.max(newest, micros)
      return [id, isLate]
    })
    const { session } = await client['replay.open']({ ...BOTH, order: 'arrival', speed: 'max', batch_size: 7 })
    const follow = async () => {
      const found: unknown[] = []
      await client['replay.control']({ session, action: 'play' })
      for await (const batch of client['replay.follow']({ session })) {
        found.push(...merged(batch).map(row => [row.message_id, row.is_late]))
        if (batch.state === 'ended') return found
      }
      return found
    }
    expect(await follow()).toEqual(marks)
    expect((await client['replay.state']({ session })).late).toBe(marks.filter(([, isLate]) => isLate).length)
    await client['replay.control']({ session, action: 'reverse' })
    expect(await follow()).toEqual(marks.toReversed())
    await client['replay.control']({ session, action: 'reverse' })
    await client['replay.control']({ session, action: 'seek', to: at(20) })
    expect(await follow()).toEqual(marks.slice(20))
  })

  it('refuses rows of which only the time of their load is known', async () => {
    const lake = await sessionLake()
    await append(lake, replayBatch('trades', [{ id: 'loaded', micros: START_MICROS + 5e6 }]))
    const client = await testReplay(lake)
    const open = (end: number) => client['replay.open']({ order: 'arrival', end_time: at(end) })
    await expect(open(40)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('files') as string,
    })
    expect(await open(5)).toMatchObject({ order: 'arrival' })
  })
})

describe('sessions', () => {
  it('are so many at the most, and make room when they are closed or idle', async () => {
    const ticker = heldTicker()
    const client = await testReplay(await sessionLake(), ticker)
    const opened: string[] = []
    for (let i = 0; i < 16; i++) opened.push((await client['replay.open']({})).session)
    await expect(client['replay.open']({})).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await client['replay.close']({ session: opened[3] })).toMatchObject({ closed: true })
    expect(await client['replay.close']({ session: opened[3] })).toMatchObject({ closed: false })
    await client['replay.open']({})
    ticker.ms += 10 * 60_000
    await client['replay.state']({ session: opened[0] })
    ticker.ms += 10 * 60_000
    await client['replay.open']({})
    await expect(client['replay.state']({ session: opened[1] })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await client['replay.state']({ session: opened[0] })).toMatchObject({ state: 'paused' })
  })

  it('of an empty lake have nothing to play', async () => {
    const client = await testReplay(await tempLake())
    const { session, ...state } = await client['replay.open']({ ...BOTH, speed: 'max' })
    expect(state).toMatchObject({ start_time: null, snapshots: { trades: null, quotes: null } })
    await client['replay.control']({ session, action: 'play' })
    expect(await collect(client, session)).toEqual([])
  })
})
