// The demo as its callers know it: through the dispatcher, answers checked against the contract.
import { expect, it, onTestFinished, vi } from 'vitest'
import { demo, type DemoStatus } from '../../../../src/contract/demo.ts'
import { createEmbeddedLog } from '../../../../src/main/log/embedded.ts'
import { demoHandlers } from '../../../../src/main/sources/demo/handlers.ts'
import { createDispatch } from '../../../../src/main/wire/dispatch.ts'

function openDemo() {
  const log = createEmbeddedLog({ maxBytes: 64e6 })
  const engine = demoHandlers(log)
  const dispatch = createDispatch(demo, engine.handlers, { checkAnswers: true })
  const context = { signal: new AbortController().signal, correlationId: 'test', door: 'direct' as const }
  onTestFinished(async () => {
    await engine.close()
    await log.close()
  })
  return {
    log,
    close: () => engine.close(),
    ask: (name: keyof typeof demo, input: object = {}) => dispatch(name, input, context) as Promise<DemoStatus>,
  }
}

it('is not running before it is started, and says what a start would do', async () => {
  const { ask, log } = openDemo()
  const idle = {
    running: false,
    seed: 2026,
    rate: 2000,
    speed: 1,
    messages: 0,
    actual_rate: 0,
    why: null,
    market_time: null,
  }
  expect(await ask('demo.status')).toEqual(idle)
  expect(await ask('demo.stop')).toEqual(idle)
  expect((await log.topics()).map(({ name, partitions }) => ({ name, partitions }))).toEqual([])
})

it('creates its topics when it starts', async () => {
  const { ask, log } = openDemo()
  expect(await ask('demo.start')).toMatchObject({ running: true, seed: 2026, rate: 2000, speed: 1 })
  expect((await log.topics()).map(({ name, partitions }) => ({ name, partitions }))).toEqual([
    { name: 'market.equities.trades.asx', partitions: 30 },
    { name: 'market.equities.quotes.asx', partitions: 30 },
    { name: 'market.crypto.trades.binance', partitions: 16 },
    { name: 'market.crypto.quotes.binance', partitions: 16 },
  ])
})

it('shows messages soon after the start, whatever the time of day', async () => {
  const { ask } = openDemo()
  await ask('demo.start')
  await vi.waitFor(async () => expect((await ask('demo.status')).messages).toBeGreaterThan(100), { timeout: 10_000 })
  expect((await ask('demo.status')).market_time).toMatch(/^\d{4}-\d\d-\d\dT.*\.\d{6}Z$/)
})

it('goes on with the same market when only the pace changes', async () => {
  const { ask } = openDemo()
  await ask('demo.start', { rate: 5000 })
  await vi.waitFor(async () => expect((await ask('demo.status')).messages).toBeGreaterThan(100), { timeout: 10_000 })
  const { messages } = await ask('demo.start', { rate: 500, speed: 2 })
  expect(messages).toBeGreaterThan(100)
  expect(await ask('demo.status')).toMatchObject({ running: true, rate: 500, speed: 2 })
})

it('begins another market when the seed is another, or when it was stopped', async () => {
  const { ask } = openDemo()
  await ask('demo.start', { rate: 5000 })
  await vi.waitFor(async () => expect((await ask('demo.status')).messages).toBeGreaterThan(200), { timeout: 10_000 })
  expect((await ask('demo.start', { seed: 7, rate: 10 })).messages).toBeLessThan(100)
  expect(await ask('demo.stop')).toMatchObject({ running: false, seed: 7, actual_rate: 0 })
  expect((await ask('demo.start', { seed: 7, rate: 10 })).messages).toBeLessThan(10)
})

it('runs one market, however many starts come at once', async () => {
  const { ask, log } = openDemo()
  await Promise.all(Array.from({ length: 5 }, (_, seed) => ask('demo.start', { seed, rate: 5000 })))
  expect((await ask('demo.status')).seed).toBe(4)
  await ask('demo.stop')
  const held = async () => {
    const ranges = await Promise.all((await log.topics()).map(({ name }) => log.ranges(name)))
    return ranges.flat().reduce((sum, { latest }) => sum + latest, 0)
  }
  const atStop = await held()
  await new Promise(resolve => setTimeout(resolve, 50))
  expect(await held()).toBe(atStop)
})

it('says why it ended when the log fails, and can be stopped then', async () => {
  const { ask, log } = openDemo()
  await ask('demo.start')
  await log.close()
  await vi.waitFor(() => expect(ask('demo.status')).rejects.toMatchObject({ code: 'UNAVAILABLE' }), {
    timeout: 10_000,
  })
  await expect(ask('demo.status')).rejects.toThrow('The embedded log is closed.')
  expect(await ask('demo.stop')).toMatchObject({ running: false })
})

it('does not start again once it is closed', async () => {
  const { ask, close } = openDemo()
  await ask('demo.start')
  await close()
  expect(await ask('demo.status')).toMatchObject({ running: false })
  await expect(ask('demo.start')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

it.each([
  [{ rate: 0 }, 'rate'],
  [{ rate: 200_001 }, 'rate'],
  [{ rate: 1.5 }, 'rate'],
  [{ speed: 0.05 }, 'speed'],
  [{ speed: 1001 }, 'speed'],
  [{ seed: -1 }, 'seed'],
])('refuses %j', async (input, field) => {
  const { ask } = openDemo()
  await expect(ask('demo.start', input)).rejects.toMatchObject({ code: 'INVALID_INPUT', details: [{ field }] })
  expect((await ask('demo.status')).running).toBe(false)
})
