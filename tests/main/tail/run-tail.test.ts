// A tail kept full from a real log: which topics, from where, and what it does when the log does not do as hoped.
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import { createEmbeddedLog } from '../../../src/main/log/embedded.ts'
import type { MessageLog } from '../../../src/main/log/message-log.ts'
import { runTail, type TailRun } from '../../../src/main/tail/run-tail.ts'
import type { Tail } from '../../../src/main/tail/tail.ts'
import { createTurns } from '../../../src/main/tail/turns.ts'
import { produced, type SampleRow } from '../../support/market-messages.ts'
import { idsOf, manualClock, MINUTE, openTail, START } from '../../support/tail.ts'

const TRADES = 'market.equities.trades.asx'
const trade = (id: number, changes: Partial<SampleRow> = {}): SampleRow => ({
  symbol: 'BHP',
  id,
  micros: START,
  ...changes,
})
const trades = (from: number, count: number) =>
  produced(
    'trades',
    Array.from({ length: count }, (_, i) => trade(from + i)),
  )
const bhp = { symbol: 'BHP', exchange: 'ASX', windowMinutes: 60, limit: 10_000 }

async function openLog(topics = [TRADES], maxBytes = 64e6): Promise<MessageLog> {
  const log = createEmbeddedLog({ maxBytes })
  onTestFinished(() => log.close())
  await log.createTopics(topics.map(name => ({ name, partitions: 2 })))
  return log
}

function run(
  log: MessageLog,
  tail = openTail({ clock: manualClock() }),
): { run: TailRun; tail: Tail; warnings: string[] } {
  const warnings: string[] = []
  const logger = { info: () => {}, warn: (message: string) => void warnings.push(message) }
  const running = runTail({ log, tail, minutes: 5, clock: manualClock(), logger, turns: createTurns(5) })
  onTestFinished(() => running.stop())
  return { run: running, tail, warnings }
}

const untilHeld = (tail: Tail, held: number) =>
  vi.waitFor(() => expect(tail.counts().held).toBe(held), { timeout: 5000, interval: 5 })

describe('a running tail', () => {
  it('reads every topic of its kind of data and no other', async () => {
    const log = await openLog([TRADES, 'market.crypto.trades.binance', 'market.equities.quotes.asx', 'other'])
    await log.append(TRADES, trades(1, 2))
    await log.append('market.crypto.trades.binance', trades(3, 1))
    await log.append('market.equities.quotes.asx', produced('quotes', [trade(4)]))
    await log.append('other', trades(5, 1))
    const { tail, run: running } = run(log)
    await untilHeld(tail, 3)
    expect(idsOf(tail.recent(bhp)).sort()).toEqual([1, 2, 3])
    expect(running.isRunning()).toBe(true)
  })

  it('picks up a topic that appears later within a second', async () => {
    const log = await openLog([])
    const { tail } = run(log)
    await sleep(50)
    await log.createTopics([{ name: TRADES, partitions: 2 }])
    await log.append(TRADES, trades(1, 1))
    const startedMs = performance.now()
    await untilHeld(tail, 1)
    expect(performance.now() - startedMs).toBeLessThan(1000)
  })

  it('begins its minutes back, and not with what it would let go at once', async () => {
    const log = await openLog()
    await log.append(TRADES, produced('trades', [trade(1, { logMicros: START - 6 * MINUTE }), trade(2)]))
    const { tail } = run(log)
    await untilHeld(tail, 1)
    expect(tail.counts().total).toBe(1)
  })

  it('says how far behind it is, partition by partition', async () => {
    const log = await openLog()
    const { tail, run: running } = run(log)
    await log.append(TRADES, trades(0, 10))
    await untilHeld(tail, 10)
    const caughtUp = await running.lags()
    expect(caughtUp).toHaveLength(2)
    expect(caughtUp.map(({ nextOffset, lag }) => [nextOffset, lag]).sort()).toEqual([
      [0, 0],
      [10, 0],
    ])
    await running.stop()
    await log.append(TRADES, trades(10, 5))
    expect((await running.lags()).reduce((sum, { lag }) => sum + lag, 0)).toBe(5)
    expect(running.isRunning()).toBe(false)
  })

  it('goes on with what there is when the log has let go of what it had yet to read, and says so', async () => {
    const log = await openLog([TRADES], 100_000)
    const { tail, warnings } = run(log)
    await log.append(TRADES, trades(0, 1))
    await untilHeld(tail, 1)
    // One append larger than the log: its first messages are gone before anyone can read them.
    await log.append(TRADES, trades(1, 5000))
    const [{ earliest, latest }] = (await log.ranges(TRADES)).filter(range => range.latest > 0)
    await untilHeld(tail, 1 + latest - earliest)
    expect(idsOf(tail.recent(bhp)).at(-1)).toBe(5000)
    expect(warnings).toEqual(['The log no longer holds what the tail had yet to read; it goes on after it'])
  })

  it('tries again when the log fails, and is not running meanwhile', async () => {
    const log = await openLog()
    let failures = 2
    const flaky: MessageLog = {
      ...log,
      read(...args) {
        if (failures-- > 0) throw new Failure('UNAVAILABLE', 'The broker is away.')
        return log.read(...args)
      },
    }
    await log.append(TRADES, trades(1, 1))
    const { tail, run: running, warnings } = run(flaky)
    await vi.waitFor(() => expect(running.isRunning()).toBe(false), { interval: 1 })
    await untilHeld(tail, 1)
    expect(running.isRunning()).toBe(true)
    expect(warnings).toEqual([`Tailing ${TRADES} failed and is tried again`])
  })

  it('lets the event loop turn while it works through a backlog', async () => {
    const log = await openLog()
    const chunk = trades(0, 2000)
    for (let k = 0; k < 100; k++) await log.append(TRADES, chunk)
    let turns = 0
    const { tail } = run(log, openTail({ clock: manualClock(), maxMegabytes: 64 }))
    while (tail.counts().total < 200_000) {
      await setImmediate()
      turns++
    }
    expect(turns).toBeGreaterThan(10)
  })

  it('ends at once when stopped, reading or waiting', async () => {
    const log = await openLog()
    const { run: running } = run(log)
    await sleep(20)
    const startedMs = performance.now()
    await running.stop()
    expect(performance.now() - startedMs).toBeLessThan(100)
  })
})
