// Folders that survive a power cut: a name is only durable once the folder that holds it is synced.
import type { open as openFile, mkdir as makeFolder, stat as statFile } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface FolderDisk {
  open: typeof openFile
  mkdir: typeof makeFolder
  stat: typeof statFile
}

export interface DurableFolders {
  /** The folder and those above it are there and will be after a crash. */
  ensure: (folder: string) => Promise<void>
  /** Every name in the folder at the time of the call is durable. Calls that wait for each other share one sync. */
  sync: (folder: string) => Promise<void>
  /** It was removed by someone: look again. */
  forget: (folder: string) => void
}

export function durableFolders(disk: FolderDisk): DurableFolders {
  const known = new Map<string, Promise<void>>()
  const syncs = new Map<string, { running: Promise<void>; next?: Promise<void> }>()

  function ensure(folder: string): Promise<void> {
    let made = known.get(folder)
    if (made === undefined) {
      made = make(folder).catch((error: unknown) => {
        known.delete(folder)
        throw error
      })
      known.set(folder, made)
    }
    return made
  }

  // Folders that exist are synced once too: another process may have made them a moment ago.
  async function make(folder: string): Promise<void> {
    const parent = dirname(folder)
    if (parent === folder) return
    await ensure(parent)
    await disk.mkdir(folder).catch(async (error: unknown) => {
      const there = await disk.stat(folder).catch(() => undefined)
      if (there === undefined) throw error
      if (!there.isDirectory()) throw Object.assign(new Error(`${folder} is a file`), { code: 'ENOTDIR' })
    })
    await sync(parent)
  }

  function sync(folder: string): Promise<void> {
    const current = syncs.get(folder)
    if (current === undefined) return start(folder)
    // The running one may have begun before the caller's name was there, so one more is needed; all who wait share it.
    return (current.next ??= current.running.catch(() => undefined).then(() => start(folder)))
  }

  function start(folder: string): Promise<void> {
    const running = syncNow(folder).finally(() => {
      if (syncs.get(folder)?.running === running) syncs.delete(folder)
    })
    syncs.set(folder, { running })
    return running
  }

  async function syncNow(folder: string): Promise<void> {
    if (process.platform === 'win32') return // cannot sync a folder; NTFS journals names
    let handle
    try {
      handle = await disk.open(folder, 'r')
    } catch (error) {
      // Folders far above may be closed to us; one of ours that we can write but not read is out of scope.
      if (['EACCES', 'EPERM'].includes(String((error as NodeJS.ErrnoException).code))) return
      throw error
    }
    try {
      await handle.sync()
    } catch (error) {
      // Some network shares cannot sync a folder and say so.
      if (!['EINVAL', 'ENOTSUP', 'EROFS'].includes(String((error as NodeJS.ErrnoException).code))) throw error
    } finally {
      await handle.close()
    }
  }

  function forget(folder: string): void {
    for (const path of known.keys()) if (folder.startsWith(path)) known.delete(path)
  }

  return { ensure, sync, forget }
}
