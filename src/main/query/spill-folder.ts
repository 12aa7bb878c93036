// Where the queries of this process go to disk: a folder of its own below one that other processes use too. What those
// that are gone could not remove is removed when the next one comes.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { isRunning, noteOwnProcess, type ProcessNote } from '../base/running.ts'

export interface SpillFolder {
  path: string
  remove: () => void
}

const OWNER = 'owner.json'

export function createSpillFolder(shared: string): SpillFolder {
  mkdirSync(shared, { recursive: true })
  for (const name of readdirSync(shared)) if (isLeft(join(shared, name))) remove(join(shared, name))
  const own = join(shared, randomUUID())
  mkdirSync(own)
  writeFileSync(join(own, OWNER), JSON.stringify(noteOwnProcess()))
  return { path: join(own, 'spill'), remove: () => remove(own) }
}

/** One without an owner's note is being made at this moment. */
function isLeft(folder: string): boolean {
  try {
    return !isRunning(JSON.parse(readFileSync(join(folder, OWNER), 'utf8')) as ProcessNote)
  } catch {
    return false
  }
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}
