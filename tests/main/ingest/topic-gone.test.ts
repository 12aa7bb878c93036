import { describe, expect, it, vi } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import { createBell } from '../../../src/main/base/bell.ts'
import { deferred } from '../../../src/main/base/deferred.ts'
import type { MessageLog } from '../../../src/main/log/message-log.ts'
import { plainProduced } from '../../support/plain-intake.ts'
import { CRYPTO, memoryLog, memoryTables, openWriter, TRADES } from '../../support/writer.ts'

const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 5000, interval: 2 })
const trades = (from: number, count: number) =>
  plainProduced(Array.from({ length: count }, (_, i) => ({ id: `A${from + i}`, symbol: 'A', seq: from + i })))
const numbersIn = (tables: ReturnType<typeof memoryTables>, topic: string) =>
  tables.trades
    .rows()
    .filter(row => row._topic === topic)
    .map(({ source_sequence: number }) => Number(number))

/** A log of which topics can be deleted: a read that names one fails, and one under way goes on without it or fails. */
function withDeletion(log: MessageLog, atOnce: boolean) {
  const deleted = new Set<string>()
  const failures: (() => void)[] = []
  const gone = (topic: string) => new Failure('NOT_FOUND', `There is no topic ${topic}.`)
  const checked = (topic: string) => {
    if (deleted.has(topic)) throw gone(topic)
  }
  const partly: MessageLog = {
    ...log,
    topics: async () => (await log.topics()).filter(({ name }) => !deleted.has(name)),
    async ranges(topic) {
      checked(topic)
      return log.ranges(topic)
    },
    async *read(options) {
      options.topics.forEach(checked)
      const broken = new AbortController()
      failures.push(() => broken.abort())
      const signal = AbortSignal.any([options.signal, broken.signal])
      for await (const batch of log.read({ ...options, signal })) if (!deleted.has(batch.topic)) yield batch
      if (!options.signal.aborted) options.topics.forEach(checked)
    },
  }
  return {
    log: partly,
    remove: (topic: string) => {
      deleted.add(topic)
      if (atOnce) for (const fail of failures.splice(0)) fail()
    },
    bringBack: (topic: string) => void deleted.delete(topic),
  }
}

/** From the first `look` on, a log that is looked at only then, with the topic or without; its messages can be kept back. */
function withLooks(log: MessageLog, topic: string) {
  const go = createBell()
  const state = { looks: Infinity, isThere: true, isRead: true }
  const partly: MessageLog = {
    ...log,
    async topics() {
      while (state.looks === 0) await go.wait(new AbortController().signal)
      state.looks--
      return (await log.topics()).filter(({ name }) => state.isThere || name !== topic)
    },
    async *read(options) {
      for await (const batch of log.read(options)) if (state.isRead || batch.topic !== topic) yield batch
    },
  }
  async function look(looks: number, isThere: boolean): Promise<void> {
    Object.assign(state, { looks, isThere })
    go.ring()
    await eventually(() => expect([state.looks, go.waiting()]).toEqual([0, 1]))
  }
  return { log: partly, look, keepBack: () => void (state.isRead = false) }
}

describe('a topic that a look lacks', () => {
  it('is not gone, and what is unread of it counts, until three looks in a row lack it', async () => {
    const { log, look, keepBack } = withLooks(await memoryLog([TRADES, CRYPTO], 1), CRYPTO)
    const tables = memoryTables()
    const writer = openWriter({ log, tables, settings: { topics: [TRADES, CRYPTO] } })
    const append = (topic: string, number: number, seconds: number) =>
      log.append(
        topic,
        plainProduced([{ id: `A${number}`, symbol: 'A', seq: number }], () => seconds * 1e6),
      )
    /** Up to when the table is whole by its own word, once it has this many rows. */
    const wholeTo = async (rows: number) => {
      await eventually(() => expect(tables.trades.rows()).toHaveLength(rows))
      return tables.trades.commits().at(-1)!.validThroughMicros! / 1e6
    }
    await append(TRADES, 1, 1)
    await append(CRYPTO, 101, 1)
    expect(await wholeTo(2)).toBe(1)
    keepBack()
    await append(CRYPTO, 102, 2)
    await look(1, true)

    await look(2, false)
    await append(TRADES, 2, 3)
    expect(await wholeTo(3)).toBe(1)
    await look(1, true)
    await look(2, false)
    await append(TRADES, 3, 4)
    expect(await wholeTo(4)).toBe(1)
    expect(writer.status()).toMatchObject({ state: 'writing', why: null, lag: 1 })

    await look(1, false)
    await append(TRADES, 4, 5)
    expect(await wholeTo(5)).toBe(5)
    expect(writer.status()).toMatchObject({ why: expect.stringMatching(/^Deleted/) as string, lag: 0 })
  })
})

describe('a topic that is deleted while its table opens', () => {
  it('holds up none of the others, and is written when it is there', async () => {
    const whole = await memoryLog([TRADES, CRYPTO], 1)
    const { log, remove, bringBack } = withDeletion(whole, true)
    const tables = memoryTables()
    const opening = deferred()
    const offsets = async () => {
      await opening.promise
      return tables.trades.offsets()
    }
    const away = { ...tables, trades: { ...tables.trades, offsets } }
    const writer = openWriter({ log, tables: away, settings: { topics: [TRADES, CRYPTO] } })
    await log.append(TRADES, trades(1, 3))
    await log.append(CRYPTO, trades(101, 3))
    await eventually(() => expect(writer.status().state).toBe('starting'))
    remove(CRYPTO)
    opening.resolve()
    await eventually(() => expect(numbersIn(tables, TRADES)).toEqual([1, 2, 3]))
    await eventually(() => expect(writer.status()).toMatchObject({ state: 'writing', lag: 0 }))
    expect(writer.status().why).toMatch(CRYPTO)

    bringBack(CRYPTO)
    await eventually(() => expect(numbersIn(tables, CRYPTO)).toEqual([101, 102, 103]))
    await eventually(() => expect(writer.status().why).toBeNull())
  })

  it('is waited for where the table has no other', async () => {
    const { log, remove, bringBack } = withDeletion(await memoryLog([TRADES], 1), true)
    const tables = memoryTables()
    await log.append(TRADES, trades(1, 3))
    let isFirst = true
    const ranges: MessageLog['ranges'] = topic => {
      if (isFirst) remove(TRADES)
      isFirst = false
      return log.ranges(topic)
    }
    const settings = { topics: [], pattern: '.*trades.*' }
    const writer = openWriter({ log: { ...log, ranges }, tables, settings })
    await eventually(() =>
      expect(writer.status()).toMatchObject({
        state: 'waiting',
        why: expect.stringContaining(TRADES) as string,
      }),
    )
    bringBack(TRADES)
    await eventually(() => expect(numbersIn(tables, TRADES)).toEqual([1, 2, 3]))
  })
})

describe('a topic that is deleted while it is read with others', () => {
  it.each([
    ['when the read goes on without it', false],
    ['when the read ends with it', true],
  ])('ends alone, says so, and the others are written on: %s', async (_, atOnce) => {
    const whole = await memoryLog([TRADES, CRYPTO], 2)
    const { log, remove } = withDeletion(whole, atOnce)
    const tables = memoryTables()
    const writer = openWriter({ log, tables, settings: { topics: [TRADES, CRYPTO] } })
    await log.append(TRADES, trades(1, 5))
    await log.append(CRYPTO, trades(101, 5))
    await eventually(() => expect(tables.trades.rows()).toHaveLength(10))

    await whole.append(CRYPTO, trades(106, 1))
    remove(CRYPTO)
    await eventually(() =>
      expect(writer.status()).toMatchObject({ state: 'writing', why: expect.stringContaining(CRYPTO) as string }),
    )
    expect(writer.status().why).toMatch(/^Deleted while it was written/)
    await log.append(TRADES, trades(6, 5))
    await eventually(() => expect(numbersIn(tables, TRADES)).toHaveLength(10))
    expect(writer.status()).toMatchObject({ state: 'writing', lag: 0 })
    expect(writer.status().breakers.every(({ state, failures }) => state === 'closed' && failures === 0)).toBe(true)
  })

  it('is told of a pattern too, and is read on where it was when it is there again', async () => {
    const whole = await memoryLog([TRADES, CRYPTO], 1)
    const { log, remove, bringBack } = withDeletion(whole, true)
    const tables = memoryTables()
    const writer = openWriter({ log, tables, settings: { topics: [], pattern: String.raw`market\..*\.trades\..*` } })
    await log.append(CRYPTO, trades(101, 3))
    await eventually(() => expect(numbersIn(tables, CRYPTO)).toEqual([101, 102, 103]))
    remove(CRYPTO)
    await eventually(() => expect(writer.status().why).toMatch(CRYPTO))
    bringBack(CRYPTO)
    await log.append(CRYPTO, trades(104, 3))
    await eventually(() => expect(numbersIn(tables, CRYPTO)).toEqual([101, 102, 103, 104, 105, 106]))
    expect(writer.status()).toMatchObject({ state: 'writing', why: null })
  })

  it('was the only one: the writer waits for it, and ends when it is told to', async () => {
    const { log, remove } = withDeletion(await memoryLog([TRADES], 1), true)
    const tables = memoryTables()
    const writer = openWriter({ log, tables })
    await log.append(TRADES, trades(1, 3))
    await eventually(() => expect(numbersIn(tables, TRADES)).toEqual([1, 2, 3]))
    remove(TRADES)
    await eventually(() => expect(writer.status().why).toMatch(/^Deleted/))
    expect(await writer.stop()).toMatchObject({ unfinished: [], progress: { rows: 3, state: 'stopped' } })
  })
})
