// The stream while everything around it fails: log, disk, connections, clock, and K2 itself.
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Failure } from '../../../../src/contract/failure.ts'
import type { MessageLog } from '../../../../src/main/log/message-log.ts'
import { createMetrics } from '../../../../src/main/metrics/metrics.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'
import { ascending, idsOf, quotesIn, tradesIn, upTo } from './read-messages.ts'
import { NO_MOUNT, smallDisk } from './small-disk.ts'
import { connected, held, openLog, openServer, SOON, start } from './run-stream.ts'

/** A log that can be away: it refuses, as after its own attempts. */
function openShyLog(): MessageLog & { isAway: boolean } {
  const log = openLog()
  const shy = {
    ...log,
    isAway: false,
    append: async (topic: string, messages: Parameters<MessageLog['append']>[1]) => {
      if (shy.isAway) throw new Failure('UNAVAILABLE', 'No broker answers.')
      await log.append(topic, messages)
    },
  }
  return shy
}

describe('a log that is busy', () => {
  it('may take longer to make topics than a message is waited for: nothing goes to the disk', async () => {
    const [server, log] = [await openServer(), openLog()]
    const createTopics: MessageLog['createTopics'] = async topics => {
      await setTimeout(500)
      await log.createTopics(topics)
    }
    const running = start(server, { ...log, createTopics })
    await connected(server)
    server.trade('BTCUSDT', 10)
    await held(log, 10)
    expect(await running.stop()).toMatchObject({ trades: 10, why: null })
    expect(running.counted.get('k2_messages_spilled_total')).toBeUndefined()
  })
})

describe('a log that is away', () => {
  it('gets everything when it is back, in order, and the stream says how it stands', async () => {
    const [server, log] = [await openServer(), openShyLog()]
    const running = start(server, log)
    await connected(server)
    server.trade('BTCUSDT', 10)
    await held(log, 10)
    log.isAway = true
    for (let i = 0; i < 20; i++) {
      server.trade('BTCUSDT', 5)
      await setTimeout(10)
    }
    await vi.waitFor(() => expect(running.now()).toMatchObject({ trades: 110, why: 'No broker answers.' }), SOON)
    await vi.waitFor(() => expect(running.counted.get('k2_messages_spilled_total')).toBe(100), SOON)
    log.isAway = false
    await held(log, 110)
    expect(idsOf(await tradesIn(log), 'BTCUSDT')).toEqual(upTo(110))
    expect(await running.stop()).toMatchObject({ state: 'stopped', trades: 110, why: null })
  })

  it('when the stream stops gets everything at the next start, before what is new', async () => {
    const [server, log, folder] = [await openServer(), openShyLog(), makeTempFolder()]
    log.isAway = true
    const first = start(server, log, { folder })
    await connected(server)
    server.trade('BTCUSDT', 30)
    await vi.waitFor(() => expect(first.now().trades).toBe(30), SOON)
    const before = performance.now()
    expect(await first.stop()).toMatchObject({
      state: 'stopped',
      why: '30 messages are on the disk, and go to the log at the next start.',
    })
    expect(performance.now() - before).toBeLessThan(3000)
    log.isAway = false
    const second = start(server, log, { folder })
    await connected(server)
    server.trade('BTCUSDT', 5)
    await held(log, 35)
    expect(idsOf(await tradesIn(log), 'BTCUSDT')).toEqual(upTo(35))
    // What an earlier run has taken is not counted again.
    expect((await second.stop()).trades).toBe(5)
  })

  it.for([
    ['as much on it as is allowed', 'allowed'],
    ['no room, also afterwards', 'real'],
  ])('with a disk that has %s makes the stream wait, and what came meanwhile is fetched', async ([, kind], context) => {
    const [server, log] = [await openServer(), openShyLog()]
    const disk = kind === 'real' ? smallDisk('real') : undefined
    if (kind === 'real' && !disk) return context.skip(NO_MOUNT)
    const running = start(server, log, disk ? { folder: disk.folder } : { maxSpillBytes: 5000 })
    await connected(server)
    server.trade('BTCUSDT')
    await held(log, 1)
    disk?.fillBut(12_000)
    log.isAway = true
    for (let i = 0; running.now().state !== 'waiting' && i < 300; i++) {
      server.trade('BTCUSDT', 2)
      await setTimeout(10)
    }
    expect(running.now().state).toBe('waiting')
    await connected(server, 0)
    server.trade('BTCUSDT', 500)
    log.isAway = false
    await connected(server)
    await vi.waitFor(async () => {
      server.trade('BTCUSDT')
      await setTimeout(50)
      expect(ascending(idsOf(await tradesIn(log), 'BTCUSDT'))).toEqual(upTo(server.trades.length))
    }, SOON)
    await vi.waitFor(() => expect(running.now().backfilled).toBeGreaterThan(400), SOON)
  })

  it('that refuses for good ends the stream, and says why', async () => {
    const [server, log] = [await openServer(), openLog()]
    const forbidding = {
      ...log,
      append: () => Promise.reject(new Failure('FORBIDDEN', 'Writing to the topic is not allowed.')),
    }
    const running = start(server, forbidding)
    await connected(server)
    server.trade('BTCUSDT')
    await expect(running.ended).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('allowed') as string,
    })
    expect(server.open()).toBe(0)
  })
})

describe('K2', () => {
  it('that ends takes what has come with it', async () => {
    const [server, log] = [await openServer(), openLog()]
    const running = start(server, log)
    await connected(server)
    server.trade('BTCUSDT', 100)
    await vi.waitFor(() => expect(running.now().trades).toBe(100), SOON)
    await running.close()
    expect(await tradesIn(log)).toHaveLength(100)
    expect(await running.ended).toMatchObject({ state: 'stopped', trades: 100 })
  })

  it('stops at once while it is not connected', async () => {
    const [server, log] = [await openServer(), openLog()]
    server.refuse(true)
    const running = start(server, log, { timing: { firstRetryMs: 60_000, mostRetryMs: 60_000 } })
    await vi.waitFor(() => expect(running.now().reconnects).toBe(1), SOON)
    const before = performance.now()
    await running.stop()
    expect(performance.now() - before).toBeLessThan(1000)
  })

  it('takes one stream in at a time with a folder', async () => {
    const [server, log, folder] = [await openServer(), openLog(), makeTempFolder()]
    start(server, log, { folder })
    await connected(server)
    const second = start(server, log, { folder }).ended
    await expect(second).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(second).rejects.toThrow('Stop it')
  })

  it('has the metrics that the stream names', async () => {
    const [server, log] = [await openServer(), openLog()]
    const metrics = createMetrics({ environment: 'test', service: 'k2' })
    start(server, log, { metrics })
    await connected(server)
    server.trade('BTCUSDT', 3)
    server.send('?')
    await held(log, 3)
    const wanted = [/received_total\{[^}]*symbol="BTCUSDT"[^}]*\} 3/, /message_errors_total\{[^}]*"bad_json"[^}]*\} 1/]
    await vi.waitFor(async () => {
      const text = await metrics.text()
      for (const line of wanted) expect(text).toMatch(line)
      expect(text).toMatch(/k2_binance_connection_status\{[^}]*\} 1/)
    }, SOON)
  })
})

it('a clock that goes back a day changes the times of quotes, and nothing else', async () => {
  const [server, log] = [await openServer(), openLog()]
  let shiftMs = 0
  const clock = { nowMs: () => Date.now() + shiftMs, nowMicros: () => (Date.now() + shiftMs) * 1000 }
  start(server, log, { clock })
  await connected(server)
  for (let i = 0; i < 10; i++) {
    if (i === 5) shiftMs = -86_400_000
    server.trade('BTCUSDT')
    server.quote('BTCUSDT')
    await held(log, i + 1)
  }
  await vi.waitFor(async () => expect(await quotesIn(log)).toHaveLength(10), SOON)
  const times = (await quotesIn(log)).map(row => Date.parse(row.exchange_timestamp as string))
  expect(times[4] - times[5]).toBeGreaterThan(86_000_000)
  const trades = await tradesIn(log)
  expect(idsOf(trades, 'BTCUSDT')).toEqual(upTo(10))
  expect(trades.map(row => Date.parse(row.exchange_timestamp as string))).toEqual(server.trades.map(({ time }) => time))
})

it('whatever fails, in any order, every trade is in the log once', async () => {
  const fault = fc.constantFrom(
    'drop',
    'half frame',
    'stall',
    'hide',
    'refuse',
    'log away',
    'log back',
    'rotate',
    'restart',
    'bad',
    'none',
  )
  const step = fc.record({ fault, trades: fc.integer({ min: 0, max: 20 }), waitMs: fc.integer({ min: 0, max: 40 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async steps => {
      const [server, log, folder] = [await openServer(), openShyLog(), makeTempFolder()]
      const options = { folder, timing: { silenceMs: 150, patienceMs: 30, graceMs: 20 } }
      let running = start(server, log, options)
      await connected(server)
      server.trade('BTCUSDT')
      await held(log, 1)
      for (const { fault, trades, waitMs } of steps) {
        if (fault === 'drop') server.drop()
        else if (fault === 'half frame') server.sendHalfFrame()
        else if (fault === 'stall') server.stall()
        else if (fault === 'refuse') server.refuse(true)
        else if (fault === 'rotate') server.send('{"e":"serverShutdown"}')
        else if (fault === 'restart') {
          await running.stop()
          running = start(server, log, options)
        } else if (fault === 'bad') server.send('{"e":')
        else if (fault.startsWith('log')) log.isAway = fault === 'log away'
        server.trade('BTCUSDT', trades, fault === 'hide')
        await setTimeout(waitMs)
        if (fault === 'refuse') server.refuse(false)
      }
      log.isAway = false
      await vi.waitFor(async () => {
        // A trade after the last fault shows what is missing before it.
        server.trade('BTCUSDT')
        await setTimeout(100)
        expect(ascending(idsOf(await tradesIn(log), 'BTCUSDT'))).toEqual(upTo(server.trades.length))
      }, SOON)
      await running.stop()
      await server.stop()
    }),
    { numRuns: 8 },
  )
}, 120_000)
