// The file that --dlq names, where it is there before the load: it must be none that the load reads.
import { realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../contract/failure.ts'
import { holdsDeadLetters } from './dead-letters.ts'

export interface DlqFile {
  /** As it was named. */
  path: string
  realPath: string
  /** A file with several hard links is told by its number on the disk. */
  hasHardLinks: boolean
  device: bigint
  inode: bigint
  /** Else it is somebody's data. */
  isForDeadLetters: boolean
}

/** Nothing where no file is yet. One that cannot be looked at is told when bad rows are to be written to it. */
export async function findDlq(path: string): Promise<DlqFile | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined)
  if (!found) return undefined
  if (!found.isFile()) throw isNoFile(path, found.isDirectory())
  const realPath = await realpath(path)
  const isForDeadLetters = found.size === 0n || (await holdsDeadLetters(path))
  return { path, realPath, hasHardLinks: found.nlink > 1n, device: found.dev, inode: found.ino, isForDeadLetters }
}

export async function refuseToReadDlq(
  dlq: DlqFile,
  { files, reference }: { files: readonly string[]; reference: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  if (reference !== undefined && (await isDlq(dlq, reference))) throw isRead(dlq, `the --reference file ${reference}`)
  for (const file of files) {
    signal.throwIfAborted()
    if (await isDlq(dlq, file)) throw isRead(dlq, `${file}, which is a file to load`)
  }
}

export async function isDlq({ realPath, hasHardLinks, device, inode }: DlqFile, file: string): Promise<boolean> {
  if ((await realpath(file).catch(() => undefined)) === realPath) return true
  if (!hasHardLinks) return false
  const found = await stat(file, { bigint: true }).catch(() => undefined)
  return found?.dev === device && found.ino === inode
}

function isNoFile(path: string, isFolder: boolean): Failure {
  const what = isFolder ? `a folder; name a file in it, as --dlq ${join(path, 'dead.csv')}` : 'no file; name one'
  return new Failure('INVALID_INPUT', `--dlq ${path} is ${what}. Nothing was loaded.`)
}

function isRead({ path }: DlqFile, what: string): Failure {
  const message =
    `--dlq ${path} would write bad rows into ${what}. Nothing was loaded. ` +
    'Name another file with --dlq, or leave it out: the bad rows of each file then go to FILE.dead.csv beside it.'
  return new Failure('INVALID_INPUT', message)
}
