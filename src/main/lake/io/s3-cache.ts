// Whole files of S3 on this machine's disk, up to a size. Files of a table never change, so a copy is good for ever.
// Several processes may share the folder; it survives restarts; what is open is never taken away.
import { linkSync, statSync, utimesSync, unlinkSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../../contract/failure.ts'
import { enterFolder, hashOf, nameOf, parseName, scanFolder } from './cache-folder.ts'
import { cancelled, throwIfCancelled } from '../../base/cancelled.ts'
import { diskFailure } from './disk-failure.ts'
import { draftBeside } from './drafts.ts'
import type { LocalFile } from './file-io.ts'

/** Fills the draft and says how many bytes the file has. */
export type Fetch = (draft: string, signal: AbortSignal) => Promise<number>

export interface S3Cache {
  /** From the folder, or fetched into it; those who ask for one file at once share the fetch. */
  open: (key: string, fetch: Fetch, signal?: AbortSignal) => Promise<LocalFile>
  /** Fetched whatever is there, for one who asks alone; gone when released. */
  openApart: (key: string, fetch: (draft: string) => Promise<number>) => Promise<LocalFile>
  /** What is there already, and nothing else. */
  read: (key: string) => Promise<Uint8Array | undefined>
  /** As good as it goes: a cache that cannot keep a file is no failure. */
  keep: (key: string, file: Uint8Array | { path: string; bytes: number }) => Promise<void>
  drop: (key: string) => Promise<void>
  draftPath: () => string
  close: () => Promise<void>
}

interface Entry {
  path: string
  bytes: number
  usedMs: number
  holders: number
  heldPath: string
}

interface Download {
  ended: Promise<void>
  waiters: number
  stop: AbortController
}

/** After an eviction so much of the limit is used, so that not every new file causes one. */
const LOW_WATER = 0.9
const TOUCH_EVERY_MS = 60_000
/** Where there are no hard links, another process may hold what was used so lately. */
const PERHAPS_HELD_MS = 600_000

const errno = (error: unknown) => (error as NodeJS.ErrnoException).code ?? ''

/** What the disk said, if it was the disk. */
function diskCode(error: unknown): string | undefined {
  if (error instanceof Failure) return (error.details as { errno?: string } | undefined)?.errno
  return (error as NodeJS.ErrnoException).code
}

export async function openS3Cache(folder: string, limitBytes: number): Promise<S3Cache> {
  let held: string
  const entries = new Map<string, Entry>()
  const downloads = new Map<string, Download>()
  let totalBytes = 0
  let evicting: Promise<void> | undefined
  let hasLinks = true
  let links = 0

  // Who holds an older entry keeps that, with its own link.
  function remember(hash: string, bytes: number, usedMs: number): void {
    totalBytes += bytes - (entries.get(hash)?.bytes ?? 0)
    const heldPath = join(held, `${hash}-${links++}`)
    entries.set(hash, { path: join(folder, nameOf(hash, bytes)), bytes, usedMs, holders: 0, heldPath })
  }

  function forget(hash: string): void {
    totalBytes -= entries.get(hash)?.bytes ?? 0
    entries.delete(hash)
  }

  // Synchronous, as a thread's turn costs more than these calls: 200 warm files in a few milliseconds.
  function hold(hash: string): LocalFile | undefined {
    const entry = entries.get(hash)
    if (entry === undefined) return undefined
    try {
      if (entry.holders === 0 && hasLinks) link(entry)
      const path = hasLinks ? entry.heldPath : entry.path
      if (statSync(path).size !== entry.bytes) throw new Error('damaged')
      touch(entry)
      entry.holders++
      let isHeld = true
      const release = () => {
        if (isHeld) letGo(entry)
        isHeld = false
      }
      return { path, release }
    } catch {
      forget(hash) // damaged or evicted; who holds it already keeps what it has
      discardNow(entry.path)
      if (entry.holders === 0) discardNow(entry.heldPath)
      return undefined
    }
  }

  function link(entry: Entry): void {
    try {
      linkSync(entry.path, entry.heldPath)
    } catch (error) {
      if (errno(error) === 'ENOENT') throw error
      hasLinks = false
    }
  }

  function touch(entry: Entry): void {
    const nowMs = Date.now()
    if (nowMs - entry.usedMs < TOUCH_EVERY_MS) return
    entry.usedMs = nowMs
    utimesSync(entry.path, nowMs / 1000, nowMs / 1000)
  }

  function letGo(entry: Entry): void {
    if (--entry.holders > 0) return
    discardNow(entry.heldPath)
    if (totalBytes > limitBytes) void evict()
  }

  const discardNow = (path: string) => {
    try {
      unlinkSync(path)
    } catch {
      // gone already, or Windows still has it open: the next scan finds it
    }
  }

  /** Looks at the whole folder, as other processes add to it too. */
  function evict(targetBytes = limitBytes * LOW_WATER): Promise<void> {
    // A folder that cannot be looked through is tried again at the next file.
    return (evicting ??= evictNow(targetBytes)
      .catch(() => undefined)
      .finally(() => (evicting = undefined)))
  }

  async function evictNow(targetBytes: number): Promise<void> {
    const files = await scanFolder(folder)
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { name, bytes, usedMs } of files) {
      if (total <= targetBytes) break
      const { hash } = parseName(name)!
      if ((entries.get(hash)?.holders ?? 0) > 0) continue
      if (!hasLinks && !entries.has(hash) && Date.now() - usedMs < PERHAPS_HELD_MS) continue
      forget(hash)
      discardNow(join(folder, name))
      total -= bytes
    }
    totalBytes = total
  }

  /** From now on the file is there for everyone. */
  async function settle(hash: string, draft: string, bytes: number): Promise<void> {
    await rename(draft, join(folder, nameOf(hash, bytes)))
    remember(hash, bytes, Date.now())
    if (totalBytes > limitBytes) void evict()
  }

  function startDownload(hash: string, key: string, fetch: Fetch): Download {
    const stop = new AbortController()
    const settled = withRoom(key, async draft => settle(hash, draft, await fetch(draft, stop.signal)))
    const ended = settled.finally(() => {
      if (downloads.get(hash) === download) downloads.delete(hash)
    })
    const download = { ended, waiters: 0, stop }
    downloads.set(hash, download)
    return download
  }

  /** What it leaves when it fails is removed; where the disk is full, so is all that nobody holds, and it is tried again. */
  async function withRoom<T>(key: string, fill: (draft: string) => Promise<T>): Promise<T> {
    for (let isSecond = false; ; isSecond = true) {
      const draft = draftPath()
      try {
        return await fill(draft)
      } catch (error) {
        await rm(draft, { force: true })
        const code = diskCode(error)
        if (code === undefined) throw error
        if (isSecond || !['ENOSPC', 'EDQUOT'].includes(code))
          throw diskFailure(Object.assign(new Error(code), { code }), folder, `It was to hold a copy of ${key}.`)
        await evict(0)
      }
    }
  }

  async function open(key: string, fetch: Fetch, signal?: AbortSignal): Promise<LocalFile> {
    const hash = hashOf(key)
    for (;;) {
      throwIfCancelled(signal)
      const file = hold(hash)
      if (file !== undefined) return file
      const download = downloads.get(hash) ?? startDownload(hash, key, fetch)
      download.waiters++
      try {
        await orCancelled(download.ended, signal)
      } finally {
        if (--download.waiters === 0 && signal?.aborted) {
          download.stop.abort()
          if (downloads.get(hash) === download) downloads.delete(hash)
        }
      }
    }
  }

  function openApart(key: string, fetch: (draft: string) => Promise<number>): Promise<LocalFile> {
    return withRoom(key, async path => {
      await fetch(path)
      return { path, release: () => discardNow(path) }
    })
  }

  async function read(key: string): Promise<Uint8Array | undefined> {
    const hash = hashOf(key)
    const file = hold(hash)
    if (file === undefined) return undefined
    try {
      return await readFile(file.path)
    } catch {
      return undefined
    } finally {
      file.release()
    }
  }

  async function keep(key: string, file: Uint8Array | { path: string; bytes: number }): Promise<void> {
    const path = file instanceof Uint8Array ? draftPath() : file.path
    try {
      if (file instanceof Uint8Array) await writeFile(path, file, { flag: 'wx' })
      await settle(hashOf(key), path, file instanceof Uint8Array ? file.length : file.bytes)
    } catch {
      await rm(path, { force: true })
    }
  }

  async function drop(key: string): Promise<void> {
    const hash = hashOf(key)
    const entry = entries.get(hash)
    if (entry === undefined) return
    forget(hash)
    await rm(entry.path, { force: true })
  }

  const draftPath = () => draftBeside(join(folder, 'file'))

  async function close(): Promise<void> {
    for (const { stop } of downloads.values()) stop.abort()
    await Promise.allSettled([...downloads.values()].map(({ ended }) => ended))
    await evicting
    await rm(held, { recursive: true, force: true })
  }

  try {
    held = enterFolder(folder)
    for (const { name, bytes, usedMs } of await scanFolder(folder)) remember(parseName(name)!.hash, bytes, usedMs)
  } catch (error) {
    throw diskFailure(error, folder, 'It was to hold copies of files in S3.')
  }
  if (totalBytes > limitBytes) await evict()
  return { open, openApart, read, keep, drop, draftPath, close }
}

function orCancelled(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const leave = () => reject(cancelled())
    signal.addEventListener('abort', leave, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
