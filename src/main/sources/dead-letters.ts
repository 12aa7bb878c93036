// The rows of a file that could not be read, in a file of their own: line, reason and text, as CSV or JSON lines.
import { randomUUID } from 'node:crypto'
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Failure } from '../../contract/failure.ts'
import type { BadRow } from './file-source.ts'
import { DEAD_LETTER_ENDING } from './list-files.ts'

export interface DeadLetters {
  /** Where they are once kept. */
  path: string
  write: (rows: readonly BadRow[]) => Promise<void>
  /**
   * On the disk for good; before the rows of the file are committed, so that none is nowhere. Without bad rows those of
   * an earlier try, beside the file, are gone.
   */
  keep: () => Promise<void>
  discard: () => Promise<void>
}

const CSV_HEADER = 'file,line,reason,text\r\n'
const COPY_BYTES = 1024 * 1024

/**
 * Without `collected` each file has one beside it, replaced whole. With it those of all files are appended to that one,
 * a file's at once, so that an earlier load's are kept too.
 */
export function openDeadLetters(file: string, collected: string | undefined): DeadLetters {
  const path = collected ?? `${file}${DEAD_LETTER_ENDING}`
  // Of its own, as two loads may collect in the same file.
  const draft = `${path}.${randomUUID()}.draft`
  const isJson = /\.(jsonl|ndjson|json)$/i.test(path)
  let handle: FileHandle | undefined
  const source = resolve(file)

  const guard = async <T>(act: () => Promise<T>): Promise<T> => {
    try {
      return await act()
    } catch (cause) {
      if (cause instanceof Failure) throw cause
      throw new Failure(
        'UNAVAILABLE',
        `${source} has rows for the dead letters, but ${path} cannot be written: ${(cause as Error).message}. ` +
          'Nothing of the file was loaded; name another place with --dlq.',
        { cause },
      )
    }
  }

  return {
    path,
    write: rows =>
      guard(async () => {
        if (rows.length === 0) return
        if (!handle) {
          handle = await open(draft, 'w', 0o600)
          if (!isJson && (collected === undefined || !(await hasContent(path)))) await handle.appendFile(CSV_HEADER)
        }
        await handle.appendFile(rows.map(row => (isJson ? jsonLine : csvLine)(source, row)).join(''))
      }),
    keep: () =>
      guard(async () => {
        if (!handle) return collected === undefined ? removeEarlier(path) : undefined
        await handle.sync()
        await handle.close()
        if (collected === undefined || !(await hasContent(path))) return rename(draft, path)
        await append(draft, path)
        await rm(draft)
      }),
    async discard() {
      if (!handle) return
      await handle.close().catch(() => {})
      await rm(draft, { force: true })
    },
  }
}

/** As CSV; those that are JSON lines are never taken for files to load. */
export async function holdsDeadLetters(path: string): Promise<boolean> {
  return withFile(path, 'r', async file => {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(CSV_HEADER.length), 0, CSV_HEADER.length, 0)
    return buffer.toString('latin1', 0, bytesRead) === CSV_HEADER
  }).catch(() => false)
}

/** Nothing but dead letters; and that they cannot be removed is no reason to refuse rows that are all good. */
async function removeEarlier(path: string): Promise<void> {
  if (await holdsDeadLetters(path)) await rm(path).catch(() => {})
}

async function hasContent(path: string): Promise<boolean> {
  return stat(path).then(
    ({ size }) => size > 0,
    () => false,
  )
}

/** Taken back when it cannot be written whole. */
async function append(from: string, to: string): Promise<void> {
  await withFile(to, 'a', async target => {
    const { size } = await target.stat()
    try {
      await withFile(from, 'r', source => copy(source, target))
      await target.sync()
    } catch (error) {
      await target.truncate(size)
      throw error
    }
  })
}

async function copy(source: FileHandle, target: FileHandle): Promise<void> {
  const buffer = Buffer.allocUnsafe(COPY_BYTES)
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, COPY_BYTES, null)
    if (bytesRead === 0) return
    await target.appendFile(buffer.subarray(0, bytesRead))
  }
}

async function withFile<T>(path: string, flags: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags)
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}

function csvLine(file: string, { line, reason, text }: BadRow): string {
  return [file, String(line), reason, text].map(quoted).join(',') + '\r\n'
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

function jsonLine(file: string, { line, reason, text }: BadRow): string {
  return JSON.stringify({ file, line, reason, text }) + '\n'
}
