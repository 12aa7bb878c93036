// Sessions that go live: the tables first, then what the live view has beyond them, each row once and none left out.
import { describe, expect, it } from 'vitest'
import type { Client } from '../../../src/contract/capability.ts'
import { rowsOf } from '../../../src/contract/columns.ts'
import type { Lake } from '../../../src/main/lake/lake.ts'
import { OFFSETS_KEY } from '../../../src/main/lake/offsets.ts'
import type { OffsetVector } from '../../../src/main/market/topic-offsets.ts'
import type { FreshRows, tailContract } from '../../../src/main/tail/relay-contract.ts'
import { append, START_MICROS, tempLake } from '../../support/lake.ts'
import { testReplay, type ReplayClient } from '../../support/replay.ts'
import { replayBatch, TOPICS, type ReplayRow } from '../../support/replay-rows.ts'

const row = (n: number, micros = START_MICROS + n * 1000): ReplayRow => ({
  id: `r${String(n).padStart(3, '0')}`,
  micros,
  partition: n % 2,
  offset: Math.floor(n / 2),
})
const idOf = (n: number) => row(n).id

/** How far the log is when the rows up to `n` have been read. */
const vectorAt = (n: number): OffsetVector => [
  { cluster: 'c', epoch: '0', topic: TOPICS.trades, next: { 0: Math.ceil(n / 2), 1: Math.floor(n / 2) } },
]

async function commit(lake: Lake, from: number, to: number): Promise<void> {
  const rows = Array.from({ length: to - from }, (_, i) => row(from + i))
  await append(lake, replayBatch('trades', rows), {
    specId: 0,
    summary: { [OFFSETS_KEY]: JSON.stringify(vectorAt(to)) },
  })
}

/** A live view of one topic that holds the rows `from` … `to`, of which the clocks may be wrong. */
function liveView() {
  const view = { from: 0, to: 0, asked: 0, micros: new Map<number, number>() }
  const fresh = ({ boundary, limit }: { boundary: OffsetVector; limit: number }): FreshRows => {
    view.asked++
    const next = boundary[0]?.next ?? {}
    const wanted = Array.from({ length: view.to }, (_, n) => n).filter(n => Math.floor(n / 2) >= (next[n % 2] ?? 0))
    const held = wanted.filter(n => n >= view.from)
    const lost = wanted.filter(n => n < view.from)
    const rows = held.map(n => row(n, view.micros.get(n))).sort((a, b) => a.micros - b.micros)
    const lacking = [0, 1].flatMap(partition => {
      const offsets = lost.filter(n => n % 2 === partition).map(n => Math.floor(n / 2))
      if (offsets.length === 0) return []
      return { topic: TOPICS.trades, partition, from: offsets[0], to: offsets[offsets.length - 1] + 1 }
    })
    const kept = replayBatch('trades', rows.slice(-limit))
    return {
      rows: kept,
      next: vectorAt(view.to),
      lacking,
      holdsFrom: vectorAt(view.from),
      newestMicros: 0,
      isRunning: true,
      isCaughtUp: true,
    }
  }
  const client = { 'tail.fresh': (input: never) => Promise.resolve(fresh(input)) } as unknown as Client<
    typeof tailContract
  >
  return { view, live: () => Promise.resolve(client) }
}

/** Follows until so many rows have come; `between` is told how many there are so far. */
async function collect(client: ReplayClient, session: string, most: number, between: (count: number) => unknown) {
  const found: { id: string; isLate: boolean }[] = []
  for await (const { trades, missed } of client['replay.follow']({ session })) {
    for (const each of rowsOf(trades)) found.push({ id: each.message_id as string, isLate: each.is_late === true })
    expect(missed).toBe(0)
    if (found.length >= most) break
    await between(found.length)
  }
  return found
}

async function openLive(client: ReplayClient) {
  const { session } = await client['replay.open']({ go_live: true, speed: 'max', batch_size: 3 })
  await client['replay.control']({ session, action: 'play' })
  return session
}

describe('a session that goes live', () => {
  it('plays the tables, then what came since, each row once', async () => {
    const lake = await tempLake()
    await commit(lake, 0, 10)
    const { view, live } = liveView()
    Object.assign(view, { from: 4, to: 15 })
    const client = await testReplay(lake, undefined, live)
    const session = await openLive(client)
    const found = await collect(client, session, 24, async count => {
      if (count >= 15 && view.to < 24) view.to += 3
      // What the writer commits meanwhile changes nothing.
      if (count === 18) await commit(lake, 10, 18)
    })
    expect(found.map(({ id }) => id)).toEqual(Array.from({ length: 24 }, (_, n) => idOf(n)))
    expect(await client['replay.state']({ session })).toMatchObject({ stage: 'live', late: 0 })
  })

  it('reads on in the tables where the live view has let go of rows meanwhile', async () => {
    const lake = await tempLake()
    await commit(lake, 0, 10)
    const { view, live } = liveView()
    const client = await testReplay(lake, undefined, live)
    const session = await openLive(client)
    await commit(lake, 10, 16)
    await commit(lake, 16, 21)
    Object.assign(view, { from: 19, to: 26 })
    const found = await collect(client, session, 26, () => {})
    expect(found.map(({ id }) => id)).toEqual(Array.from({ length: 26 }, (_, n) => idOf(n)))
  })

  it('marks rows as late that happened before one that came earlier', async () => {
    const lake = await tempLake()
    await commit(lake, 0, 6)
    const { view, live } = liveView()
    view.to = 6
    view.micros.set(7, START_MICROS + 2_500)
    const client = await testReplay(lake, undefined, live)
    const session = await openLive(client)
    const found = await collect(client, session, 9, count => {
      if (count >= 6 && view.to < 9) view.to++
    })
    expect(found.filter(({ isLate }) => isLate).map(({ id }) => id)).toEqual([idOf(7)])
  })

  it('counts what is nowhere any more instead of keeping silent', async () => {
    const lake = await tempLake()
    await commit(lake, 0, 4)
    const { view, live } = liveView()
    Object.assign(view, { from: 10, to: 12 })
    const client = await testReplay(lake, undefined, live)
    const session = await openLive(client)
    let missed = 0
    for await (const batch of client['replay.follow']({ session })) if ((missed = batch.missed) > 0) break
    expect(missed).toBe(6)
    expect((await client['replay.state']({ session })).why).toContain('6 messages')
  })

  it('jumps to what comes from now on, and back into the tables', async () => {
    const lake = await tempLake()
    await commit(lake, 0, 10)
    const { view, live } = liveView()
    view.to = 12
    const client = await testReplay(lake, undefined, live)
    const { session } = await client['replay.open']({ batch_size: 5 })
    expect(await client['replay.control']({ session, action: 'live' })).toMatchObject({
      stage: 'live',
      state: 'playing',
    })
    const found = await collect(client, session, 3, () => {
      if (view.to < 15) view.to++
    })
    expect(found.map(({ id }) => id)).toEqual([12, 13, 14].map(idOf))
    await client['replay.control']({ session, action: 'pause' })
    await client['replay.control']({ session, action: 'seek', to: '2014-03-10' })
    expect(await client['replay.control']({ session, action: 'step', count: 2 })).toMatchObject({ stage: 'lake' })
    expect(client.clockOf(session).untilMicros).toBe(START_MICROS + 1001)
  })
})
