import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Failure } from '../../../../src/contract/failure.ts'
import { parseName } from '../../../../src/main/lake/io/cache-folder.ts'
import { openS3Cache, type Fetch } from '../../../../src/main/lake/io/s3-cache.ts'
import { failureOf } from '../../../support/file-contract.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

async function openCache(limitBytes = 1e9, folder = makeTempFolder()) {
  const cache = await openS3Cache(folder, limitBytes)
  onTestFinished(() => cache.close())
  return { cache, folder }
}

/** Every file holds its own key over and over; counts how often each was fetched. */
function source(bytes = 100) {
  const fetched: string[] = []
  const content = (key: string) => Buffer.alloc(bytes, key)
  const fetch =
    (key: string): Fetch =>
    async draft => {
      fetched.push(key)
      await writeFile(draft, content(key))
      return bytes
    }
  return { fetched, fetch, content }
}

const keptFiles = (folder: string) => readdirSync(folder).filter(name => parseName(name) !== undefined)
const keptBytes = (folder: string) =>
  keptFiles(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)

describe('the cache of S3 files', () => {
  it('fetches a file once, for all who open it at once, later, and after a restart', async () => {
    const { cache, folder } = await openCache()
    const { fetched, fetch, content } = source()
    const files = await Promise.all(Array.from({ length: 5 }, () => cache.open('a', fetch('a'))))
    files.push(await cache.open('a', fetch('a')))
    for (const { path, release } of files) {
      expect(readFileSync(path)).toEqual(content('a'))
      release()
    }
    await cache.close()
    const again = await openCache(1e9, folder)
    const { path } = await again.cache.open('a', fetch('a'))
    expect(readFileSync(path)).toEqual(content('a'))
    expect(fetched).toEqual(['a'])
  })

  it('stays within its size, keeps what was used last, and never takes what is open', async () => {
    const { cache, folder } = await openCache(1_000)
    const { fetched, fetch, content } = source()
    const held = await cache.open('held', fetch('held'))
    for (let i = 0; i < 30; i++) (await cache.open(`${i}`, fetch(`${i}`))).release()
    await vi.waitFor(() => expect(keptBytes(folder)).toBeLessThanOrEqual(1_000))
    expect(readFileSync(held.path)).toEqual(content('held'))
    ;(await cache.open('29', fetch('29'))).release()
    expect(fetched.filter(key => key === '29')).toHaveLength(1)
    ;(await cache.open('0', fetch('0'))).release()
    expect(fetched.filter(key => key === '0')).toHaveLength(2)
  })

  it('gives back the right file under any opens and releases, with any limit', async () => {
    const step = fc.record({ key: fc.nat(6), release: fc.boolean() })
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 0, max: 500 }),
      async (steps, limit) => {
        const { cache, folder } = await openCache(limit)
        const { fetch, content } = source()
        const open: { key: string; path: string; release: () => void }[] = []
        for (const { key, release } of steps) {
          open.push({ key: `${key}`, ...(await cache.open(`${key}`, fetch(`${key}`))) })
          for (const { key, path } of open) expect(readFileSync(path)).toEqual(content(key))
          if (release) open.shift()!.release()
        }
        for (const { release } of open) release()
        await vi.waitFor(() => expect(keptBytes(folder)).toBeLessThanOrEqual(limit))
        await cache.close()
        expect(readdirSync(folder).filter(name => parseName(name) === undefined)).toEqual([])
      },
    )
    await fc.assert(property, { numRuns: 30 })
  })

  it('is shared by several processes: one that evicts takes nothing from under another', async () => {
    const { cache, folder } = await openCache(1_000)
    const { fetch, content } = source()
    const held = await cache.open('held', fetch('held'))
    const other = await openCache(200, folder)
    for (let i = 0; i < 10; i++) (await other.cache.open(`${i}`, fetch(`${i}`))).release()
    await vi.waitFor(() => expect(keptBytes(folder)).toBeLessThanOrEqual(200))
    expect(readFileSync(held.path)).toEqual(content('held'))
    held.release()
    const again = await cache.open('held', fetch('held'))
    expect(readFileSync(again.path)).toEqual(content('held'))
  })

  it('fetches a file anew whose length on the disk is wrong', async () => {
    const { cache, folder } = await openCache()
    const { fetched, fetch, content } = source()
    ;(await cache.open('a', fetch('a'))).release()
    truncateSync(join(folder, keptFiles(folder)[0]), 40)
    expect(await cache.read('a')).toBeUndefined()
    const { path, release } = await cache.open('a', fetch('a'))
    expect(readFileSync(path)).toEqual(content('a'))
    release()
    truncateSync(join(folder, keptFiles(folder)[0]), 40)
    await cache.close()
    const again = await openCache(1e9, folder)
    expect(readFileSync((await again.cache.open('a', fetch('a'))).path)).toEqual(content('a'))
    expect(fetched).toEqual(['a', 'a', 'a'])
  })

  it('tells everyone who waits for a file why it did not come, and tries again for the next', async () => {
    const { cache, folder } = await openCache()
    let tries = 0
    const failing: Fetch = async draft => {
      await writeFile(draft, 'part')
      tries++
      throw new Failure('NOT_FOUND', 'no such file')
    }
    const ends = await Promise.all([cache.open('a', failing), cache.open('a', failing)].map(failureOf))
    expect(ends.map(({ code }) => code)).toEqual(['NOT_FOUND', 'NOT_FOUND'])
    expect(tries).toBe(1)
    const { fetch, content } = source()
    expect(readFileSync((await cache.open('a', fetch('a'))).path)).toEqual(content('a'))
    expect(readdirSync(folder).filter(name => name.startsWith('.draft-'))).toEqual([])
  })

  it('stops a fetch when nobody waits for it any more, and not before', async () => {
    const { cache } = await openCache()
    const { content } = source()
    let finish = () => {}
    const stopped = vi.fn()
    const slow: Fetch = async (draft, signal) => {
      signal.addEventListener('abort', stopped)
      await new Promise<void>((resolve, reject) => {
        finish = resolve
        signal.addEventListener('abort', () => reject(new Failure('CANCELLED', 'stopped')))
      })
      await writeFile(draft, content('a'))
      return 100
    }
    const [one, two] = [new AbortController(), new AbortController()]
    const first = failureOf(cache.open('a', slow, one.signal))
    const second = cache.open('a', slow, two.signal)
    one.abort()
    expect((await first).code).toBe('CANCELLED')
    expect(stopped).not.toHaveBeenCalled()
    finish()
    expect(readFileSync((await second).path)).toEqual(content('a'))
    const third = failureOf(cache.open('b', slow, two.signal))
    two.abort()
    expect((await third).code).toBe('CANCELLED')
    expect(stopped).toHaveBeenCalledOnce()
  })

  it.each(['raw', 'translated'])('makes room on a full disk, then says which folder is full (%s)', async how => {
    const { cache, folder } = await openCache()
    const { fetched, fetch } = source()
    ;(await cache.open('old', fetch('old'))).release()
    const full: Fetch = async draft => {
      await writeFile(draft, 'part')
      if (how === 'raw') throw Object.assign(new Error('full'), { code: 'ENOSPC' })
      throw new Failure('UNAVAILABLE', 'full', { details: { errno: 'ENOSPC' } })
    }
    const failure = await failureOf(cache.open('a', full))
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', details: { location: folder, errno: 'ENOSPC' } })
    expect(failure.message).toMatch(/disk is full.*copy of a\..*Free space/)
    expect(keptFiles(folder)).toEqual([])
    let tries = 0
    const fullOnce: Fetch = (draft, signal) => (tries++ === 0 ? full(draft, signal) : fetch('b')(draft, signal))
    ;(await cache.open('b', fullOnce)).release()
    expect(fetched).toEqual(['old', 'b'])
  })

  it('keeps what it is handed, and forgets what is removed', async () => {
    const { cache, folder } = await openCache()
    await cache.keep('a', Buffer.from('text'))
    const path = cache.draftPath()
    writeFileSync(path, 'file')
    await cache.keep('b', { path, bytes: 4 })
    expect(String(await cache.read('a'))).toBe('text')
    expect(String(await cache.read('b'))).toBe('file')
    await cache.drop('a')
    expect(await cache.read('a')).toBeUndefined()
    expect(await cache.read('none')).toBeUndefined()
    expect(keptFiles(folder)).toHaveLength(1)
  })

  it('lets one keep open what another forgets and fetches again', async () => {
    const { cache } = await openCache()
    const { fetch, content } = source()
    const old = await cache.open('a', fetch('a'))
    await cache.drop('a')
    const young = await cache.open('a', fetch('a'))
    await cache.keep('a', content('a'))
    old.release()
    expect(readFileSync(young.path)).toEqual(content('a'))
    const youngest = await cache.open('a', fetch('a'))
    young.release()
    expect(readFileSync(youngest.path)).toEqual(content('a'))
  })

  it('removes what dead processes left, and nothing of those that live', async () => {
    const folder = makeTempFolder()
    const { cache } = await openCache(1e9, folder)
    const { fetch, content } = source()
    const held = await cache.open('a', fetch('a'))
    const [mine] = readdirSync(folder).filter(name => name.startsWith('held-'))
    const deadPid = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim()
    const dead = mine.replace(/-\d+-/, `-${deadPid}-`)
    mkdirSync(join(folder, dead))
    writeFileSync(join(folder, dead, 'link'), '')
    for (const [name, ageHours] of [
      ['.draft-old', 7],
      ['.draft-new', 1],
    ] as const) {
      writeFileSync(join(folder, name), '')
      const atSeconds = Date.now() / 1000 - ageHours * 3600
      utimesSync(join(folder, name), atSeconds, atSeconds)
    }
    await openCache(1e9, folder)
    const left = readdirSync(folder)
    expect(left).toContain('.draft-new')
    expect(left).not.toContain('.draft-old')
    expect(left).not.toContain(dead)
    expect(readFileSync(held.path)).toEqual(content('a'))
  })

  it('says so when its folder cannot be made', async () => {
    const file = join(makeTempFolder(), 'file')
    writeFileSync(file, '')
    const failure = await failureOf(openS3Cache(join(file, 'cache'), 1))
    expect(failure.message).toMatch(/lies below a file.*It was to hold copies of files in S3/)
  })
})
