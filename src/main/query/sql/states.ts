// Which state of each table a statement reads. A picked snapshot of one table means the moment of its commit: the other
// tables are as they were then.
import { Failure } from '../../../contract/failure.ts'
import { TABLES, type TableId } from '../../../contract/tables.ts'
import type { LakeReads, SnapshotChoice, TableAt } from '../../lake/reads.ts'
import { orNothing } from '../moments.ts'

/** Of every table named, those first that are read. */
export async function statesOf(
  reads: Pick<LakeReads, 'at'>,
  tables: readonly TableId[],
  choice: SnapshotChoice | undefined,
  signal?: AbortSignal,
): Promise<Map<TableId, TableAt>> {
  const states = new Map<TableId, TableAt>()
  if (!choice || 'asOfMicros' in choice) {
    for (const table of tables) states.set(table, await stateAt(reads, table, choice, signal))
    return states
  }
  const picked = await pick(reads, tables, choice, signal)
  const moment = { asOfMicros: picked.committedMicros! }
  for (const table of tables)
    states.set(table, table === picked.table ? picked : await orNothing(table, reads.at(table, moment, signal)))
  return states
}

/** A table that nobody has written to yet has no rows at any time. */
async function stateAt(
  reads: Pick<LakeReads, 'at'>,
  table: TableId,
  choice: SnapshotChoice | undefined,
  signal?: AbortSignal,
): Promise<TableAt> {
  const newest = await reads.at(table, undefined, signal)
  if (!choice || newest.snapshotId === undefined) return newest
  return reads.at(table, choice, signal)
}

/** The tables that are read are asked first, as a tag may be of several. */
async function pick(
  reads: Pick<LakeReads, 'at'>,
  tables: readonly TableId[],
  choice: SnapshotChoice,
  signal?: AbortSignal,
): Promise<TableAt> {
  const all = [...new Set([...tables, ...(Object.keys(TABLES) as TableId[])])]
  let first: unknown
  for (const table of all) {
    try {
      return await reads.at(table, choice, signal)
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'SNAPSHOT_NOT_FOUND') throw error
      first ??= error
    }
  }
  throw first
}
