// What a session plays behind its tables, when the live view, the tables and the callers are not in step.
import { describe, expect, it } from 'vitest'
import type { Client } from '../../../src/contract/capability.ts'
import { rowsOf, timestampText } from '../../../src/contract/columns.ts'
import { Failure } from '../../../src/contract/failure.ts'
import type { TailTable } from '../../../src/contract/tables.ts'
import type { Lake } from '../../../src/main/lake/lake.ts'
import { OFFSETS_KEY } from '../../../src/main/lake/offsets.ts'
import { offsetIn, type OffsetVector } from '../../../src/main/market/topic-offsets.ts'
import type { FreshRows, tailContract } from '../../../src/main/tail/relay-contract.ts'
import { append, START_MICROS, tempLake } from '../../support/lake.ts'
import { heldTicker, testReplay, type ReplayClient } from '../../support/replay.ts'
import { replayBatch, TOPICS, type ReplayRow } from '../../support/replay-rows.ts'

type Offsets = Record<number, number>

const row = (partition: number, offset: number): ReplayRow => ({
  id: `p${partition}o${offset}`,
  micros: START_MICROS + (offset * 2 + partition) * 1000,
  partition,
  offset,
})

const rowsBetween = (from: Offsets, to: Offsets) =>
  Object.entries(to).flatMap(([partition, end]) => {
    const first = from[Number(partition)] ?? 0
    return Array.from({ length: Math.max(0, end - first) }, (_, i) => row(Number(partition), first + i))
  })

const idsBetween = (from: Offsets, to: Offsets) => rowsBetween(from, to).map(({ id }) => id)

const vectorOf = (table: TailTable, next: Offsets, epoch = '0'): OffsetVector => [
  { cluster: 'c', epoch, topic: TOPICS[table], next },
]

async function commit(lake: Lake, from: Offsets, to: Offsets, table: TailTable = 'trades', epoch?: string) {
  const summary = { [OFFSETS_KEY]: JSON.stringify(vectorOf(table, to, epoch)) }
  await append(lake, replayBatch(table, rowsBetween(from, to)), { table, specId: 0, summary })
}

interface Question {
  data_type: TailTable
  boundary: OffsetVector
  since_micros?: number
}

/** A live view of one topic of each kind, that holds the messages `from` … `to`. */
function liveView() {
  const place = () => ({ from: {} as Offsets, to: {} as Offsets, epoch: '0', isAway: false })
  const view = { trades: place(), quotes: place() }
  const fresh = ({ data_type: table, boundary, since_micros = -Infinity }: Question): FreshRows => {
    const { from, to, epoch, isAway } = view[table]
    if (isAway) throw new Failure('UNAVAILABLE', 'The live view is away for a moment.')
    const [life] = vectorOf(table, to, epoch)
    const given = Object.fromEntries(Object.keys(to).map(one => [one, offsetIn(boundary, life, one) ?? 0]))
    const starts = Object.fromEntries(Object.keys(to).map(one => [one, Math.max(given[one], from[Number(one)] ?? 0)]))
    const rows = rowsBetween(starts, to).filter(({ micros }) => micros >= since_micros)
    const lacking = Object.keys(to).flatMap(one => {
      const end = Math.min(starts[one], to[Number(one)])
      return given[one] < end ? { topic: life.topic, partition: Number(one), from: given[one], to: end } : []
    })
    return {
      rows: replayBatch(
        table,
        rows.sort((a, b) => a.micros - b.micros),
      ),
      next: [life],
      lacking,
      holdsFrom: vectorOf(table, from, epoch),
      newestMicros: 0,
      isRunning: true,
      isCaughtUp: true,
    }
  }
  const client = {
    // Over a port an answer takes a moment, in which the test goes on.
    'tail.fresh': (question: Question) => new Promise(resolve => setImmediate(resolve)).then(() => fresh(question)),
  } as unknown as Client<typeof tailContract>
  return { view, live: () => Promise.resolve(client) }
}

/** Three trades in the tables, and the live view as far. */
async function threeCommitted() {
  const lake = await tempLake()
  await commit(lake, {}, { 0: 3 })
  const { view, live } = liveView()
  view.trades.to = { 0: 3 }
  return { lake, view, live }
}

async function played(
  client: ReplayClient,
  open: Partial<Parameters<ReplayClient['replay.open']>[0]> = {},
  onRow: (id: string) => void = () => {},
) {
  const { session } = await client['replay.open']({ go_live: true, speed: 'max', ...open })
  await client['replay.control']({ session, action: 'play' })
  const found: string[] = []
  const told = { missed: 0, failed: null as unknown }
  const following = (async () => {
    for await (const { trades, quotes, missed } of client['replay.follow']({ session })) {
      const ids = [...rowsOf(trades), ...rowsOf(quotes)].map(each => each.message_id as string)
      found.push(...ids)
      ids.forEach(onRow)
      told.missed = missed
    }
  })().catch((error: unknown) => (told.failed = error))
  /** Waits for some polls more, in which the same rows would come again. */
  async function settled(count: number) {
    await expect.poll(() => found.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(count)
    await new Promise(resolve => setTimeout(resolve, 350))
    expect(told.failed).toBeNull()
    return [...found]
  }
  async function end() {
    await client['replay.close']({ session })
    await following
  }
  return { session, found, settled, told, end }
}

describe('a session at the live edge', () => {
  it('plays no row of the tables again while the live view is still behind them', async () => {
    const lake = await tempLake()
    await commit(lake, {}, { 0: 5, 1: 3 })
    const { view, live } = liveView()
    view.trades.to = { 0: 0, 1: 0 }
    const { settled, told, end } = await played(await testReplay(lake, undefined, live))
    const first = idsBetween({}, { 0: 5, 1: 3 })
    expect((await settled(8)).toSorted()).toEqual(first.toSorted())
    view.trades.to = { 0: 4, 1: 5 }
    await settled(10)
    view.trades.to = { 0: 8, 1: 5 }
    const all = await settled(13)
    expect(all.toSorted()).toEqual(idsBetween({}, { 0: 8, 1: 5 }).toSorted())
    expect(told.missed).toBe(0)
    await end()
  })

  it('plays no row of a partition again in which the table is behind what was live', async () => {
    const lake = await tempLake()
    await commit(lake, {}, { 0: 2, 1: 2 })
    const { view, live } = liveView()
    view.trades.to = { 0: 5, 1: 5 }
    const { settled, told, end } = await played(await testReplay(lake, undefined, live))
    await settled(10)
    await commit(lake, { 0: 2, 1: 2 }, { 0: 9, 1: 3 })
    Object.assign(view.trades, { from: { 0: 8 }, to: { 0: 10, 1: 6 } })
    const all = await settled(16)
    expect(all.toSorted()).toEqual(idsBetween({}, { 0: 10, 1: 6 }).toSorted())
    expect(told.missed).toBe(0)
    await end()
  })

  it('begins with the first message of a topic that was made anew', async () => {
    const lake = await tempLake()
    await commit(lake, {}, { 0: 5 })
    const { view, live } = liveView()
    Object.assign(view.trades, { to: { 0: 2 }, epoch: '1' })
    const { settled, told, end } = await played(await testReplay(lake, undefined, live))
    const first = [...idsBetween({}, { 0: 5 }), ...idsBetween({}, { 0: 2 })]
    expect(await settled(7)).toEqual(first)
    // Its rows cannot be told in the table from those of the topic before.
    await commit(lake, {}, { 0: 6 }, 'trades', '1')
    Object.assign(view.trades, { from: { 0: 4 }, to: { 0: 7 } })
    expect(await settled(10)).toEqual([...first, ...idsBetween({ 0: 4 }, { 0: 7 })])
    expect(told.missed).toBe(2)
    await end()
  })

  it('loses no row of one kind while the other cannot be asked', async () => {
    const lake = await tempLake()
    await commit(lake, {}, { 0: 2 }, 'trades')
    await commit(lake, {}, { 0: 2 }, 'quotes')
    const { view, live } = liveView()
    view.trades.to = view.quotes.to = { 0: 2 }
    const client = await testReplay(lake, undefined, live)
    const { session, settled, end } = await played(client, { data_types: ['trades', 'quotes'] })
    await settled(4)
    view.quotes.isAway = true
    view.trades.to = { 0: 4 }
    await expect.poll(async () => (await client['replay.state']({ session })).why).toContain('away')
    view.quotes.isAway = false
    view.quotes.to = { 0: 3 }
    const all = await settled(7)
    const expected = [...idsBetween({}, { 0: 4 }), ...idsBetween({}, { 0: 3 })]
    expect(all.toSorted()).toEqual(expected.toSorted())
    await end()
  })

  it('plays nothing that happened before its start', async () => {
    const lake = await tempLake()
    await commit(lake, {}, { 0: 3 })
    const { view, live } = liveView()
    view.trades.to = { 0: 8 }
    const start_time = timestampText(row(0, 5).micros)
    const { settled, end } = await played(await testReplay(lake, undefined, live), { start_time })
    expect(await settled(3)).toEqual(idsBetween({ 0: 5 }, { 0: 8 }))
    await end()
  })

  it('plays nothing before its start that it reads in the tables meanwhile', async () => {
    const { lake, view, live } = await threeCommitted()
    const start_time = timestampText(row(0, 5).micros)
    const { settled, told, end } = await played(await testReplay(lake, undefined, live), { start_time })
    await settled(0)
    await commit(lake, { 0: 3 }, { 0: 8 })
    Object.assign(view.trades, { from: { 0: 8 }, to: { 0: 9 } })
    expect(await settled(4)).toEqual(idsBetween({ 0: 5 }, { 0: 9 }))
    expect(told.missed).toBe(0)
    await end()
  })
})

describe('the clock of a session that is live', () => {
  const ROW_FAR_ON = 300_000

  it.each([100, 0.1])('shows the row played last, which comes at once, at a speed of %d', async speed => {
    const { lake, view, live } = await threeCommitted()
    const ticker = heldTicker()
    const client = await testReplay(lake, ticker, live)
    let cameAt = 0
    const { session, found, end } = await played(client, { speed }, () => (cameAt = ticker.ms))
    await expect.poll(async () => (await client['replay.state']({ session })).stage).toBe('live')
    expect(found).toEqual(idsBetween({}, { 0: 3 }))
    const began = ticker.ms
    await expect.poll(() => ticker.ms - began, { interval: 5 }).toBeGreaterThan(30_000)
    const shown = async () => (await client['replay.state']({ session })).clock
    expect(await shown()).toBe(timestampText(row(0, 2).micros + 1))
    // Ten minutes later by the times of the rows.
    Object.assign(view.trades, { from: { 0: ROW_FAR_ON }, to: { 0: ROW_FAR_ON + 1 } })
    const givenAt = ticker.ms
    await expect.poll(() => found.at(-1)).toBe(row(0, ROW_FAR_ON).id)
    expect(cameAt - givenAt).toBeLessThan(1_000)
    expect(await shown()).toBe(timestampText(row(0, ROW_FAR_ON).micros))
    await end()
  })

  it('is never after now, however fast it went before and whatever it is stepped to', async () => {
    const { lake, live } = await threeCommitted()
    const ticker = heldTicker()
    const client = await testReplay(lake, ticker, live)
    const { session, end } = await played(client, { speed: 100 })
    await client['replay.control']({ session, action: 'live' })
    const began = ticker.ms
    await expect.poll(() => ticker.ms - began, { interval: 5 }).toBeGreaterThan(30_000)
    const now = () => timestampText(Date.now() * 1000)
    const { clock } = await client['replay.state']({ session })
    expect(clock! <= now()).toBe(true)
    const stepped = await client['replay.control']({ session, action: 'step', unit: 'bar', interval: '1h' })
    expect(stepped.clock! <= now()).toBe(true)
    expect(stepped.visible_until <= now()).toBe(true)
    await end()
  })

  it('goes back in the tables while what is live cannot be asked', async () => {
    const { lake, view, live } = await threeCommitted()
    view.trades.isAway = true
    const client = await testReplay(lake, undefined, live)
    const { session, found, end } = await played(client)
    await expect.poll(async () => (await client['replay.state']({ session })).why).toContain('away')
    await client['replay.control']({ session, action: 'reverse' })
    await expect.poll(() => found.length).toBe(6)
    expect(found.slice(3)).toEqual(idsBetween({}, { 0: 3 }).toReversed())
    expect(await client['replay.state']({ session })).toMatchObject({ stage: 'lake' })
    await end()
  })

  it('leaps to the end of the tables where it goes back from there', async () => {
    const { lake, live } = await threeCommitted()
    const client = await testReplay(lake, undefined, live)
    const { session, found, settled, end } = await played(client, { speed: 1 })
    await settled(3)
    await client['replay.control']({ session, action: 'live' })
    await client['replay.control']({ session, action: 'reverse' })
    await expect.poll(() => found.length).toBe(6)
    expect(found.slice(3)).toEqual(idsBetween({}, { 0: 3 }).toReversed())
    await end()
  })
})
