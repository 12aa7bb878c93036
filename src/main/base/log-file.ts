// The log's file: lines appended at once, so that a crash loses none, and a new file when it grows.
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export interface LogFile {
  write(line: string): void
  close(): void
}

export interface LogFileLimits {
  maxBytes: number
  /** How many files in all: name.log, the one before it name.1.log, … */
  files: number
}

const LIMITS: LogFileLimits = { maxBytes: 10e6, files: 3 }
const RETRY_MS = 60_000

/** Never throws: a full or lost disk must not stop what logs. It is told once, and tried again every minute. */
export function openLogFile(
  folder: string,
  name: string,
  onFailure: (why: string) => void,
  { maxBytes, files }: LogFileLimits = LIMITS,
): LogFile {
  const pathOf = (age: number) => join(folder, age === 0 ? `${name}.log` : `${name}.${age}.log`)
  let file: number | undefined
  let bytes = 0
  let closed = false
  let failedAt: number | undefined

  function open(): number {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    file = openSync(pathOf(0), 'a', 0o600)
    bytes = fstatSync(file).size
    return file
  }

  function rotate(): number {
    close()
    for (let age = files - 1; age > 0; age--) {
      try {
        renameSync(pathOf(age - 1), pathOf(age))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
    return open()
  }

  function close(): void {
    if (file !== undefined) closeSync(file)
    file = undefined
  }

  return {
    write(line) {
      if (closed || (failedAt !== undefined && performance.now() - failedAt < RETRY_MS)) return
      try {
        const length = Buffer.byteLength(line)
        let to = file ?? open()
        if (bytes > 0 && bytes + length > maxBytes) to = rotate()
        writeSync(to, line)
        bytes += length
        failedAt = undefined
      } catch (error) {
        if (failedAt === undefined) onFailure(`The log cannot be written to ${pathOf(0)}: ${(error as Error).message}`)
        failedAt = performance.now()
      }
    },
    close() {
      closed = true
      close()
    },
  }
}
