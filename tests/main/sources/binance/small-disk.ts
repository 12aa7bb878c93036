// A disk with little room, for tests: a real one of memory where this user may mount one, or a folder that behaves like it.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { makeTempFolder } from '../../../support/temp-folder.ts'

export interface SmallDisk {
  folder: string
  open: typeof open
  /** Takes up all but so many bytes, to the next 4 kB below. */
  fillBut: (bytes: number) => void
  makeRoom: () => void
}

export const DISKS = ['real', 'pretended'] as const
export const NO_MOUNT = 'this user may not mount a disk'
const DISK_BYTES = 4 * 1024 * 1024
const PAGE_BYTES = 4096

/** Nothing where this user may not mount one. */
export function smallDisk(kind: (typeof DISKS)[number]): SmallDisk | undefined {
  return kind === 'real' ? realDisk() : pretendedDisk()
}

function realDisk(): SmallDisk | undefined {
  const root = join(makeTempFolder(), 'disk')
  mkdirSync(root)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', root], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  onTestFinished(() => void execFileSync('umount', ['-l', root]))
  const folder = join(root, 'spill')
  mkdirSync(folder)
  const ballast = join(root, 'ballast')
  return {
    folder,
    open,
    fillBut(bytes) {
      rmSync(ballast, { force: true })
      const { bavail, bsize } = statfsSync(root)
      writeFileSync(ballast, new Uint8Array(bavail * bsize - bytes))
    },
    makeRoom: () => rmSync(ballast, { force: true }),
  }
}

/** Takes a part of what does not fit without an error, and refuses the rest, as a file system does. */
function pretendedDisk(): SmallDisk {
  const folder = join(makeTempFolder(), 'spill')
  mkdirSync(folder)
  let ballast = 0
  const pagesOf = (bytes: number) => Math.ceil(bytes / PAGE_BYTES)
  const used = () => readdirSync(folder).reduce((sum, name) => sum + pagesOf(statSync(join(folder, name)).size), 0)
  const free = () => DISK_BYTES / PAGE_BYTES - used() - ballast

  async function openSmall(...args: Parameters<typeof open>): Promise<FileHandle> {
    const handle = await open(...args)
    const write = handle.write.bind(handle) as (...args: unknown[]) => Promise<{ bytesWritten: number }>
    const writeWhatFits = async (bytes: Buffer, offset: number, length: number, position: number) => {
      const most = (pagesOf((await handle.stat()).size) + free()) * PAGE_BYTES - position
      if (most <= 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
      return write(bytes, offset, Math.min(length, most), position)
    }
    return Object.assign(handle, { write: writeWhatFits })
  }

  return {
    folder,
    open: openSmall,
    fillBut: bytes => (ballast = DISK_BYTES / PAGE_BYTES - used() - Math.floor(bytes / PAGE_BYTES)),
    makeRoom: () => (ballast = 0),
  }
}
