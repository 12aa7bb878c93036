import { setTimeout as sleep } from 'node:timers/promises'
import { connectClient } from '../../src/contract/client.ts'
import { contract } from '../../src/contract/index.ts'
import { connectWebSocket } from '../../src/main/wire/ws-client.ts'
import { expect, it, onTestFinished } from 'vitest'
import { ask, KEY, startK2 } from '../support/k2.ts'

interface Stats {
  data: {
    tail: { trades: { total_messages: number } }
    processes: { name: string; pid: number; restarts: number }[]
  }
}

const stats = async (url: string) => (await ask<Stats>(url, '/v1/stats')).body.data
const enginePid = async (url: string) => (await stats(url)).processes.find(({ name }) => name === 'live')!.pid

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function until(condition: () => Promise<boolean> | boolean, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${condition.toString()}`)
    await sleep(20)
  }
}

it('keeps engines in a process of their own, and brings it and the simulated market back when it is killed', async () => {
  const { url } = await startK2(['serve', '--demo', '--rate', '5000'])
  const first = await enginePid(url)
  process.kill(first, 'SIGKILL')
  await until(async () => {
    const { status, body } = await ask<Stats>(url, '/v1/stats')
    const live = status === 200 ? body.data.processes.find(({ name }) => name === 'live') : undefined
    return live !== undefined && live.pid !== first && live.restarts === 1 && body.data.tail.trades.total_messages > 100
  }, 5_000)
  expect((await ask(url, '/health')).status).toBe(200)
})

it('tells a follower that the process behind it is gone, within a second', async () => {
  const { url } = await startK2(['serve', '--demo'])
  const port = await connectWebSocket(url, { apiKey: KEY })
  onTestFinished(() => port.close())
  const client = connectClient(contract, port)
  const stream = client['tail.follow']({})[Symbol.asyncIterator]()
  await stream.next()
  const pid = await enginePid(url)
  const started = performance.now()
  process.kill(pid, 'SIGKILL')
  const reading = (async () => {
    while (!(await stream.next()).done);
  })()
  await expect(reading).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
  expect(performance.now() - started).toBeLessThan(1_000)
})

it('leaves no process behind when it is killed', async () => {
  const { url, pid, ended } = await startK2(['serve', '--demo'])
  const engine = await enginePid(url)
  process.kill(pid, 'SIGKILL')
  await ended
  await until(() => !isAlive(engine), 2_000)
})

it('closes within five seconds under full load, engines included', async () => {
  const { url, signal, ended } = await startK2(['serve', '--demo', '--rate', '200000'])
  const engine = await enginePid(url)
  const port = await connectWebSocket(url, { apiKey: KEY })
  onTestFinished(() => port.close())
  const stream = connectClient(contract, port)['tail.follow']({})[Symbol.asyncIterator]()
  const followed = (async () => {
    while (!(await stream.next()).done);
  })().catch((error: { code: string }) => error.code)
  await sleep(1_000)
  const started = performance.now()
  signal('SIGTERM')
  expect((await ended).code).toBe(0)
  expect(await followed).toBe('UNAVAILABLE')
  expect(performance.now() - started).toBeLessThan(5_000)
  await until(() => !isAlive(engine), 2_000)
})

it('ends at once at a second signal and says what that means', async () => {
  const { url, signal, ended } = await startK2(['serve', '--demo', '--rate', '200000'])
  const engine = await enginePid(url)
  process.kill(engine, 'SIGSTOP')
  onTestFinished(() => {
    if (isAlive(engine)) process.kill(engine, 'SIGKILL')
  })
  signal('SIGINT')
  await sleep(300)
  const started = performance.now()
  signal('SIGINT')
  const { code, stderr } = await ended
  expect(performance.now() - started).toBeLessThan(1_000)
  expect(code).toBe(130)
  // The writer waits for the log of the one that stands still; under such load others may not be done either.
  expect(stderr).toMatch(/K2 ended before it had finished: (\w+, )*live\b/)
  await until(() => !isAlive(engine), 2_000)
})

it('names what did not close in time', async () => {
  const { url, signal, ended } = await startK2(['serve'])
  const engine = await enginePid(url)
  process.kill(engine, 'SIGSTOP')
  const started = performance.now()
  signal('SIGTERM')
  const { code, stderr } = await ended
  expect(performance.now() - started).toBeLessThan(6_000)
  expect(stderr).toContain('K2 ended before it had finished: live')
  expect(code).toBe(1)
  await until(() => !isAlive(engine), 2_000)
})
