// A table of a statement as a receipt pins it: at a snapshot, and with what the log had beyond it then. The statement's own
// conditions and the hash of its rows say the rest.
import type { PinnedTable } from '../../../contract/receipts.ts'
import { TAIL_TABLES, type TailTable } from '../../../contract/tables.ts'
import { stretchOf, type PinnedBeyond } from '../receipts/beyond-pin.ts'
import type { LiveRows } from './live-rows.ts'
import type { PlannedTable } from './plan-tables.ts'

export function pinOf({ at, live, untilMicros }: PlannedTable): PinnedTable {
  const pinned = { snapshot: at.snapshotId ?? null, ...(untilMicros !== undefined && { until_micros: untilMicros }) }
  return live?.fresh ? { ...pinned, ...stretchOf(live.boundary, live.fresh) } : pinned
}

/** What of it the table has not even now. */
export function liveOf({ head, boundary, fresh }: PinnedBeyond): LiveRows | undefined {
  if (!fresh) return undefined
  const columns = TAIL_TABLES[head.table as TailTable].columns.map(({ name }) => name)
  return { at: head, boundary, fresh, columns, mayRepeat: false, ms: 0, why: null }
}
