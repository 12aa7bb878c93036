// How far behind a table is while nothing is written to it: because it cannot be, or because another one writes.
import { describe, expect, it, vi } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import type { MessageLog } from '../../../src/main/log/message-log.ts'
import { plainProduced } from '../../support/plain-intake.ts'
import { CRYPTO, memoryLog, memoryTables, openWriter, TRADES } from '../../support/writer.ts'

const trades = (from: number, count: number) =>
  plainProduced(
    Array.from({ length: count }, (_, i) => ({ id: `A${from + i}`, symbol: 'A', seq: from + i })),
    () => Date.now() * 1000 - 60e6,
  )
const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 5000, interval: 2 })
const vector = (next: Record<string, number>, epoch = '0') => [{ cluster: 'c', epoch, topic: TRADES, next }]
/** Whose commits of trades fail while there is a failure. */
const tablesRefusing = (failure: () => Failure | false) =>
  memoryTables((operation, table) => {
    const before = operation === 'commit' && table === 'trades' && failure()
    return before ? { before } : undefined
  })

describe('a table that cannot be written any more', () => {
  it('falls behind by all that comes in, and by no more than that when it is written again', async () => {
    const log = await memoryLog([TRADES], 1)
    let isReset = false
    const tables = tablesRefusing(() => isReset && new Failure('LOG_RESET', 'The log was made anew.'))
    const writer = openWriter({ log, tables })
    await log.append(TRADES, trades(1, 20))
    await eventually(() => expect(writer.status()).toMatchObject({ rows: 20, lag: 0 }))
    isReset = true
    await log.append(TRADES, trades(21, 1))
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'stopped', lag: 1 }))
    await log.append(TRADES, trades(22, 500))
    await eventually(() => expect(writer.status().lag).toBe(501))
    const [{ messages, committedOffset, seconds }] = writer.lags()
    expect({ messages, committedOffset }).toEqual({ messages: 501, committedOffset: 20 })
    expect(seconds).toBeGreaterThanOrEqual(60)
    expect(writer.status().topics).toMatchObject([{ committed_offset: '20', lag: 501 }])

    isReset = false
    tables.trades.setVector(vector({ 0: 500 }))
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'writing', rows: 41, lag: 0 }))
    expect(writer.lags()).toMatchObject([{ messages: 0, committedOffset: 521 }])
  })

  it('has nothing of a topic that was made anew', async () => {
    const log = await memoryLog([TRADES], 1)
    let epoch = '0'
    const other = await memoryLog([TRADES], 1)
    const renewed: MessageLog = {
      ...log,
      topics: async () => (await log.topics()).map(info => ({ ...info, epoch })),
      ranges: topic => (epoch === '0' ? log : other).ranges(topic),
    }
    const writer = openWriter({ log: renewed, tables: memoryTables() })
    await log.append(TRADES, trades(1, 20))
    await eventually(() => expect(writer.status()).toMatchObject({ rows: 20, lag: 0 }))
    await other.append(TRADES, trades(1, 7))
    epoch = '1'
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'stopped', lag: 7 }))
    expect(writer.lags()[0].seconds).toBeGreaterThanOrEqual(60)
  })

  it('tells how far behind it is also when it could not be begun', async () => {
    const log = await memoryLog([TRADES], 1)
    await log.append(TRADES, trades(1, 20))
    const shortened: MessageLog = { ...log, ranges: async () => [{ partition: 0, earliest: 5, latest: 20 }] }
    const tables = memoryTables()
    tables.trades.setVector(vector({ 0: 3 }))
    const writer = openWriter({ log: shortened, tables })
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'stopped', lag: 17 }))
    expect(writer.lags()).toMatchObject([{ committedOffset: 3, messages: 17 }])
  })

  it('holds up neither the others nor itself where its log does not say how far it is', async () => {
    const log = await memoryLog([TRADES], 1)
    let isAway = false
    const tables = tablesRefusing(() => isAway && new Failure('FORBIDDEN', 'The bucket refuses this key.'))
    const refusing: MessageLog = {
      ...log,
      cluster: () => (isAway ? Promise.reject(new Failure('FORBIDDEN', 'Kafka refuses.')) : log.cluster()),
    }
    const writer = openWriter({ log: refusing, tables })
    await log.append(TRADES, trades(1, 5))
    await eventually(() => expect(writer.status().rows).toBe(5))
    isAway = true
    await log.append(TRADES, trades(6, 5))
    await eventually(() => expect(writer.status().state).toBe('stopped'))
    expect(writer.status().why).toMatch(/^The bucket refuses this key/)
    isAway = false
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'writing', rows: 10, lag: 0 }))
  })
})

describe('a table that another one writes', () => {
  it('is told nothing of: neither how far it is nor how far behind', async () => {
    const log = await memoryLog([TRADES, CRYPTO], 1)
    const tables = memoryTables()
    let holder: string | undefined
    let lose: (why: Error) => void = () => {}
    const acquireLease = async () => {
      if (holder) return { heldBy: holder }
      return { held: { lost: new Promise<Error>(resolve => (lose = resolve)), release: async () => {} } }
    }
    const writer = openWriter({ log, tables, acquireLease })
    await log.append(TRADES, trades(1, 20))
    await eventually(() => expect(writer.status()).toMatchObject({ rows: 20, lag: 0 }))
    holder = 'k2 on desk-8'
    lose(new Error('It could not be renewed.'))
    await log.append(TRADES, trades(21, 100))
    await eventually(() => expect(writer.status().why).toMatch('desk-8'))
    expect(writer.status()).toMatchObject({ state: 'following', rows: 20, lag: 0, topics: [] })
    expect(writer.lags()).toEqual([])
    holder = undefined
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'writing', rows: 120, lag: 0 }))
    expect(writer.lags()).toMatchObject([{ committedOffset: 120, messages: 0 }])
  })

  it('is told nothing of either by one that must not follow', async () => {
    const log = await memoryLog([TRADES], 1)
    const tables = memoryTables()
    const writer = openWriter({ log, tables, settings: { whenFenced: 'fail' } })
    await log.append(TRADES, trades(1, 20))
    await eventually(() => expect(writer.status().rows).toBe(20))
    tables.trades.setVector(vector({ 0: 0 }))
    await log.append(TRADES, trades(21, 5))
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'stopped', topics: [] }))
    expect(writer.lags()).toEqual([])
  })
})
