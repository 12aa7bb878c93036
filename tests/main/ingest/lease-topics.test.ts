// Topics of one table that several writers want: each is written by one of them, and what one holds keeps none of the rest back.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { createTopicLeases } from '../../../src/main/ingest/lease-topics.ts'
import type { WriterOptions } from '../../../src/main/ingest/writer-options.ts'
import { plainProduced } from '../../support/plain-intake.ts'
import { CRYPTO, memoryLog, memoryTables, openWriter, TRADES } from '../../support/writer.ts'

const FUTURES = 'market.futures.trades.cme'
const ALL = [TRADES, CRYPTO, FUTURES]
const trades = (from: number, count: number) =>
  plainProduced(Array.from({ length: count }, (_, i) => ({ id: `A${from + i}`, symbol: 'A', seq: from + i })))
const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 5000, interval: 2 })
const writtenTopics = (writer: ReturnType<typeof openWriter>) =>
  [...new Set(writer.status().topics.map(({ topic }) => topic))].sort()
const rowsOf = (tables: ReturnType<typeof memoryTables>, topic: string) =>
  tables.trades.rows().filter(row => row._topic === topic).length

/** All of the topics or none, one holder each, as those beside a table. */
function leasePlace() {
  const holders = new Map<string, string>()
  const lost = new Map<string, (why: Error) => void>()
  const leasesOf =
    (owner: string): NonNullable<WriterOptions['acquireLease']> =>
    async (_, topics) => {
      await sleep(1)
      const taken = topics.find(topic => (holders.get(topic) ?? owner) !== owner)
      if (taken !== undefined) return { heldBy: holders.get(taken)! }
      for (const topic of topics) holders.set(topic, owner)
      const release = async () => {
        for (const topic of topics) if (holders.get(topic) === owner) holders.delete(topic)
      }
      return { held: { lost: new Promise(resolve => topics.forEach(topic => lost.set(topic, resolve))), release } }
    }
  const takeAway = (topic: string, by: string) => {
    holders.set(topic, by)
    lost.get(topic)!(new Error(`${by} writes ${topic} now.`))
  }
  return { holders, leasesOf, takeAway }
}

it('writes the topics that are free, says which ones another one writes, and takes these up when they are free', async () => {
  const { holders, leasesOf } = leasePlace()
  const log = await memoryLog(ALL, 1)
  const tables = memoryTables()
  holders.set(CRYPTO, 'Process 1 on desk-7')
  for (const topic of ALL) await log.append(topic, trades(1, 5))
  const writer = openWriter({ log, tables, acquireLease: leasesOf('me'), settings: { topics: ALL } })
  await eventually(() => expect([rowsOf(tables, TRADES), rowsOf(tables, FUTURES)]).toEqual([5, 5]))
  const { state, why, lag } = writer.status()
  expect({ state, lag }).toEqual({ state: 'following', lag: 0 })
  expect(why).toBe(
    `Process 1 on desk-7 writes ${CRYPTO} to trades; this K2 reads and follows these commits, and writes the other topics of the table itself.`,
  )
  expect(writtenTopics(writer)).toEqual([TRADES, FUTURES].sort())
  expect(rowsOf(tables, CRYPTO)).toBe(0)
  expect(writer.isTheWriter('trades')).toBe(true)

  holders.delete(CRYPTO)
  await eventually(() => expect(writer.status()).toMatchObject({ state: 'writing', why: null, rows: 15 }))
  expect(writtenTopics(writer)).toEqual([...ALL].sort())
  await writer.stop()
  expect([...holders]).toEqual([])
})

it('names every one that writes topics of the table', async () => {
  const { holders, leasesOf } = leasePlace()
  const log = await memoryLog(ALL, 1)
  holders.set(TRADES, 'Process 1 on a').set(CRYPTO, 'Process 2 on b').set(FUTURES, 'Process 1 on a')
  const writer = openWriter({
    log,
    tables: memoryTables(),
    acquireLease: leasesOf('me'),
    settings: { topics: ALL },
  })
  await eventually(() => expect(writer.status().why).toMatch(FUTURES))
  expect(writer.status().why).toBe(
    `Process 2 on b writes ${CRYPTO} to trades, and Process 1 on a writes ${TRADES}, ${FUTURES} to trades; this K2 reads and follows these commits.`,
  )
  expect(writer.isTheWriter('trades')).toBe(false)
})

it('leaves all of them to one when two begin at once', async () => {
  const { leasesOf } = leasePlace()
  const log = await memoryLog(ALL, 1)
  const tables = memoryTables()
  const open = (owner: string) =>
    openWriter({ log, tables, acquireLease: leasesOf(owner), settings: { topics: ALL, lookEveryMs: 50 } })
  const writers = [open('a'), open('b')]
  for (const topic of ALL) await log.append(topic, trades(1, 5))
  await eventually(() => expect(tables.trades.rows()).toHaveLength(15))
  await sleep(120)
  expect(writers.map(writer => writer.status().state).sort()).toEqual(['following', 'writing'])
  expect(writers.map(writtenTopics).sort((a, b) => a.length - b.length)).toEqual([[], [...ALL].sort()])
})

it('goes on with the others when it has lost one of them', async () => {
  const { leasesOf, takeAway } = leasePlace()
  const log = await memoryLog(ALL, 1)
  const tables = memoryTables()
  const writer = openWriter({ log, tables, acquireLease: leasesOf('me'), settings: { topics: ALL } })
  await eventually(() => expect(writer.status().state).toBe('writing'))
  takeAway(CRYPTO, 'Process 1 on desk-7')
  await eventually(() => expect(writer.status().why).toMatch(/^Process 1 on desk-7 writes market.crypto/))
  for (const topic of ALL) await log.append(topic, trades(1, 5))
  await eventually(() => expect([rowsOf(tables, TRADES), rowsOf(tables, FUTURES)]).toEqual([5, 5]))
  expect(rowsOf(tables, CRYPTO)).toBe(0)
})

it('fails where it must not follow, names what the other one holds, and holds nothing itself', async () => {
  const { holders, leasesOf } = leasePlace()
  const log = await memoryLog(ALL, 1)
  holders.set(TRADES, 'Process 1 on desk-7')
  const settings = { topics: ALL, whenFenced: 'fail' } as const
  const writer = openWriter({ log, tables: memoryTables(), acquireLease: leasesOf('me'), settings })
  await eventually(() => expect(writer.status()).toMatchObject({ state: 'stopped', rows: 0 }))
  expect(writer.status().why).toMatch(
    `Process 1 on desk-7 writes ${TRADES} to trades. Nothing was written here. Stop it first`,
  )
  await eventually(() => expect([...holders]).toEqual([[TRADES, 'Process 1 on desk-7']]))
})

it('writes on where it must not follow when a topic comes that another one holds, and says so', async () => {
  const { holders, leasesOf } = leasePlace()
  const log = await memoryLog([TRADES], 1)
  const tables = memoryTables()
  const settings = { topics: [], pattern: String.raw`market\..*`, whenFenced: 'fail', lookEveryMs: 5 } as const
  const writer = openWriter({ log, tables, acquireLease: leasesOf('me'), settings })
  await log.append(TRADES, trades(1, 5))
  await eventually(() => expect(rowsOf(tables, TRADES)).toBe(5))
  holders.set(CRYPTO, 'Process 1 on desk-7')
  await log.createTopics([CRYPTO, FUTURES].map(name => ({ name, partitions: 1 })))
  for (const topic of ALL) await log.append(topic, trades(6, 5))
  await eventually(() => expect([rowsOf(tables, TRADES), rowsOf(tables, FUTURES)]).toEqual([10, 5]))
  expect(writer.status().state).not.toBe('stopped')
  expect(writer.status().why).toMatch(`Process 1 on desk-7 writes ${CRYPTO} to trades`)
  expect(rowsOf(tables, CRYPTO)).toBe(0)
})

it('goes on where a person has set the offsets, also where it must not follow, as nobody else has the lease', async () => {
  const { leasesOf } = leasePlace()
  const log = await memoryLog([TRADES], 1)
  const tables = memoryTables()
  await log.append(TRADES, trades(1, 5))
  const settings = { topics: [TRADES], whenFenced: 'fail' } as const
  const writer = openWriter({ log, tables, acquireLease: leasesOf('me'), settings })
  await eventually(() => expect(rowsOf(tables, TRADES)).toBe(5))
  const [vector] = await tables.trades.offsets()
  tables.trades.setVector([{ ...vector, next: { 0: 3 } }])
  await log.append(TRADES, trades(6, 2))
  await eventually(() =>
    expect(
      tables.trades
        .rows()
        .map(row => Number(row.source_sequence))
        .slice(5),
    ).toEqual([4, 5, 6, 7]),
  )
  expect(writer.status()).toMatchObject({ state: 'writing', why: null })
})

it('holds nothing when it cannot be asked for all of them', async () => {
  const { holders, leasesOf } = leasePlace()
  const acquireLease: WriterOptions['acquireLease'] = async (table, topics) => {
    if (topics.includes(TRADES)) throw new Error('The place of the leases is away.')
    return leasesOf('me')(table, topics)
  }
  const leases = createTopicLeases('trades', { acquireLease }, () => {})
  await expect(leases.take(ALL)).rejects.toThrow('away')
  expect([...holders]).toEqual([])
})
