// The files a write has put in place so far, several of them under way at once, and how they go again when it fails:
// nothing refers to them before a commit, so whoever staged them is the only one who knows of them.
import { Failure } from '../../../contract/failure.ts'
import type { DataFile } from '../iceberg/data-file.ts'
import type { FileIO } from '../io/file-io.ts'

export interface StagedFiles {
  /** Begins to write a file once fewer than `inFlight` are being written, and throws what made an earlier one fail. */
  add: (write: () => Promise<DataFile>) => Promise<void>
  /** Waits for those under way. */
  settle: () => Promise<void>
  /** The same, whatever became of them: what they read from may go. */
  idle: () => Promise<void>
}

/** What `work` stages. When it fails, what it staged is removed and the Failure says so. */
export async function stageAll(
  io: FileIO,
  inFlight: number,
  work: (staged: StagedFiles) => Promise<void>,
): Promise<DataFile[]> {
  const files: DataFile[] = []
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  let added = 0
  const throwIfFailed = () => {
    if (failures.length > 0) throw failures[0]
  }
  const idle = async () => void (await Promise.all(underWay))
  const settle = async () => {
    await idle()
    throwIfFailed()
  }
  const add = async (write: () => Promise<DataFile>) => {
    while (underWay.size >= inFlight) await Promise.race(underWay)
    throwIfFailed()
    const place = added++
    const writing = write()
      .then(
        file => void (files[place] = file),
        (error: unknown) => void failures.push(error),
      )
      .finally(() => underWay.delete(writing))
    underWay.add(writing)
  }
  try {
    await work({ add, settle, idle })
    await settle()
    return files
  } catch (error) {
    await idle()
    throw withState(error, await removeFiles(io, files))
  }
}

/** Those that could not be removed. */
async function removeFiles(io: FileIO, files: readonly DataFile[]): Promise<string[]> {
  const left: string[] = []
  for (const { path } of files.filter(file => file !== undefined)) await io.remove(path).catch(() => left.push(path))
  return left
}

/** A Failure with the state that was left; anything else is a bug and stays as it is. */
function withState(error: unknown, left: readonly string[]): unknown {
  if (!(error instanceof Failure)) return error
  const { code, message, details, retryable } = error
  const state =
    left.length === 0
      ? 'Nothing was added to the table and no file was left behind.'
      : `Nothing was added to the table; these files are of no use and could not be removed: ${left.join(', ')}.`
  return new Failure(code, `${message} ${state}`, { details, retryable, cause: error })
}
