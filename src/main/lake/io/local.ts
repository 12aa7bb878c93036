// Files of a table in a folder of this machine. A file appears whole or not at all, and is never replaced.
import * as nodeDisk from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { throwIfCancelled } from '../../base/cancelled.ts'
import { alreadyThere, diskFailure } from './disk-failure.ts'
import { draftBeside } from './drafts.ts'
import { durableFolders } from './durable-folders.ts'
import type { FileIO, ListedFile, Range } from './file-io.ts'
import { joinLocation, localPath } from './location.ts'
import { readFile } from './read-file.ts'

/** The part of node:fs that is used for more than reading, so that a test can let any call of it fail. */
export type Disk = Pick<
  typeof nodeDisk,
  'open' | 'link' | 'rename' | 'unlink' | 'mkdir' | 'stat' | 'readdir' | 'copyFile'
>

const NOTHING_LEFT = 'Nothing was left behind.'
const STATS_AT_ONCE = 64
/** What disks without hard links answer: exFAT, some network shares. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

const errno = (error: unknown) => (error as NodeJS.ErrnoException).code ?? ''

export function localFiles(disk: Disk = nodeDisk): FileIO {
  const folders = durableFolders(disk)

  const discard = (path: string) => disk.unlink(path).catch(() => undefined)

  async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
    await folders.ensure(folder)
    try {
      return await work()
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw error
      folders.forget(folder)
      await folders.ensure(folder)
      return work()
    }
  }

  async function writeDraft(path: string, bytes: Uint8Array): Promise<void> {
    const handle = await disk.open(path, 'wx')
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  /** Until this the file is a draft; after it, the file is there whole, and durable once the folder is synced. */
  async function place(draft: string, path: string, location: string): Promise<void> {
    try {
      await disk.link(draft, path)
    } catch (error) {
      if (errno(error) === 'EEXIST') throw alreadyThere(location)
      if (!NO_LINKS.includes(errno(error))) throw error
      await placeWithoutLinks(draft, path, location)
    }
    try {
      await disk.unlink(draft).catch((error: unknown) => {
        if (errno(error) !== 'ENOENT') throw error
      })
      await folders.sync(dirname(path))
    } catch (error) {
      await discard(path) // ours, and nobody was told of it yet
      throw error
    }
  }

  // The name is claimed by an empty file first, so that of two writers one loses. A crash here leaves it empty, and
  // nothing refers to it.
  async function placeWithoutLinks(draft: string, path: string, location: string): Promise<void> {
    try {
      await (await disk.open(path, 'wx')).close()
    } catch (error) {
      throw errno(error) === 'EEXIST' ? alreadyThere(location) : error
    }
    try {
      await disk.rename(draft, path)
    } catch (error) {
      await discard(path)
      throw error
    }
  }

  async function write(location: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    throwIfCancelled(signal)
    const path = localPath(location)
    const draft = draftBeside(path)
    try {
      await inFolder(dirname(path), () => writeDraft(draft, bytes))
      throwIfCancelled(signal)
      await place(draft, path, location)
    } catch (error) {
      await discard(draft)
      throw diskFailure(error, location, NOTHING_LEFT)
    }
  }

  async function syncFile(path: string): Promise<void> {
    const handle = await disk.open(path, 'r+')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  async function adopt(source: string, location: string, signal?: AbortSignal): Promise<void> {
    let copy: string | undefined
    try {
      throwIfCancelled(signal)
      const path = localPath(location)
      await syncFile(source).catch((error: unknown) => {
        throw diskFailure(error, source, `${location} was not written.`)
      })
      await inFolder(dirname(path), async () => {
        try {
          await place(source, path, location)
        } catch (error) {
          if (errno(error) !== 'EXDEV') throw error
          copy = draftBeside(path)
          await disk.copyFile(source, copy)
          await syncFile(copy)
          await place(copy, path, location)
        }
      })
    } catch (error) {
      throw diskFailure(error, location, NOTHING_LEFT)
    } finally {
      await discard(source)
      if (copy !== undefined) await discard(copy)
    }
  }

  async function read(location: string, range?: Range, signal?: AbortSignal) {
    throwIfCancelled(signal)
    try {
      return await readFile(localPath(location), location, range, signal)
    } catch (error) {
      throw diskFailure(error, location, '')
    }
  }

  async function open(location: string, signal?: AbortSignal) {
    throwIfCancelled(signal)
    await size(location)
    return { path: localPath(location), release: () => {} }
  }

  async function size(location: string): Promise<number> {
    try {
      return (await disk.stat(localPath(location))).size
    } catch (error) {
      throw diskFailure(error, location, '')
    }
  }

  async function remove(location: string): Promise<void> {
    try {
      await disk.unlink(localPath(location))
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw diskFailure(error, location, 'It is still there.')
    }
  }

  async function* list(folder: string): AsyncIterable<ListedFile> {
    const waiting = [{ path: localPath(folder), location: folder }]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { path, location } = next
      const entries = await disk.readdir(path, { withFileTypes: true }).catch((error: unknown) => {
        if (errno(error) === 'ENOENT') return []
        throw diskFailure(error, location, '')
      })
      const files: string[] = []
      for (const entry of entries) {
        const found = { path: join(path, entry.name), location: joinLocation(location, entry.name) }
        if (entry.isDirectory()) waiting.push(found)
        else files.push(entry.name)
      }
      for (let from = 0; from < files.length; from += STATS_AT_ONCE) {
        const names = files.slice(from, from + STATS_AT_ONCE)
        yield* (await Promise.all(names.map(name => listed(join(path, name), joinLocation(location, name))))).flat()
      }
    }
  }

  /** Nothing when it has gone meanwhile, or is a link to a folder, which is not followed. */
  async function listed(path: string, location: string): Promise<ListedFile[]> {
    const found = await disk.stat(path).catch((error: unknown) => {
      if (['ENOENT', 'ELOOP'].includes(errno(error))) return undefined
      throw diskFailure(error, location, '')
    })
    return found?.isFile() ? [{ location, bytes: found.size, modifiedMs: found.mtimeMs }] : []
  }

  async function draftPath(location: string): Promise<string> {
    const path = localPath(location)
    try {
      await folders.ensure(dirname(path))
    } catch (error) {
      throw diskFailure(error, location, NOTHING_LEFT)
    }
    return draftBeside(path)
  }

  const stored = { read, open, size }
  return { read, write, adopt, draftPath, open, remove, list, close: async () => {}, stored }
}
