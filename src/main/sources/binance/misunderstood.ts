// Messages of the exchange that are not understood, kept with the reason and their text: JSON lines in one file, and the
// file before it once that is full.
import { appendFile, mkdir, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { NotUnderstood } from './read-event.ts'

export interface Misunderstood {
  /** In the background: a disk that fails must not hold up what is understood. */
  keep: (text: string, why: NotUnderstood) => void
  close: () => Promise<void>
}

const MOST_BYTES = 10 * 1024 * 1024
const LONGEST_TEXT = 64 * 1024
/** Waiting to be written; what a flood brings beyond is only counted. */
const MOST_WAITING = 1000

export function keepMisunderstood(file: string, onFailure: (error: Error) => void): Misunderstood {
  let waiting: string[] = []
  let writing: Promise<void> = Promise.resolve()
  let isWriting = false

  async function write(): Promise<void> {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    while (waiting.length > 0) {
      const lines = waiting
      waiting = []
      const size = await stat(file).then(
        found => found.size,
        () => 0,
      )
      if (size > MOST_BYTES) await rename(file, `${file}.1`)
      await appendFile(file, lines.join(''), { mode: 0o600 })
    }
  }

  return {
    keep(text, { reason, message }) {
      if (waiting.length >= MOST_WAITING) return
      const at = new Date().toISOString()
      waiting.push(JSON.stringify({ at, reason, error: message, text: text.slice(0, LONGEST_TEXT) }) + '\n')
      if (isWriting) return
      isWriting = true
      writing = write()
        .catch(onFailure)
        .finally(() => (isWriting = false))
    },
    close: () => writing,
  }
}
