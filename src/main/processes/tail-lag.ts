// How far the live view is behind the log, for its load level.
import type { TailTable } from '../../contract/tables.ts'
import type { TailEngine } from '../tail/handlers.ts'

const TABLES: readonly TailTable[] = ['trades', 'quotes']

/** Undefined until both tails know what there is to be read: no partition yet does not mean that nothing waits. */
export async function tailLag({
  stats,
  caughtUp,
}: Pick<TailEngine, 'stats' | 'caughtUp'>): Promise<number | undefined> {
  const now = await stats()
  // One that has found no topic of its kind has caught up with it.
  const looked = await Promise.all(
    TABLES.map(async table => now[table].partitions.length > 0 || (await caughtUp(table, 0))),
  )
  if (looked.includes(false)) return undefined
  return TABLES.flatMap(table => now[table].partitions).reduce((sum, { lag }) => sum + lag, 0)
}
