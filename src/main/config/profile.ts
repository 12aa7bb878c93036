// The folder K2 keeps its own things in: created, checked, and held by one running instance.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Failure } from '../../contract/failure.ts'
import { writeAtomically } from '../base/write-atomically.ts'
import { readLock, takeLock, type Instance } from './instance-lock.ts'

const LOCK = 'k2.lock'

export interface Profile {
  folder: string
  /** Tells commands where this instance serves. */
  writeInstance(instance: { url: string }): void
  close(): void
}

/** Throws INVALID_INPUT for a folder that cannot be used, CONFLICT while another instance holds it. */
export function openProfile(folder: string): Profile {
  const lock = join(folder, LOCK)
  const probe = join(folder, `k2.${process.pid}.probe`)
  try {
    makeFolder(folder)
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Failure(
      'INVALID_INPUT',
      `K2 cannot write to its profile ${folder} (${code}): make it writable, or choose another with --profile or K2_PROFILE.`,
      { cause: error },
    )
  }
  const own = takeLock(lock)
  let open = true
  return {
    folder,
    writeInstance({ url }) {
      if (open) writeAtomically(lock, JSON.stringify({ ...own, url }))
    },
    close() {
      if (open && readLock(lock)?.pid === own.pid) rmSync(lock, { force: true })
      open = false
    },
  }
}

/** Folder by folder: Node's own recursive mkdir never returns for a place like /proc/k2, which can have no folder. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** The instance that runs on a profile, with its address once it serves; undefined when none does. */
export function readInstance(folder: string): Instance | undefined {
  return readLock(join(folder, LOCK))
}
