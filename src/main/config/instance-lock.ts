// One K2 per profile: a file with the process that holds it and the address it serves at.
import { constants, copyFileSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Failure } from '../../contract/failure.ts'
import { isRunning, noteOwnProcess, type ProcessNote } from './running.ts'

export interface Instance extends ProcessNote {
  /** Absent until it serves. */
  url?: string
}

const ATTEMPTS = 5

/** Takes the lock, also over from a process that is gone; CONFLICT while its holder runs. */
export function takeLock(path: string): Instance {
  const own = noteOwnProcess()
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (createWhole(path, JSON.stringify(own))) return own
    const text = readText(path)
    const holder = text === undefined ? undefined : parseInstance(text)
    if (holder && isRunning(holder)) throw conflict(path, holder)
    if (text !== undefined) removeStale(path, text)
  }
  throw new Failure('CONFLICT', `Several programs want ${path} at once; try again.`)
}

/** Who holds the lock and runs; undefined when nobody does. */
export function readLock(path: string): Instance | undefined {
  const text = readText(path)
  const holder = text === undefined ? undefined : parseInstance(text)
  return holder && isRunning(holder) ? holder : undefined
}

/** Appears with its whole content or not at all, and never over another's: false when there is one. */
function createWhole(path: string, text: string): boolean {
  const draft = `${path}.${process.pid}.draft`
  try {
    writeFileSync(draft, text, { mode: 0o600 })
    try {
      linkSync(draft, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      // A file system without hard links.
      copyFileSync(draft, path, constants.COPYFILE_EXCL)
    }
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Of several that judge the same lock stale one moves it away; who moved a fresh one by mistake puts it back. */
function removeStale(path: string, judged: string): void {
  const aside = `${path}.${process.pid}.stale`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  const moved = readText(aside)
  if (moved !== undefined && moved !== judged) createWhole(path, moved)
  rmSync(aside, { force: true })
}

function conflict(path: string, { pid, url }: Instance): Failure {
  const where = url ? `process ${pid}, at ${url}` : `process ${pid}`
  const wayOut = url ? `use it with --connect ${url}` : 'wait until it serves'
  return new Failure(
    'CONFLICT',
    `K2 already runs on this profile (${where}): ${wayOut}, stop it, or choose another with --profile. Lock: ${path}`,
    { details: { pid, url } },
  )
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function parseInstance(text: string): Instance | undefined {
  try {
    const instance = JSON.parse(text) as Instance
    return Number.isInteger(instance.pid) && typeof instance.startedAt === 'string' ? instance : undefined
  } catch {
    return undefined
  }
}
