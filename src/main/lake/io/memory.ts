// Files of a table in memory, under the promises of a real place: for tests that let any operation fail.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { throwIfCancelled } from '../../base/cancelled.ts'
import { alreadyThere, diskFailure, endsBefore } from './disk-failure.ts'
import { draftBeside } from './drafts.ts'
import type { FileIO, ListedFile } from './file-io.ts'
import { canonicalLocation } from './location.ts'

export interface MemoryFiles extends FileIO {
  /** What is there now. */
  locations: () => string[]
  /** Puts or replaces a file, which no operation of a FileIO may do: to damage one. */
  replace: (location: string, bytes: Uint8Array) => void
}

interface Kept {
  location: string
  bytes: Uint8Array
  modifiedMs: number
}

/** Locations as for folders and S3. DuckDB needs real paths: drafts and opened files lie in a folder until `close`. */
export function memoryFiles(nowMs: () => number = () => Date.now()): MemoryFiles {
  const files = new Map<string, Kept>()
  let folder: Promise<string> | undefined
  let opened = 0

  const diskFolder = () => (folder ??= mkdtemp(join(tmpdir(), 'k2-memory-files-')))

  function kept(location: string): Kept {
    const file = files.get(canonicalLocation(location))
    if (file === undefined)
      throw diskFailure(Object.assign(new Error('no such file'), { code: 'ENOENT' }), location, '')
    return file
  }

  function replace(location: string, bytes: Uint8Array): void {
    files.set(canonicalLocation(location), { location, bytes: Uint8Array.from(bytes), modifiedMs: nowMs() })
  }

  async function write(location: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    throwIfCancelled(signal)
    if (files.has(canonicalLocation(location))) throw alreadyThere(location)
    replace(location, bytes)
  }

  const reading: Pick<FileIO, 'read' | 'open'> = {
    async read(location, range, signal) {
      throwIfCancelled(signal)
      const { bytes } = kept(location)
      if (range === undefined) return Uint8Array.from(bytes)
      const end = range.start + range.length
      if (end > bytes.length) throw endsBefore(location, bytes.length, end)
      return bytes.slice(range.start, end)
    },

    async open(location, signal) {
      throwIfCancelled(signal)
      const { bytes } = kept(location)
      const path = join(await diskFolder(), `opened-${opened++}-${basename(location)}`)
      await writeFile(path, bytes)
      let released = false
      const release = () => {
        if (!released) void rm(path, { force: true })
        released = true
      }
      return { path, release }
    },
  }

  return {
    ...reading,
    stored: { ...reading, size: async location => kept(location).bytes.length },
    write,

    async adopt(localPath, location, signal) {
      try {
        const bytes = await readFile(localPath).catch((error: unknown) => {
          throw diskFailure(error, localPath, `${location} was not written.`)
        })
        await write(location, bytes, signal)
      } finally {
        await rm(localPath, { force: true })
      }
    },

    draftPath: async () => draftBeside(join(await diskFolder(), 'file')),

    async remove(location) {
      files.delete(canonicalLocation(location))
    },

    async *list(from): AsyncIterable<ListedFile> {
      const start = canonicalLocation(from).replace(/\/*$/, '/')
      for (const [key, { bytes, modifiedMs }] of [...files]) {
        if (!key.startsWith(start)) continue
        yield { location: from.replace(/\/*$/, '/') + key.slice(start.length), bytes: bytes.length, modifiedMs }
      }
    },

    async close() {
      if (folder !== undefined) await rm(await folder, { recursive: true, force: true })
      folder = undefined
    },

    locations: () => [...files.values()].map(({ location }) => location),
    replace,
  }
}
