// The feed against a clock and a real log: it keeps the pace, lets others run, and never owes what it cannot pay.
import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { MessageLog } from '../../../../src/main/log/message-log.ts'
import { valueOf, type LogBatch } from '../../../../src/main/market/log-batch.ts'
import { createEmbeddedLog } from '../../../../src/main/log/embedded.ts'
import { createMessageColumns } from '../../../../src/main/sources/demo/columns.ts'
import { startDemoFeed, type DemoFeedOptions } from '../../../../src/main/sources/demo/feed.ts'
import { fillMessages } from '../../../../src/main/sources/demo/market.ts'
import { avroSchemas } from '../../../../src/main/market/avro-schemas.ts'
import { readMessage } from '../../market/read-avro.ts'
import { marketOf, START } from './messages.ts'

/** Patience for a machine that is busy with other tests. */
const SOON = { timeout: 10_000, interval: 2 }

function createHandClock() {
  const clock = { micros: START, nowMicros: () => clock.micros, nowMs: () => Math.floor(clock.micros / 1000) }
  return clock
}

function openLog(): MessageLog {
  const log = createEmbeddedLog({ maxBytes: 256e6 })
  onTestFinished(() => log.close())
  return log
}

async function startFeed(
  log: MessageLog,
  options: Partial<DemoFeedOptions>,
  clock?: ReturnType<typeof createHandClock>,
) {
  const feed = await startDemoFeed(log, { seed: 1, rate: 5000, speed: 1, ...options }, clock)
  onTestFinished(() => feed.stop())
  return feed
}

const valuesOf = (batch: LogBatch) => Array.from({ length: batch.count }, (_, i) => valueOf(batch, i)!)

/** What each partition of a log holds. */
async function readAll(log: MessageLog): Promise<Map<string, Uint8Array[]>> {
  const held = new Map<string, Uint8Array[]>()
  for (const { name } of await log.topics()) {
    const ranges = await log.ranges(name)
    let left = ranges.reduce((sum, { earliest, latest }) => sum + latest - earliest, 0)
    if (left === 0) continue
    const done = new AbortController()
    for await (const batch of log.read({ topics: [name], from: () => 'earliest', signal: done.signal })) {
      const place = `${name} ${batch.partition}`
      held.set(place, [...(held.get(place) ?? []), ...valuesOf(batch)])
      left -= batch.count
      if (left === 0) break
    }
    done.abort()
  }
  return held
}

async function hashLog(log: MessageLog): Promise<Record<string, string>> {
  const hash = (values: Uint8Array[]) =>
    values.reduce((sum, value) => sum.update(value), createHash('sha256')).digest('hex')
  return Object.fromEntries([...(await readAll(log))].map(([place, values]) => [place, hash(values)]))
}

async function readTimes(log: MessageLog, table: 'trades' | 'quotes') {
  const held = [...(await readAll(log))].filter(([place]) => place.includes(table)).flatMap(([, values]) => values)
  const rows = held.map(value => readMessage(value, avroSchemas[table]).row)
  return rows.map(row => ({ exchange: Number(row.exchange_timestamp), ingestion: Number(row.ingestion_timestamp) }))
}

/** How many messages the market of seed 1 has up to then, by itself. */
function countUntil(micros: number, density: number): number {
  return fillMessages(marketOf({ density }), createMessageColumns(100_000), micros)
}

describe('the feed', () => {
  it.each([30, 450])(
    'writes what the market says, whether its clock moves %d ms at a time or otherwise',
    async stepMs => {
      const runFor = async (eachMs: number) => {
        const clock = createHandClock()
        const log = openLog()
        const feed = await startFeed(log, {}, clock)
        for (let elapsedMs = 0; elapsedMs < 900;) {
          elapsedMs += eachMs
          clock.micros = START + elapsedMs * 1000
          const expected = countUntil(clock.micros, 5000)
          await vi.waitFor(() => expect(feed.status().messages).toBe(expected), SOON)
        }
        await feed.stop()
        return hashLog(log)
      }
      const hashes = await runFor(stepMs)
      expect(Object.keys(hashes).length).toBeGreaterThan(30)
      expect(hashes).toEqual(await runFor(225))
    },
  )

  it('tracks the wall clock at speed 1, and no message comes before its time', async () => {
    const log = openLog()
    const feed = await startFeed(log, { rate: 2000 })
    await setTimeout(1000)
    const { messages, market_time } = feed.status()
    expect(Math.abs(Date.now() - Date.parse(market_time!))).toBeLessThan(1000)
    await feed.stop()
    const nowMicros = Date.now() * 1000 + 1000
    const times = await readTimes(log, 'quotes')
    expect(Math.max(...times.map(({ exchange }) => exchange))).toBeLessThanOrEqual(nowMicros)
    expect(times.every(({ exchange, ingestion }) => ingestion > exchange && ingestion < exchange + 1000)).toBe(true)
    expect(messages).toBeGreaterThan(1000)
    expect(messages).toBeLessThan(3000)
  })

  it('runs market time at another speed without changing the rate', async () => {
    const clock = createHandClock()
    const feed = await startFeed(openLog(), { rate: 1000, speed: 100 }, clock)
    for (let i = 0; i < 10; i++) {
      clock.micros += 200_000
      const target = START + (clock.micros - START) * 100
      await vi.waitFor(() => expect(Date.parse(feed.status().market_time!) * 1000).toBeGreaterThan(target - 5e6), SOON)
    }
    const { messages, actual_rate } = feed.status()
    expect(messages / 2000).toBeCloseTo(1, 0)
    expect(actual_rate / 1000).toBeCloseTo(1, 0)
  })

  it('takes another rate while it runs, up and down', async () => {
    const feed = await startFeed(openLog(), { rate: 1 })
    feed.setPace({ rate: 10_000, speed: 1 })
    await vi.waitFor(() => expect(feed.status().messages).toBeGreaterThan(1000), SOON)
    expect(feed.status()).toMatchObject({ running: true, rate: 10_000 })
    feed.setPace({ rate: 1, speed: 1 })
    const { messages } = feed.status()
    await setTimeout(300)
    expect(feed.status().messages - messages).toBeLessThan(200)
  })

  it('keeps its place in time when the speed changes', async () => {
    const clock = createHandClock()
    const feed = await startFeed(openLog(), { rate: 1000, speed: 10 }, clock)
    const marketMs = () => Date.parse(feed.status().market_time!) - START / 1000
    clock.micros += 400_000
    await vi.waitFor(() => expect(marketMs()).toBeGreaterThan(3900), SOON)
    feed.setPace({ rate: 1000, speed: 1 })
    clock.micros += 400_000
    await vi.waitFor(() => expect(marketMs()).toBeGreaterThan(4350), SOON)
    expect(marketMs()).toBeLessThanOrEqual(4400)
  })

  it('has everything in the log when it has stopped, and stops within a slice', async () => {
    const log = openLog()
    const feed = await startFeed(log, { rate: 50_000 })
    await vi.waitFor(() => expect(feed.status().messages).toBeGreaterThan(5000), SOON)
    const before = performance.now()
    await feed.stop()
    expect(performance.now() - before).toBeLessThan(500)
    const { messages, running, actual_rate } = feed.status()
    expect({ running, actual_rate }).toEqual({ running: false, actual_rate: 0 })
    const held = [...(await readAll(log)).values()].reduce((sum, values) => sum + values.length, 0)
    expect(held).toBe(messages)
    await setTimeout(50)
    expect(feed.status().messages).toBe(messages)
  })

  it('stops at once while it waits for the next message', async () => {
    const feed = await startFeed(openLog(), { rate: 1, speed: 0.1 })
    const before = performance.now()
    await feed.stop()
    expect(performance.now() - before).toBeLessThan(90)
  })

  it('skips what the time went by without, when the machine has slept', async () => {
    const clock = createHandClock()
    const feed = await startFeed(openLog(), { rate: 200_000 }, clock)
    clock.micros += 8 * 3600e6
    const marketMicros = () => Date.parse(feed.status().market_time!) * 1000
    await vi.waitFor(() => expect(marketMicros()).toBeGreaterThan(clock.micros - 1e6), SOON)
    expect(feed.status().messages).toBeLessThan(1000)
  })

  it('goes on when the clock is set back', async () => {
    const clock = createHandClock()
    const feed = await startFeed(openLog(), { rate: 1000 }, clock)
    clock.micros += 400_000
    await vi.waitFor(() => expect(feed.status().messages).toBeGreaterThan(300), SOON)
    const { messages, market_time } = feed.status()
    clock.micros -= 3600e6
    await vi.waitFor(() => {
      clock.micros += 10_000
      expect(feed.status().messages).toBeGreaterThan(messages + 200)
    }, SOON)
    expect(feed.status().market_time! > market_time!).toBe(true)
  })

  it('owes nothing to a log that is too slow, and shows it in its rate', async () => {
    const log = openLog()
    const slow: MessageLog = {
      ...log,
      async append(topic, messages) {
        await setTimeout(200)
        return log.append(topic, messages)
      },
    }
    const feed = await startFeed(slow, { rate: 200_000 })
    await setTimeout(2500)
    const { messages, actual_rate, market_time } = feed.status()
    expect(messages).toBeGreaterThan(0)
    expect(actual_rate).toBeLessThan(150_000)
    expect(Date.now() - Date.parse(market_time!)).toBeLessThan(1500)
  })

  it('lets the rest of the process run at full rate', async () => {
    const feed = await startFeed(openLog(), { rate: 200_000 })
    const gapsMs: number[] = []
    for (let before = performance.now(), end = before + 1000; before < end;) {
      await setTimeout(1)
      const now = performance.now()
      gapsMs.push(now - before)
      before = now
    }
    await feed.stop()
    gapsMs.sort((a, b) => a - b)
    expect(gapsMs[Math.floor(gapsMs.length / 2)]).toBeLessThan(20)
  })

  it('ends with the reason when the log fails', async () => {
    const log = openLog()
    const feed = await startFeed(log, {})
    await log.close()
    await vi.waitFor(() => expect(feed.failure()?.message).toContain('closed'), SOON)
    expect(feed.status().running).toBe(false)
    await feed.stop()
  })
})
