// Which topics a tail reads: those it was told, in one read, with those that come later.
import { describe, expect, it, vi } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import type { MessageLog, ReadOptions } from '../../../src/main/log/message-log.ts'
import { createTopicChoice } from '../../../src/main/tail/choose-topics.ts'
import { TRADES, trades, bhp, openLog, run, untilHeld } from '../../support/running-tail.ts'
import { idsOf } from '../../support/tail.ts'

describe('the topics of a tail', () => {
  const topics = ['asx', 'cxa', 'asx.test', 'demo'].map(exchange => `market.equities.trades.${exchange}`)
  async function tailed(choice: Parameters<typeof createTopicChoice>[0], count: number): Promise<number[]> {
    const log = await openLog(topics)
    for (const [i, topic] of topics.entries()) await log.append(topic, trades(i, 1))
    const { tail, run: running } = run(log, undefined, { isWanted: createTopicChoice(choice) })
    await vi.waitFor(() => expect(tail.counts().held).toBeGreaterThanOrEqual(count), { interval: 5 })
    await running.stop()
    return idsOf(tail.recent(bhp)).sort()
  }

  it('are those that are named', async () => {
    expect(await tailed({ names: [topics[0], topics[1]] }, 2)).toEqual([0, 1])
  })

  it('or whose whole name matches a pattern', async () => {
    expect(await tailed({ pattern: String.raw`market\..*\.trades\.(asx|cxa)` }, 2)).toEqual([0, 1])
    expect(() => createTopicChoice({ pattern: '(' })).toThrow(/K2_TOPIC_PATTERN.*Unterminated group/)
  })

  const LATER = 'market.crypto.trades.binance'
  /** Tells which topics are read now. */
  function counted(log: MessageLog) {
    const reads: (readonly string[])[] = []
    const open = new Set<readonly string[]>()
    async function* read(options: ReadOptions) {
      reads.push(options.topics)
      open.add(options.topics)
      try {
        yield* log.read(options)
      } finally {
        open.delete(options.topics)
      }
    }
    return { log: { ...log, read } as MessageLog, reads, open }
  }

  it('are read in one go, with those that come later', async () => {
    const log = await openLog(topics)
    const { log: watched, reads, open } = counted(log)
    const { tail } = run(watched)
    await vi.waitFor(() => expect(reads).toEqual([topics]))
    await log.append(topics[0], trades(1, 3))
    await untilHeld(tail, 3)
    await log.createTopics([{ name: LATER, partitions: 1 }])
    await log.append(LATER, trades(4, 2))
    await untilHeld(tail, 5)
    await log.append(topics[0], trades(6, 1))
    await untilHeld(tail, 6)
    expect(reads).toEqual([topics, [...topics, LATER]])
    expect(open.size).toBe(1)
    expect(idsOf(tail.recent(bhp)).sort()).toEqual([1, 2, 3, 4, 5, 6])
    expect(tail.counts()).toMatchObject({ total: 6, duplicates: 0 })
  })

  it('are read on when one of them is deleted, which is told, and which is read on when it is back', async () => {
    const log = await openLog([TRADES, LATER])
    let isThere = true
    let broken = new AbortController()
    async function* read(options: ReadOptions) {
      const isWhole = () => isThere || !options.topics.includes(LATER)
      if (!isWhole()) throw new Failure('NOT_FOUND', `There is no topic ${LATER}.`)
      yield* log.read({ ...options, signal: AbortSignal.any([options.signal, broken.signal]) })
      if (!isWhole()) throw new Failure('NOT_FOUND', `There is no topic ${LATER}.`)
    }
    const there = async () => (await log.topics()).filter(({ name }) => isThere || name !== LATER)
    const { tail, run: running } = run({ ...log, read, topics: there })
    await log.append(TRADES, trades(1, 1))
    await log.append(LATER, trades(2, 1))
    await untilHeld(tail, 2)
    isThere = false
    broken.abort()
    broken = new AbortController()
    await vi.waitFor(() => expect(running.trouble()).toMatch(new RegExp(`^Deleted while it was read.*${LATER}`)), {
      timeout: 10_000,
    })
    await log.append(TRADES, trades(3, 1))
    await untilHeld(tail, 3)
    expect(running.isRunning()).toBe(true)
    expect((await running.lags()).every(({ lag }) => lag === 0)).toBe(true)
    isThere = true
    await log.append(LATER, trades(4, 1))
    await untilHeld(tail, 4)
    await vi.waitFor(() => expect(running.trouble()).toBeUndefined(), { timeout: 5000 })
    expect(idsOf(tail.recent(bhp)).sort()).toEqual([1, 2, 3, 4])
  })

  it('are read on as they are when a look lacks one of them, up to two in a row', async () => {
    const log = await openLog([TRADES, LATER])
    const { log: watched, reads } = counted(log)
    let looks = 0
    const lacking = new Set([2, 3, 5])
    const topics = async () => {
      const lacks = lacking.has(++looks)
      return (await log.topics()).filter(({ name }) => !lacks || name !== LATER)
    }
    const { tail, run: running, warnings } = run({ ...watched, topics })
    await vi.waitFor(() => expect(looks).toBeGreaterThan(6), { timeout: 20_000 })
    await log.append(LATER, trades(1, 1))
    await untilHeld(tail, 1)
    expect([running.trouble(), warnings]).toEqual([undefined, []])
    expect(reads).toEqual([[TRADES, LATER]])
  })

  it('do not wait for one of which nobody can tell where it begins', async () => {
    const log = await openLog([TRADES])
    let isLed = false
    const ranges = (topic: string) =>
      topic === TRADES || isLed ? log.ranges(topic) : Promise.reject(new Failure('UNAVAILABLE', 'It has no leader.'))
    const { tail, run: running } = run({ ...log, ranges })
    await log.append(TRADES, trades(1, 1))
    await untilHeld(tail, 1)
    await log.createTopics([{ name: LATER, partitions: 1 }])
    await log.append(LATER, trades(2, 1))
    await vi.waitFor(() => expect(running.trouble()).toBe('It has no leader.'), { timeout: 5000 })
    await log.append(TRADES, trades(3, 1))
    await untilHeld(tail, 2)
    isLed = true
    await untilHeld(tail, 3)
    await vi.waitFor(() => expect(running.isRunning()).toBe(true))
  })
})
