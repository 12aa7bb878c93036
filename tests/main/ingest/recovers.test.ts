// What a writer gets over by itself, and what must not keep it from ending.
import { describe, expect, it, vi } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import type { MessageLog } from '../../../src/main/log/message-log.ts'
import { memoryStreamTable, type TableFault } from '../../support/memory-stream-table.ts'
import { plainProduced } from '../../support/plain-intake.ts'
import { memoryLog, memoryTables, openWriter, quickBreakers, TRADES } from '../../support/writer.ts'

const trades = (from: number, count: number) =>
  plainProduced(Array.from({ length: count }, (_, i) => ({ id: `A${from + i}`, symbol: 'A', seq: from + i })))
const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 5000, interval: 2 })
const numbersIn = (tables: ReturnType<typeof memoryTables>) =>
  tables.trades.rows().map(({ source_sequence: number }) => Number(number))
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
const vector = (next: Record<string, number>, epoch = '0') => [{ cluster: 'c', epoch, topic: TRADES, next }]
const removed = (offset: number, earliest: number) =>
  new Failure('OFFSET_OUT_OF_RANGE', 'It is no longer held.', {
    details: { topic: TRADES, partition: 0, offset, earliest, latest: 1000 },
  })

describe('a writer', () => {
  it('goes on where retention has taken what it only wanted to remember', async () => {
    const log = await memoryLog([TRADES], 1)
    await log.append(TRADES, trades(1, 30))
    const tables = memoryTables()
    tables.trades.setVector(vector({ 0: 20 }))
    const starts: unknown[] = []
    const shortened: MessageLog = {
      ...log,
      read(options) {
        starts.push(options.from(TRADES, 0))
        if (starts.length > 1) return log.read(options)
        throw removed(0, 12)
      },
    }
    const writer = openWriter({ log: shortened, tables })
    await eventually(() => expect(numbersIn(tables)).toEqual(upTo(30).slice(20)))
    expect(starts).toEqual([0, 12])
    expect(writer.status()).toMatchObject({ state: 'writing', why: null })
  })

  it('begins at what there is in a new topic that retention has shortened before anything of it was read', async () => {
    const log = await memoryLog([TRADES], 1)
    await log.append(TRADES, trades(1, 5))
    const tables = memoryTables()
    let reads = 0
    const shortened: MessageLog = {
      ...log,
      read(options) {
        if (reads++ > 0) return log.read(options)
        throw removed(0, 3)
      },
    }
    openWriter({ log: shortened, tables })
    await eventually(() => expect(numbersIn(tables)).toEqual([4, 5]))
  })

  it('commits how far it is in partitions that were empty too, and says when retention has taken of them since', async () => {
    const log = await memoryLog([TRADES], 3)
    await log.append(TRADES, trades(1, 5))
    const tables = memoryTables()
    const first = openWriter({ log, tables })
    await eventually(() => expect(numbersIn(tables)).toEqual(upTo(5)))
    await first.stop()
    const ranges = await log.ranges(TRADES)
    const [vector] = await tables.trades.offsets()
    expect(vector.next).toEqual(Object.fromEntries(ranges.map(({ partition, latest }) => [partition, latest])))
    const empty = ranges.filter(({ latest }) => latest === 0).map(({ partition }) => partition)
    expect(empty).toHaveLength(2)

    const cut = { earliest: 6, latest: 10 }
    const shortened: MessageLog = {
      ...log,
      ranges: async topic =>
        (await log.ranges(topic)).map(range => (empty.includes(range.partition) ? { ...range, ...cut } : range)),
    }
    const writer = openWriter({ log: shortened, tables })
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'stopped' }))
    expect(writer.status().why).toMatch(
      new RegExp(
        `partition ${empty[0]} .* up to 6 messages that were never written.* 1 more of its partitions: ${empty[1]}`,
      ),
    )
  })

  it('goes on without a restart when the offsets are set that it could not go on from', async () => {
    const log = await memoryLog([TRADES], 2)
    await log.append(TRADES, trades(1, 10))
    const tables = memoryTables()
    tables.trades.setVector(vector({ 0: 50, 1: 0 }))
    const writer = openWriter({ log, tables })
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'stopped' }))
    expect(writer.status().why).toMatch(/k2 ingest offsets set market.equities.trades.asx 0/)
    tables.trades.setVector(vector({ 0: 0, 1: 0 }))
    await eventually(() => expect(numbersIn(tables).sort((a, b) => a - b)).toEqual(upTo(10)))
    expect(writer.status()).toMatchObject({ state: 'writing', why: null })
  })

  it('does not take a log that has grown past the offset for one that was never reset', async () => {
    const log = await memoryLog([TRADES], 1)
    const tables = memoryTables()
    tables.trades.setVector(vector({ 0: 5 }))
    const writer = openWriter({ log, tables })
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'stopped' }))
    await log.append(TRADES, trades(1, 10))
    await new Promise(resolve => setTimeout(resolve, 60))
    expect(writer.status()).toMatchObject({ state: 'stopped' })
    expect(tables.trades.commits()).toEqual([])
  })

  it('waits until all partitions of a topic that was made anew are set, as the others would begin at their first message', async () => {
    const log = await memoryLog([TRADES], 2)
    await log.append(TRADES, trades(1, 10))
    const ends = Object.fromEntries((await log.ranges(TRADES)).map(({ partition, latest }) => [partition, latest]))
    const tables = memoryTables()
    tables.trades.setVector(vector({ 0: 3, 1: 3 }, 'earlier'))
    const writer = openWriter({ log, tables })
    await eventually(() => expect(writer.status().why).toMatch(/made anew/))
    tables.trades.setVector(vector({ 0: ends[0] }))
    await new Promise(resolve => setTimeout(resolve, 60))
    expect(writer.status()).toMatchObject({ state: 'stopped' })
    tables.trades.setVector(vector({ 0: ends[0], 1: ends[1] }))
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'writing', why: null }))
    await log.append(TRADES, trades(11, 2))
    await eventually(() => expect(numbersIn(tables)).toEqual([11, 12]))
  })

  it('takes a topic that is gone between two looks for one that is waited for', async () => {
    const log = await memoryLog([TRADES], 1)
    await log.append(TRADES, trades(1, 5))
    let gone = 2
    const flickering: MessageLog = {
      ...log,
      ranges: async topic => {
        if (gone-- > 0) throw new Failure('NOT_FOUND', `There is no topic ${topic}.`)
        return log.ranges(topic)
      },
    }
    const tables = memoryTables()
    const writer = openWriter({ log: flickering, tables })
    await eventually(() => expect(numbersIn(tables)).toEqual(upTo(5)))
    gone = 2
    await eventually(() => expect(gone).toBeLessThanOrEqual(0))
    await log.append(TRADES, trades(6, 1))
    await eventually(() => expect(numbersIn(tables)).toEqual(upTo(6)))
    expect(writer.status()).toMatchObject({ state: 'writing', why: null })
  })

  it('says that it writes again when the log is back, also while nothing comes in', async () => {
    const log = await memoryLog([TRADES], 1)
    let reads = 0
    const restarted: MessageLog = {
      ...log,
      read(options) {
        if (reads++ < 2) throw new Failure('UNAVAILABLE', 'The live process is restarting.')
        options.onTrouble?.(undefined)
        return log.read(options)
      },
    }
    const writer = openWriter({ log: restarted, tables: memoryTables() })
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'waiting' }))
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'writing', why: null }))
  })

  it('stops where a leader that was behind has taken over, with what it had read committed, and goes on from where it is told', async () => {
    const [before, after] = [await memoryLog([TRADES], 1), await memoryLog([TRADES], 1)]
    await before.append(TRADES, trades(1, 6))
    await after.append(TRADES, trades(1, 4))
    await after.append(TRADES, trades(51, 5))
    const election = new AbortController()
    const lostItsEnd = new Failure('OFFSET_OUT_OF_RANGE', 'It holds other messages from offset 4 on.', {
      details: { topic: TRADES, partition: 0, offset: 6, earliest: 0, latest: 4 },
    })
    const leader = () => (election.signal.aborted ? after : before)
    const log: MessageLog = {
      ...before,
      ranges: topic => leader().ranges(topic),
      offsetsAt: (topic, micros) => leader().offsetsAt(topic, micros),
      async *read(options) {
        const isElected = election.signal.aborted
        if (isElected) yield* after.read(options)
        else yield* before.read({ ...options, signal: AbortSignal.any([options.signal, election.signal]) })
        if (!isElected && election.signal.aborted) throw lostItsEnd
      },
    }
    const tables = memoryTables()
    const writer = openWriter({ log, tables, settings: { batchSeconds: 60 } })
    await eventually(() => expect(writer.status().messages).toBe(6))
    expect(numbersIn(tables)).toEqual([])
    election.abort()
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'stopped' }))
    expect(writer.status().why).toContain('up to offset 6, but it ends at 4')
    expect(writer.status().why).toContain(`k2 ingest offsets set ${TRADES} 0`)
    expect(numbersIn(tables)).toEqual(upTo(6))
    expect(tables.trades.vector()).toEqual(vector({ 0: 6 }))

    tables.trades.setVector(vector({ 0: 4 }))
    await eventually(() => expect(writer.status().messages).toBe(6 + 5))
    await writer.stop()
    expect(numbersIn(tables)).toEqual([...upTo(6), 51, 52, 53, 54, 55])
  })

  it('says which command goes on when the log tells it that a topic was made anew', async () => {
    const log = await memoryLog([TRADES], 1)
    const renewed: MessageLog = {
      ...log,
      read() {
        throw new Failure('LOG_RESET', 'Its offsets are other messages now.', { details: { topic: TRADES } })
      },
    }
    const writer = openWriter({ log: renewed, tables: memoryTables() })
    await eventually(() => expect(writer.status().why).toMatch(/k2 ingest offsets set market.equities.trades.asx/))
  })
})

describe('the end of a writer', () => {
  const never = new Promise<never>(() => {})
  async function msToStop(log: MessageLog, fault?: () => TableFault | undefined): Promise<number> {
    const tables = { ...memoryTables(), trades: memoryStreamTable('trades', fault) }
    const writer = openWriter({ log, tables, breakers: quickBreakers(5_000), settings: { batchSeconds: 60 } })
    await new Promise(resolve => setTimeout(resolve, 50))
    const startedMs = performance.now()
    await writer.stop()
    return performance.now() - startedMs
  }

  it('does not wait for a log that does not say which topics there are', async () => {
    const log = await memoryLog()
    expect(await msToStop({ ...log, topics: () => never })).toBeLessThan(1_000)
  })

  it('does not wait for a log that does not note how far it is', async () => {
    const log = await memoryLog()
    await log.append(TRADES, trades(1, 20))
    expect(await msToStop({ ...log, noteProgress: () => never })).toBeLessThan(1_500)
  })

  it('commits what came of one topic while another one cannot be opened', async () => {
    const OTHER = 'market.equities.trades.nyse'
    const log = await memoryLog([TRADES], 1)
    const tables = memoryTables()
    const settings = { topics: [TRADES, OTHER], batchSeconds: 60, batchSize: 1_000 }
    const stuck: MessageLog = { ...log, ranges: topic => (topic === OTHER ? never : log.ranges(topic)) }
    const writer = openWriter({ log: stuck, tables, settings })
    await log.append(TRADES, trades(1, 7))
    await eventually(() => expect(writer.status().messages).toBe(7))
    await log.createTopics([{ name: OTHER, partitions: 1 }])
    await new Promise(resolve => setTimeout(resolve, 50))
    const startedMs = performance.now()
    expect(await writer.stop()).toMatchObject({ unfinished: [], progress: { rows: 7 } })
    expect(performance.now() - startedMs).toBeLessThan(1_000)
  })
})
