// A snapshot that is played for long is kept for as long, also while nothing of it is being read.
import type { TableAt } from '../lake/reads.ts'
import type { ReadTools } from './row-source.ts'

/** Neither the snapshot nor its files expire, in any process, until what is returned is called. */
export async function pinSnapshot({ reads, pool }: ReadTools, at: TableAt, signal?: AbortSignal): Promise<() => void> {
  if (at.snapshotId === undefined) return () => {}
  const nothing = { filter: [], isWanted: () => false }
  const held = await pool.run(lease => reads.open(at, nothing, lease.connection, lease.signal), signal)
  return held.release
}
