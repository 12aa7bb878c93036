import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Failure } from '../../../src/contract/failure.ts'
import { deferred, type Deferred } from '../../../src/main/base/deferred.ts'
import { forkEngine } from '../../../src/main/host/fork.ts'
import { supervise } from '../../../src/main/host/supervise.ts'
import { sample, tickBatch } from '../../support/sample.ts'
import type { EngineOptions } from '../../support/sample-engine.ts'

const entry = join(import.meta.dirname, '../../support/sample-engine.ts')

function openEngine(options: Partial<EngineOptions> = {}) {
  const pids: number[] = []
  const restarted: number[] = []
  const engine = supervise({
    name: 'sample',
    contract: sample,
    start: () => forkEngine(entry, {}, ['--import', 'tsx']),
    options: { closeMs: 0, ...options },
    onRestart: async client => void restarted.push((await client['engine.vitals']({})).pid),
  })
  onTestFinished(async () => {
    await engine.close(AbortSignal.timeout(2_000))
    for (const pid of pids) expect(isAlive(pid)).toBe(false)
  })
  const pid = async () => {
    const { pid } = await (await engine.client())['engine.vitals']({})
    pids.push(pid)
    return pid
  }
  return { engine, pid, restarted }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

it('serves its share of the contract from another process, columns as they are', async () => {
  const { engine, pid } = openEngine()
  const client = await engine.client()
  expect(await pid()).not.toBe(process.pid)
  expect((await client['sample.ticks']({})).data).toEqual(tickBatch())
  const seen: number[] = []
  for await (const { n } of client['sample.count']({ to: 20 })) seen.push(n)
  expect(seen).toHaveLength(20)
})

it('tells memory, loop delay and metrics', async () => {
  const { engine } = openEngine()
  const vitals = await (await engine.client())['engine.vitals']({})
  expect(vitals.residentMb).toBeGreaterThan(20)
  expect(vitals.loopDelayP99Ms).toBeGreaterThanOrEqual(0)
  expect(vitals.metrics).toEqual([{ name: 'sample' }])
})

it('fails what was in flight when the process dies, and serves what comes after from a new one', async () => {
  const { engine, pid, restarted } = openEngine()
  const first = await pid()
  const waiting = (await engine.client())['sample.wait']({}).catch((error: Failure) => error)
  await sleep(50)
  process.kill(first, 'SIGKILL')
  expect(await waiting).toMatchObject({ code: 'UNAVAILABLE', retryable: true })
  const second = await pid()
  expect(second).not.toBe(first)
  expect(engine.restarts()).toBe(1)
  expect(restarted).toEqual([second])
})

it('tells what the process left unfinished when it closes', async () => {
  const { engine, pid } = openEngine({ closeMs: 50 })
  await pid()
  expect(await engine.close(AbortSignal.timeout(3_000))).toEqual(['slow flush'])
})

it('kills a process that does not close in time and names it', async () => {
  const { engine, pid } = openEngine({ closeMs: 60_000 })
  const id = await pid()
  const started = performance.now()
  expect(await engine.close(AbortSignal.timeout(300))).toEqual(['sample'])
  await sleep(100)
  expect(performance.now() - started).toBeLessThan(2_000)
  expect(isAlive(id)).toBe(false)
})

it('refuses requests once it is closing', async () => {
  const { engine, pid } = openEngine()
  await pid()
  await engine.close(AbortSignal.timeout(2_000))
  await expect(engine.client()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

it('names an engine that died before it could say that all is flushed', async () => {
  const { engine, pid } = openEngine({ dieOnClose: true })
  await pid()
  expect(await engine.close(AbortSignal.timeout(2_000))).toEqual(['sample'])
})

it('kills at once when there is no time left', async () => {
  const { engine, pid } = openEngine({ closeMs: 60_000 })
  const id = await pid()
  const started = performance.now()
  expect(await engine.close(AbortSignal.abort())).toEqual(['sample'])
  await expect.poll(() => isAlive(id)).toBe(false)
  expect(performance.now() - started).toBeLessThan(1_000)
})

it('says that a process cannot start, and goes on trying', async () => {
  const { engine } = openEngine({ failStart: true })
  await expect(engine.client()).rejects.toMatchObject({ code: 'INTERNAL' })
  await expect.poll(() => engine.restarts(), { timeout: 5_000 }).toBeGreaterThan(1)
})

it('lets a caller go that gives up while the process starts', async () => {
  const { engine } = openEngine()
  const started = performance.now()
  await expect(engine.client(AbortSignal.timeout(20))).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(performance.now() - started).toBeLessThan(300)
})

it('tries again when the system has no room for a process', async () => {
  let tries = 0
  const engine = supervise({
    name: 'sample',
    contract: sample,
    start: () => {
      if (++tries < 3) throw new Error('EAGAIN')
      return forkEngine(entry, {}, ['--import', 'tsx'])
    },
    options: { closeMs: 0 },
  })
  onTestFinished(async () => void (await engine.close(AbortSignal.timeout(2_000))))
  expect((await (await engine.client())['sample.echo']({ text: 'here' })).text).toBe('here')
  expect(engine.restarts()).toBe(2)
})

describe('a process that is to be started later', () => {
  function openLater(startAfter: Promise<unknown>) {
    let starts = 0
    const engine = supervise({
      name: 'sample',
      contract: sample,
      start: () => {
        starts++
        return forkEngine(entry, {}, ['--import', 'tsx'])
      },
      options: { closeMs: 0 },
      startAfter,
    })
    onTestFinished(async () => void (await engine.close(AbortSignal.timeout(2_000))))
    return { engine, starts: () => starts }
  }

  it.each([
    ['succeeded', (before: Deferred) => before.resolve()],
    ['failed', (before: Deferred) => before.reject(new Error('it cannot start'))],
  ])('is, when what it waits for has %s', async (_, settle) => {
    const before = deferred()
    const { engine, starts } = openLater(before.promise)
    await sleep(20)
    expect(starts()).toBe(0)
    settle(before)
    await expect.poll(starts).toBe(1)
    expect((await (await engine.client())['sample.echo']({ text: 'here' })).text).toBe('here')
    expect(starts()).toBe(1)
  })

  it('is at once when somebody asks for it, and only once', async () => {
    const before = deferred()
    const { engine, starts } = openLater(before.promise)
    expect((await (await engine.client())['sample.echo']({ text: 'here' })).text).toBe('here')
    before.resolve()
    await sleep(20)
    expect(starts()).toBe(1)
    expect(engine.restarts()).toBe(0)
  })

  it('is not at all once it is closed', async () => {
    const before = deferred()
    const { engine, starts } = openLater(before.promise)
    expect(await engine.close(AbortSignal.timeout(1_000))).toEqual([])
    before.resolve()
    await sleep(20)
    expect(starts()).toBe(0)
  })
})
