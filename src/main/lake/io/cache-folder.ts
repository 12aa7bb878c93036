// The folder of a cache that several processes may share: files named by content and length, drafts, and what is held.
//   <hash>-<bytes>              a whole file; another length on the disk means that it is damaged
//   .draft-<id>                 being written
//   held-<host>-<pid>-<id>/     hard links of one process to the files it has open, so that nobody's eviction hurts it
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isDraft } from './drafts.ts'

export interface CachedFile {
  name: string
  bytes: number
  usedMs: number
}

const DRAFT_AGE_MS = 6 * 3_600_000
const HELD_AGE_MS = 7 * 86_400_000
const STATS_AT_ONCE = 64

const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 12)

export const hashOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 40)
export const nameOf = (hash: string, bytes: number) => `${hash}-${bytes}`

export function parseName(name: string): { hash: string; bytes: number } | undefined {
  const [, hash, bytes] = /^([0-9a-f]{40})-(\d+)$/.exec(name) ?? []
  return hash === undefined ? undefined : { hash, bytes: Number(bytes) }
}

/** Makes what is missing, removes what dead processes left, and gives the folder for this one's held files. */
export function enterFolder(folder: string): string {
  const held = join(folder, `held-${host}-${process.pid}-${randomUUID().slice(0, 8)}`)
  mkdirSync(held, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (isDraft(name) ? isOlder(path, DRAFT_AGE_MS) : name.startsWith('held-') && isAbandoned(name, path))
      rmSync(path, { recursive: true, force: true })
  }
  return held
}

function isAbandoned(name: string, path: string): boolean {
  const [, itsHost, pid] = name.split('-')
  if (itsHost !== host) return isOlder(path, HELD_AGE_MS)
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function isOlder(path: string, ageMs: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found !== undefined && Date.now() - found.mtimeMs > ageMs
}

/** What is whole, least recently used first; what is damaged is removed. */
export async function scanFolder(folder: string): Promise<CachedFile[]> {
  const names = (await readdir(folder)).filter(name => parseName(name) !== undefined)
  const files: CachedFile[] = []
  for (let from = 0; from < names.length; from += STATS_AT_ONCE) {
    const some = names.slice(from, from + STATS_AT_ONCE)
    const found = await Promise.all(some.map(name => stat(join(folder, name)).catch(() => undefined)))
    for (const [i, name] of some.entries()) {
      const { bytes } = parseName(name)!
      if (found[i] === undefined) continue
      if (found[i].size === bytes) files.push({ name, bytes, usedMs: found[i].mtimeMs })
      else await rm(join(folder, name), { force: true })
    }
  }
  return files.sort((a, b) => a.usedMs - b.usedMs)
}
