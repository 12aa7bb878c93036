import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Failure } from '../../../../src/contract/failure.ts'
import type { FileIO } from '../../../../src/main/lake/io/file-io.ts'
import { localFiles } from '../../../../src/main/lake/io/local.ts'
import { memoryFiles } from '../../../../src/main/lake/io/memory.ts'
import { findOrphans } from '../../../../src/main/lake/maintain/orphans.ts'
import {
  createLeases,
  leaseFolder,
  type HeldLease,
  type LeaseOptions,
  type LeaseOwner,
} from '../../../../src/main/lake/stream/lease.ts'
import { tempLake } from '../../../support/lake.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

const FOLDER = 'file:///warehouse/market_data/trades/.k2-lease'
const owner = (id: string, host = 'there'): LeaseOwner => ({ host, pid: 4711, id })

/** Several K2 over the same files, with a clock of the test's. */
function place({ files = memoryFiles(), ...options }: Partial<LeaseOptions> & { files?: FileIO } = {}) {
  let nowMs = 1_000
  const held: HeldLease[] = []
  onTestFinished(async () => void (await Promise.all(held.map(lease => lease.release()))))
  const k2 = (id: string, more: Partial<LeaseOptions> = {}) => {
    const leases = createLeases({
      io: files,
      folder: FOLDER,
      owner: owner(id),
      elapsedMs: () => nowMs,
      renewEveryMs: 1e8,
      ...options,
      ...more,
    })
    return async (...topics: string[]) => {
      const found = await leases.acquire(topics)
      if (!('held' in found)) return found.heldBy.id
      held.push(found.held)
      return found.held
    }
  }
  return { files, k2, later: (ms: number) => (nowMs += ms) }
}

const isHeld = (found: string | HeldLease) => typeof found !== 'string' && found.isHeld()

describe('a lease on topics', () => {
  it('has one holder, and tells the others who it is', async () => {
    const { k2 } = place()
    expect(isHeld(await k2('a')('x'))).toBe(true)
    expect(await k2('b')('x')).toBe('a')
  })

  it('is of each topic: others are free, and of several all are taken or none', async () => {
    const { k2 } = place()
    const [a, b, c] = [k2('a'), k2('b'), k2('c')]
    expect(isHeld(await a('x'))).toBe(true)
    expect(await b('w', 'x', 'y')).toBe('a')
    expect(isHeld(await c('w', 'y'))).toBe(true)
  })

  it('is free at once when its holder lets go', async () => {
    const { k2 } = place()
    const lease = (await k2('a')('x', 'y')) as HeldLease
    await lease.release()
    expect(lease.isHeld()).toBe(false)
    expect(isHeld(await k2('b')('x', 'y'))).toBe(true)
  })

  it('is taken over after thirty seconds without a sign of its holder, as seen by who takes it', async () => {
    const { k2, later } = place()
    const lease = (await k2('a')('x')) as HeldLease
    const b = k2('b')
    expect(await b('x')).toBe('a')
    later(29_999)
    expect(await b('x')).toBe('a')
    expect(lease.isHeld()).toBe(true)
    later(1)
    expect(lease.isHeld()).toBe(false)
    expect(isHeld(await b('x'))).toBe(true)
    expect(await k2('c')('x')).toBe('b')
  })

  it('is taken over at once from a process of this machine that is gone', async () => {
    const { k2 } = place()
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    await k2('a', { owner: { host: hostname(), pid: child.pid!, id: 'a' } })('x')
    expect(isHeld(await k2('b')('x'))).toBe(true)
    await k2('c', { owner: { host: hostname(), pid: process.pid, id: 'c' } })('y')
    expect(await k2('b')('y')).toBe('c')
  })

  it('stays with a holder that renews it, and is lost by one that slept while another took it', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { k2, later } = place()
    const a = (await k2('a', { renewEveryMs: 10_000 })('x')) as HeldLease
    const b = k2('b')
    for (let i = 0; i < 6; i++) {
      expect(await b('x')).toBe('a')
      later(10_000)
      await vi.advanceTimersByTimeAsync(10_000)
    }
    expect(a.isHeld()).toBe(true)
    expect(await b('x')).toBe('a')
    later(30_000) // and none of its timers ran
    expect(isHeld(await b('x'))).toBe(true)
    await vi.advanceTimersByTimeAsync(10_000)
    const why = await a.lost
    expect(why).toMatchObject({ code: 'FENCED', details: { topic: 'x', heldBy: owner('b') } })
    expect(a.isHeld()).toBe(false)
    expect(await k2('c')('x')).toBe('b')
  })

  it('goes on when its place could not be asked for a while, also where an answer was lost', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const files = memoryFiles()
    let fault: 'before' | 'after' | undefined
    const io: FileIO = {
      ...files,
      async write(...given) {
        if (fault !== 'before') await files.write(...given)
        if (fault) throw new Failure('UNAVAILABLE', 'The server is away.')
      },
    }
    const { k2, later } = place({ files })
    const a = (await k2('a', { renewEveryMs: 10_000, io })('x')) as HeldLease
    for (const kind of ['before', 'after', undefined, undefined] as const) {
      fault = kind
      later(10_000)
      await vi.advanceTimersByTimeAsync(10_000)
      expect(a.isHeld()).toBe(true)
    }
    expect(await k2('b')('x')).toBe('a')
  })

  it('is not held by one that woke up and makes a number that was long passed', async () => {
    const { files, k2, later } = place()
    const woken = k2('woken')
    let wake = () => {}
    const asleep = new Promise<void>(resolve => (wake = resolve))
    const sleeper = k2('sleeper', {
      io: {
        ...files,
        async write(...given) {
          await asleep
          return files.write(...given)
        },
      },
    })
    const taking = sleeper('x')
    for (const id of ['a', 'b', 'c']) await ((await k2(id)('x')) as HeldLease).release()
    expect(isHeld(await woken('x'))).toBe(true)
    wake()
    expect(await taking).toBe('woken')
    later(1)
    expect(await k2('d')('x')).toBe('woken')
  })

  it('leaves one file a topic, whoever had it', async () => {
    const { files, k2 } = place()
    for (const id of ['a', 'b', 'c', 'd']) await ((await k2(id)('x', 'y')) as HeldLease).release()
    expect((files as ReturnType<typeof memoryFiles>).locations().sort()).toEqual([
      `${FOLDER}/x/8.json`,
      `${FOLDER}/y/8.json`,
    ])
  })

  it('outlives a file that a crash left empty', async () => {
    const { files, k2, later } = place()
    await files.write(`${FOLDER}/x/7.json`, new Uint8Array())
    const a = k2('a')
    expect(await a('x')).toBe('')
    later(30_000)
    expect(isHeld(await a('x'))).toBe(true)
  })

  it.each([
    ['memory', () => memoryFiles(), FOLDER],
    ['a folder', () => localFiles(), undefined],
  ])('has one winner of many that want it at the same moment, in %s', async (_, open, folder) => {
    const files = open()
    const at = folder ?? `file://${join(makeTempFolder(), '.k2-lease')}`
    const { k2 } = place({ files, folder: at })
    for (const topic of ['x', 'y', 'z']) {
      const found = await Promise.all(Array.from({ length: 20 }, (_, i) => k2(`k2-${i}`)(topic)))
      const winners = found.filter(isHeld)
      expect(winners).toHaveLength(1)
      await (winners[0] as HeldLease).release()
    }
  })

  it('is held by one of several processes at a time', { timeout: 60_000 }, async () => {
    const folder = `file://${join(makeTempFolder(), '.k2-lease')}`
    const script = join(import.meta.dirname, 'lease-process.ts')
    const children = ['a', 'b', 'c'].map(id =>
      spawn(process.execPath, ['--import', 'tsx', script, folder, id, '40'], { stdio: ['ignore', 'pipe', 'inherit'] }),
    )
    onTestFinished(() => children.forEach(child => child.kill('SIGKILL')))
    const spans: { from: bigint; to: bigint }[] = []
    await Promise.all(
      children.map(async child => {
        createInterface(child.stdout).on('line', line => {
          const [from, to] = line.split(' ').map(BigInt)
          spans.push({ from, to })
        })
        await once(child, 'close')
      }),
    )
    spans.sort((a, b) => Number(a.from - b.from))
    expect(spans).toHaveLength(120)
    expect(spans.filter(({ from }, i) => i > 0 && from < spans[i - 1].to)).toEqual([])
  })

  it('lies where neither readers of the table nor the removal of orphans look', async () => {
    const lake = await tempLake()
    const table = lake.table('trades')
    const { metadata } = await table.load()
    const leases = createLeases({ io: lake.io, folder: leaseFolder(metadata.location), owner: owner('a') })
    const found = await leases.acquire(['x'])
    onTestFinished(async () => {
      if ('held' in found) await found.held.release()
    })
    await sleep(10)
    expect(await findOrphans(table, { olderThanMs: 0, nowMs: Date.now() + 1e9 })).toEqual([])
    const files = []
    for await (const { location } of lake.io.list(metadata.location)) files.push(location)
    expect(files.filter(location => location.includes('.k2-lease/x/1.json'))).toHaveLength(1)
  })
})
