// A table as a receipt pins it: at a snapshot, and with what the log had beyond it then, which by now is mostly in the table
// too. The statement's own conditions and the hash of its rows say the rest.
import type { PinnedTable } from '../../../contract/receipts.ts'
import { TAIL_TABLES, type TableId, type TailTable } from '../../../contract/tables.ts'
import type { Filter, TableAt } from '../../lake/reads.ts'
import type { OffsetVector } from '../../market/topic-offsets.ts'
import { reachedOffsets } from '../hybrid/base.ts'
import { furtherOf, rangesBetween, refuseUnlessHeld, rowsIn } from '../receipts/log-ranges.ts'
import type { QueryTools } from '../tools.ts'
import { liveQuestionOf, type LiveRows } from './live-rows.ts'
import type { PlannedTable } from './plan-tables.ts'

export function pinOf({ at, live, untilMicros }: PlannedTable): PinnedTable {
  const pinned = { snapshot: at.snapshotId ?? null, ...(untilMicros !== undefined && { until_micros: untilMicros }) }
  if (!live?.fresh) return pinned
  const base = { at, offsets: live.boundary, isCertain: !live.mayRepeat }
  return { ...pinned, from: plain(live.boundary), to: plain(reachedOffsets(base, live.fresh)) }
}

const plain = (vector: OffsetVector) => vector.map(topic => ({ ...topic, next: { ...topic.next } }))

/** Rows of the log between the snapshot and where it was: those that the table has by now, and those it has not. */
export interface PinnedBeyond {
  head: TableAt
  /** Which of the head's rows. */
  where: string
  live?: LiveRows
}

export async function beyondPin(
  { reads, live }: Pick<QueryTools, 'reads' | 'live'>,
  table: TableId,
  { from = [], to = [] }: PinnedTable,
  filter: Filter,
  signal: AbortSignal,
): Promise<PinnedBeyond | undefined> {
  const wanted = rangesBetween(from, to)
  if (wanted.length === 0 || !Object.hasOwn(TAIL_TABLES, table)) return undefined
  const { knownOffsets = [], ...head } = await reads.head(table, signal)
  const where = rowsIn(wanted).join(' OR ')
  const boundary = furtherOf(to, from, knownOffsets)
  const missing = rangesBetween(boundary, to)
  if (missing.length === 0) return { head, where }

  const tail = table as TailTable
  const columns = TAIL_TABLES[tail].columns.map(({ name }) => name)
  const client = await live()
  const question = { data_type: tail, boundary, before: to, ...liveQuestionOf(filter), limit: MOST_ROWS }
  const fresh = await client['tail.fresh'](question, { signal })
  refuseUnlessHeld(fresh, missing)
  return { head, where, live: { at: head, boundary, fresh, columns, mayRepeat: false, ms: 0, why: null } }
}

const MOST_ROWS = 1_000_000
