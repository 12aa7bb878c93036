// A file that one running process holds: who it is stands in it, so that a lock left by one that is gone can be taken over.
import { constants, copyFileSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Failure } from '../../contract/failure.ts'
import { isRunning, noteOwnProcess, type ProcessNote } from './running.ts'

const ATTEMPTS = 5

/** Takes the lock, also over from a process that is gone; while its holder runs, what `refuse` makes of it is thrown. */
export function takeLockFile<N extends ProcessNote>(path: string, refuse: (holder: N) => Failure): ProcessNote {
  const own = noteOwnProcess()
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (createWhole(path, JSON.stringify(own))) return own
    const text = readText(path)
    const holder = text === undefined ? undefined : parseNote<N>(text)
    if (holder && isRunning(holder)) throw refuse(holder)
    if (text !== undefined) removeStale(path, text)
  }
  throw new Failure('CONFLICT', `Several programs want ${path} at once; try again.`)
}

/** Who holds the lock and runs; undefined when nobody does. */
export function readLockFile<N extends ProcessNote>(path: string): N | undefined {
  const text = readText(path)
  const holder = text === undefined ? undefined : parseNote<N>(text)
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

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function parseNote<N extends ProcessNote>(text: string): N | undefined {
  try {
    const note = JSON.parse(text) as N
    return Number.isInteger(note.pid) && typeof note.startedAt === 'string' ? note : undefined
  } catch {
    return undefined
  }
}
