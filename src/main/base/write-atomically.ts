// Replaces a file whole: a reader or a crash sees the old text or the new one, never a part.
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'

/** Readable by its owner only: what K2 keeps may hold keys. */
export function writeAtomically(path: string, text: string): void {
  const draft = `${path}.${process.pid}.draft`
  try {
    const file = openSync(draft, 'w', 0o600)
    try {
      writeSync(file, text)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
