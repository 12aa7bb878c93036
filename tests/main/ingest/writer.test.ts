// What a writer does while nothing is wrong: which topics, when it commits and what, how it ends.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import type { ConsumeProgress } from '../../../src/contract/writer.ts'
import type { Intake } from '../../../src/main/ingest/intake.ts'
import { MOST_ROWS_A_PART } from '../../../src/main/ingest/plan-flush.ts'
import { writerHandlers } from '../../../src/main/ingest/writer-handlers.ts'
import type { Committed } from '../../../src/main/ingest/writer-options.ts'
import type { Writer } from '../../../src/main/ingest/writer.ts'
import type { MessageLog } from '../../../src/main/log/message-log.ts'
import { plainProduced, type PlainValue } from '../../support/plain-intake.ts'
import { CRYPTO, memoryLog, memoryTables, openWriter, QUOTES, TRADES } from '../../support/writer.ts'

const trade = (seq: number, symbol = 'A'): PlainValue => ({ id: `${symbol}${seq}`, symbol, seq })
const trades = (from: number, count: number) => plainProduced(Array.from({ length: count }, (_, i) => trade(from + i)))
const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 5000, interval: 2 })
const untilRows = (tables: ReturnType<typeof memoryTables>, count: number) =>
  eventually(() => expect(tables.trades.rows()).toHaveLength(count))
/** Counts messages and forgets them. */
function countingIntake(): Intake {
  let rows = 0
  return {
    rowCount: () => rows,
    heldBytes: () => 0,
    take({ count }) {
      rows += count
      return { deadLetters: 0, gaps: [] }
    },
    remember: () => {},
    drain() {
      const taken = { rows: { rowCount: rows, columns: {} }, deadLetters: [], gaps: [] }
      rows = 0
      return { ...taken, duplicates: 0, outOfOrder: 0, resets: 0 }
    },
  }
}
const never = { batchSize: 1e6, batchSeconds: 3600 }

describe('a writer', () => {
  it('commits the rows of a batch with how far the log is, and how far it is whole', async () => {
    const log = await memoryLog([TRADES], 1)
    const tables = memoryTables()
    await log.append(
      TRADES,
      plainProduced([trade(1), trade(2)], i => 1_000_000 + i),
    )
    openWriter({ log, tables })
    await untilRows(tables, 2)
    expect(tables.trades.vector()).toEqual([{ cluster: 'c', epoch: '0', topic: TRADES, next: { 0: 2 } }])
    expect(tables.trades.commits()[0].validThroughMicros).toBe(1_000_001)
  })

  it('goes on from what the table says, and writes nothing twice', async () => {
    const log = await memoryLog()
    const tables = memoryTables()
    await log.append(TRADES, trades(1, 5))
    const first = openWriter({ log, tables })
    await untilRows(tables, 5)
    await first.stop()
    await log.append(TRADES, trades(6, 5))
    openWriter({ log, tables })
    await untilRows(tables, 10)
    expect(tables.trades.rows().map(({ source_sequence: n }) => Number(n))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('moves on over messages that are no rows, with a commit that has none, and not over and over', async () => {
    const log = await memoryLog([TRADES], 1)
    const tables = memoryTables()
    const bad = Array<PlainValue>(30).fill('bad')
    openWriter({ log, tables, settings: { batchSize: 1, batchSeconds: 0.05 } })
    for (let i = 0; i < 3; i++) {
      await log.append(TRADES, plainProduced(bad))
      await sleep(10)
    }
    await eventually(() => expect(tables.trades.vector()[0]?.next).toEqual({ 0: 90 }))
    expect(tables.trades.rows()).toEqual([])
    expect(tables.dead_letters.rows()).toHaveLength(90)
    expect(tables.trades.commits().length).toBeLessThanOrEqual(2)
    const commits = tables.trades.commits().length
    await sleep(150)
    expect(tables.trades.commits()).toHaveLength(commits)
  })

  it('takes the next rows in while a flush is under way, and stops reading when as much again is held', async () => {
    const log = await memoryLog([TRADES], 1, 256e6)
    let release = () => {}
    const gate = new Promise<undefined>(resolve => (release = () => resolve(undefined)))
    const tables = memoryTables((operation, table) => (operation === 'commit' && table === 'trades' ? gate : undefined))
    const chunk = trades(0, 5000)
    for (let i = 0; i < 100; i++) await log.append(TRADES, chunk)
    const settings = { batchSize: MOST_ROWS_A_PART, batchSeconds: 3600 }
    const writer = openWriter({ log, tables, openIntake: countingIntake, settings })
    await eventually(() => expect(writer.status().messages).toBeGreaterThanOrEqual(2 * MOST_ROWS_A_PART))
    await sleep(50)
    const held = writer.status().messages
    expect(held).toBeLessThanOrEqual(2 * MOST_ROWS_A_PART + 2 * 2048)
    release()
    await eventually(() => expect(writer.status().messages).toBe(500_000))
  })

  it('waits for a topic that does not exist yet, says so, and writes it when it comes', async () => {
    const log = await memoryLog([QUOTES])
    const tables = memoryTables()
    const writer = openWriter({ log, tables, settings: { topics: [QUOTES, TRADES] } })
    await eventually(() =>
      expect(writer.status()).toMatchObject({ state: 'writing', why: expect.any(String) as string }),
    )
    expect(writer.status().why).toContain(TRADES)
    await log.createTopics([{ name: TRADES, partitions: 1 }])
    await log.append(TRADES, trades(1, 3))
    await untilRows(tables, 3)
    expect(writer.status().why).toBeNull()
  })

  it('picks up later topics whose whole name matches, and leaves others alone', async () => {
    const log = await memoryLog([TRADES, QUOTES])
    const tables = memoryTables()
    openWriter({ log, tables, settings: { topics: [], pattern: String.raw`market\..*\.trades\..*` } })
    await log.append(TRADES, trades(1, 1))
    await untilRows(tables, 1)
    await log.createTopics([{ name: CRYPTO, partitions: 2 }])
    await log.append(CRYPTO, trades(1, 2))
    await log.append(QUOTES, trades(1, 2))
    await untilRows(tables, 3)
    expect(tables.quotes.vector()).toEqual([])
  })

  it('reads all topics of a table in one read, also those that came one after the other', async () => {
    const log = await memoryLog([TRADES])
    const tables = memoryTables()
    const reads = new Set<readonly string[]>()
    const counting: MessageLog = {
      ...log,
      async *read(options) {
        reads.add(options.topics)
        try {
          yield* log.read(options)
        } finally {
          reads.delete(options.topics)
        }
      },
    }
    openWriter({ log: counting, tables, settings: { topics: [], pattern: '.*trades.*' } })
    await log.append(TRADES, trades(1, 2))
    await untilRows(tables, 2)
    const all = [TRADES, CRYPTO, 'market.futures.trades.cme']
    for (const [i, name] of all.entries()) {
      if (i > 0) await log.createTopics([{ name, partitions: 2 }])
      await log.append(name, trades(10 * (i + 1), 3))
      await untilRows(tables, 2 + 3 * (i + 1))
    }
    expect([...reads].map(topics => [...topics].sort())).toEqual([[...all].sort()])
    expect(tables.trades.rows()).toHaveLength(11)
  })

  it('tells the log how far the table is after each commit, and is not held up when that fails', async () => {
    const log = await memoryLog([TRADES], 1)
    const tables = memoryTables()
    const noted: unknown[] = []
    const noting: MessageLog = {
      ...log,
      async noteProgress(...note) {
        noted.push(note)
        if (noted.length === 1) throw new Error('no coordinator')
      },
    }
    openWriter({ log: noting, tables, settings: { group: 'mine-{data_type}' } })
    await log.append(TRADES, trades(1, 1))
    await untilRows(tables, 1)
    await log.append(TRADES, trades(2, 1))
    await untilRows(tables, 2)
    await eventually(() => expect(noted.at(-1)).toEqual(['mine-trades', TRADES, { 0: 2 }]))
  })

  it('says of every partition how far it is, and how far behind', async () => {
    const log = await memoryLog([TRADES], 1)
    const tables = memoryTables()
    const writer = openWriter({ log, tables, settings: never })
    await log.append(
      TRADES,
      plainProduced([trade(1), trade(2)], () => Date.now() * 1000 - 7e6),
    )
    await eventually(() => expect(writer.status().messages).toBe(2))
    expect(writer.status()).toMatchObject({
      lag: 2,
      topics: [{ topic: TRADES, table: 'trades', partition: 0, committed_offset: '0', read_offset: '2', lag: 2 }],
    })
    const [lag] = writer.lags()
    expect(lag).toMatchObject({ messages: 2, committedOffset: 0 })
    expect(lag.seconds).toBeGreaterThanOrEqual(7)
    expect(lag.seconds).toBeLessThan(12)
  })

  it('tells what each commit brought', async () => {
    const log = await memoryLog([TRADES], 1)
    const committed: Committed[] = []
    const writer = openWriter({
      log,
      tables: memoryTables(),
      events: { onCommit: one => committed.push(one) },
      settings: never,
    })
    const at = (): number => 5_000_000
    await log.append(TRADES, plainProduced([trade(1), trade(1), 'bad', trade(4), trade(3)], at))
    await eventually(() => expect(writer.status().messages).toBe(5))
    await writer.stop()
    expect(committed).toMatchObject([
      { table: 'trades', rows: 3, messages: 5, duplicates: 1, deadLetters: 1, gaps: 1, outOfOrder: 1 },
    ])
    expect(writer.status()).toMatchObject({ rows: 3, duplicates: 1, dead_letters: 1, gaps: 1, out_of_order: 1 })
  })
})

describe('its end', () => {
  it('commits what was taken in, and says what it has done', async () => {
    const log = await memoryLog()
    const tables = memoryTables()
    const writer = openWriter({ log, tables, settings: never })
    await log.append(TRADES, trades(1, 7))
    await eventually(() => expect(writer.status().messages).toBe(7))
    const stopped = await writer.stop()
    expect(stopped).toMatchObject({ unfinished: [], progress: { state: 'stopped', messages: 7, rows: 7, commits: 1 } })
    expect(tables.trades.rows()).toHaveLength(7)
  })

  it('does not wait for ever: asked twice, it says what was not committed, and nothing is lost', async () => {
    const log = await memoryLog()
    let isStuck = true
    const tables = memoryTables((operation, table) =>
      operation === 'commit' && table === 'trades' && isStuck ? new Promise(() => {}) : undefined,
    )
    await log.append(TRADES, trades(1, 7))
    const writer = openWriter({ log, tables, settings: never })
    await eventually(() => expect(writer.status().messages).toBe(7))
    const stopping = writer.stop()
    await sleep(20)
    const startedMs = performance.now()
    const { unfinished } = await writer.stop()
    expect(performance.now() - startedMs).toBeLessThan(500)
    expect(unfinished).toEqual([expect.stringContaining('trades: 7 rows were not committed')])
    expect(await stopping).toMatchObject({ unfinished })
    isStuck = false
    openWriter({ log, tables })
    await untilRows(tables, 7)
  })

  it('comes after exactly so many messages, over all tables, and all of them are committed', async () => {
    const log = await memoryLog([TRADES, QUOTES], 3)
    const tables = memoryTables()
    for (let i = 0; i < 10; i++) {
      await log.append(TRADES, trades(100 * i, 100))
      await log.append(QUOTES, trades(100 * i, 100))
    }
    const writer = openWriter({ log, tables, settings: { topics: [TRADES, QUOTES], maxMessages: 777 } })
    const seen: ConsumeProgress[] = []
    for await (const progress of writer.progress(new AbortController().signal)) seen.push(progress)
    expect(seen.at(-1)).toMatchObject({ state: 'stopped', messages: 777 })
    expect(tables.trades.rows().length + tables.quotes.rows().length).toBe(777)
    const next = (table: 'trades' | 'quotes') =>
      Object.values(tables[table].vector()[0]?.next ?? {}).reduce((sum, offset) => sum + offset, 0)
    expect(next('trades') + next('quotes')).toBe(777)
  })
})

describe('consuming for as long as somebody asks', () => {
  const handlersOver = (log: MessageLog, tables: ReturnType<typeof memoryTables>) => {
    const writers: Writer[] = []
    const handlers = writerHandlers({
      running: () => undefined,
      start: asked => {
        const writer = openWriter({ log, tables, settings: asked })
        writers.push(writer)
        return writer
      },
    })
    return { handlers, writers }
  }
  const context = (signal: AbortSignal) => ({ signal, correlationId: 'c', door: 'cli' }) as const
  const input = { on_gap: 'continue', on_dead_letter: 'skip' } as const

  it('stops when they leave, with everything committed and the totals told', async () => {
    const log = await memoryLog()
    const tables = memoryTables()
    await log.append(TRADES, trades(1, 7))
    const { handlers } = handlersOver(log, tables)
    const abort = new AbortController()
    const seen: ConsumeProgress[] = []
    const consuming = handlers['ingest.consume']({ ...input, topic: TRADES }, context(abort.signal))
    const reading = (async () => {
      for await (const progress of consuming) seen.push(progress)
    })()
    await eventually(() => expect(handlers['ingest.status']({}, context(abort.signal))).toMatchObject({ messages: 7 }))
    abort.abort()
    await reading
    expect(seen.at(-1)).toMatchObject({ state: 'stopped', messages: 7, rows: 7, lag: 0 })
    expect(tables.trades.rows()).toHaveLength(7)
  })

  it('is refused with a topic and a pattern at once, and status says when nothing writes', async () => {
    const { handlers } = handlersOver(await memoryLog(), memoryTables())
    const { signal } = new AbortController()
    const asked = handlers['ingest.consume']({ ...input, topic: TRADES, topic_pattern: '.*' }, context(signal))
    await expect(asked[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    expect(handlers['ingest.status']({}, context(signal))).toMatchObject({ state: 'off' })
  })
})
