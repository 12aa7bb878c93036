// The feed into a log that answers late, or not at all for a while, as brokers do.
import { setTimeout } from 'node:timers/promises'
import { expect, it, onTestFinished, vi } from 'vitest'
import { Failure } from '../../../../src/contract/failure.ts'
import { createEmbeddedLog } from '../../../../src/main/log/embedded.ts'
import type { MessageLog, Produced } from '../../../../src/main/log/message-log.ts'
import { startDemoFeed } from '../../../../src/main/sources/demo/feed.ts'

const SOON = { timeout: 10_000, interval: 5 }

/** A log that is like brokers to whoever appends: `around` says what becomes of an append. */
function brokerLike(around: (append: () => Promise<void>, messages: Produced) => Promise<void>) {
  const embedded = createEmbeddedLog({ maxBytes: 256e6 })
  onTestFinished(() => embedded.close())
  const log: MessageLog = {
    ...embedded,
    kind: 'kafka',
    append: (topic, messages) => around(() => embedded.append(topic, messages), messages),
  }
  return log
}

async function start(log: MessageLog, rate: number) {
  const feed = await startDemoFeed(log, { seed: 1, rate, speed: 1 })
  onTestFinished(() => feed.stop())
  return feed
}

async function countHeld(log: MessageLog): Promise<number> {
  const ranges = await Promise.all((await log.topics()).map(({ name }) => log.ranges(name)))
  return ranges.flat().reduce((sum, { earliest, latest }) => sum + latest - earliest, 0)
}

it('keeps few slices on their way, whatever the log takes, and counts what has arrived', async () => {
  let now = 0
  let most = 0
  let bytes = 0
  const log = brokerLike(async (append, { values }) => {
    most = Math.max(most, ++now)
    bytes = Math.max(bytes, values.length)
    await setTimeout(100)
    await append()
    now--
  })
  const feed = await start(log, 200_000)
  await setTimeout(1500)
  await feed.stop()
  // Three slices of four topics.
  expect(most).toBeGreaterThan(4)
  expect(most).toBeLessThanOrEqual(12)
  expect(bytes).toBeLessThan(2e6)
  expect(feed.status().messages).toBe(await countHeld(log))
  expect(feed.status().messages).toBeGreaterThan(0)
})

it('goes on when the brokers are back, with all that it had counted', async () => {
  let isAway = false
  const log = brokerLike(async append => {
    if (isAway) throw new Failure('UNAVAILABLE', 'No broker answers.')
    return append()
  })
  const feed = await start(log, 5000)
  await vi.waitFor(() => expect(feed.status().messages).toBeGreaterThan(200), SOON)
  isAway = true
  await setTimeout(300)
  const { messages } = feed.status()
  expect(feed.status()).toMatchObject({ running: true, why: 'No broker answers.' })
  isAway = false
  await vi.waitFor(() => expect(feed.status().messages).toBeGreaterThan(messages + 200), SOON)
  expect(feed.status().why).toBeNull()
  await feed.stop()
  expect(feed.failure()).toBeUndefined()
  expect(feed.status().messages).toBe(await countHeld(log))
})

it('stops also while the brokers are away', async () => {
  const log = brokerLike(() => Promise.reject(new Failure('UNAVAILABLE', 'No broker answers.')))
  const feed = await start(log, 5000)
  await setTimeout(200)
  const before = performance.now()
  await feed.stop()
  expect(performance.now() - before).toBeLessThan(900)
  expect(feed.status()).toMatchObject({ running: false, messages: 0 })
  expect(feed.failure()).toBeUndefined()
})

it('ends when brokers refuse for good, and says so', async () => {
  const log = brokerLike(() => Promise.reject(new Failure('FORBIDDEN', 'Writing to the topic is not allowed.')))
  const feed = await start(log, 5000)
  await vi.waitFor(() => expect(feed.failure()?.message).toContain('not allowed'), SOON)
  expect(feed.status().running).toBe(false)
})

it('uses topics as they are, and creates those that are missing', async () => {
  const log = brokerLike(append => append())
  await log.createTopics([{ name: 'market.equities.trades.asx', partitions: 2 }])
  await start(log, 100)
  const partitions = (await log.topics()).map(({ name, partitions }) => [name, partitions])
  expect(Object.fromEntries(partitions)).toEqual({
    'market.equities.trades.asx': 2,
    'market.crypto.trades.binance': 16,
    'market.equities.quotes.asx': 30,
    'market.crypto.quotes.binance': 16,
  })
})
