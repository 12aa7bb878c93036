// Writes files that a commit needs and nothing refers to yet: all of them, or none is left.
import type { LakeTable } from '../table.ts'

export interface NewFile {
  path: string
  bytes: Uint8Array
}

/** After a failure even those that failed are removed: a lost answer may have left them there. */
export async function writeNew(table: Pick<LakeTable, 'io'>, files: readonly NewFile[]): Promise<void> {
  const written = await Promise.allSettled(files.map(({ path, bytes }) => table.io.write(path, bytes)))
  const failed = written.find(result => result.status === 'rejected')
  if (!failed) return
  await removeFiles(
    table,
    files.map(({ path }) => path),
  )
  throw failed.reason
}

/** What cannot be removed now is an orphan, and taken by orphan removal later. */
export async function removeFiles(table: Pick<LakeTable, 'io'>, locations: readonly string[]): Promise<void> {
  await Promise.allSettled(locations.map(location => table.io.remove(location)))
}
