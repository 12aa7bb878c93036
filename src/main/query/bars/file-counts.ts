// What an answer says of files: all that its snapshot has, those that were left out, and those that were read.
import type { FileCounts, TableAt } from '../../lake/reads.ts'
import { filterOf, type BlockTools, type FilteredRows } from '../blocks/read-block.ts'

/** Of a reading of these rows; of several symbols a file counts once. */
export type FilesOf = (at: TableAt, rows: FilteredRows, signal?: AbortSignal) => Promise<FileCounts>

const MOST_KNOWN = 1_000

export function createFilesOf({ reads, pool }: BlockTools): FilesOf {
  /** By snapshot, which never changes. */
  const totals = new Map<string, number>()

  async function totalOf(at: TableAt, rows: FilteredRows, caller?: AbortSignal): Promise<number> {
    const key = JSON.stringify([at.table, at.snapshotId])
    const known = totals.get(key)
    if (known !== undefined) return known
    // Only an open scan tells the files that it leaves out; this one leaves out all of them.
    const question = { filter: filterOf(rows), isWanted: () => false }
    const { total } = await pool.run(async ({ connection, signal }) => {
      const { files, release } = await reads.open(at, question, connection, signal)
      release()
      return files
    }, caller)
    if (totals.size >= MOST_KNOWN) totals.clear()
    totals.set(key, total)
    return total
  }

  return async (at, rows, signal) => {
    const [total, { length: read }] = await Promise.all([
      totalOf(at, rows, signal),
      reads.plan(at, { filter: filterOf(rows) }, signal),
    ])
    return { total, pruned: total - read, read }
  }
}
