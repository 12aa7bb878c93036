import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { Failure } from '../../../src/contract/failure.ts'
import { forkEngine } from '../../../src/main/host/fork.ts'
import { supervise } from '../../../src/main/host/supervise.ts'
import { sample, tickBatch } from '../../support/sample.ts'

const entry = join(import.meta.dirname, '../../support/sample-engine.ts')

function openEngine(options: { closeMs?: number } = {}) {
  const pids: number[] = []
  const restarted: number[] = []
  const engine = supervise({
    name: 'sample',
    contract: sample,
    start: () => forkEngine(entry, ['--import', 'tsx']),
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
