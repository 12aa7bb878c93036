// What every query is made with.
import type { Client } from '../../contract/capability.ts'
import { timestampText } from '../../contract/columns.ts'
import type { QueryMeta } from '../../contract/fields.ts'
import type { Clock } from '../base/clock.ts'
import type { FileCounts, LakeReads, TableAt } from '../lake/reads.ts'
import type { tailContract } from '../tail/relay-contract.ts'
import type { QueryPool } from './pool.ts'

export interface QueryTools {
  reads: LakeReads
  pool: QueryPool
  /** The process that holds the live view. */
  live: () => Promise<Client<typeof tailContract>>
  /** How long that may take to answer; a few seconds when left out. */
  liveMs?: number
  clock: Clock
}

export const NO_FILES: FileCounts = { total: 0, pruned: 0, read: 0 }

export function sumOfFiles(parts: readonly FileCounts[]): FileCounts {
  const sum = (name: keyof FileCounts) => parts.reduce((total, one) => total + one[name], 0)
  return { total: sum('total'), pruned: sum('pruned'), read: sum('read') }
}

export interface LakeShare {
  at: TableAt
  files: FileCounts
  rows: number
  startedMs: number
}

/** Of an answer that comes from the tables alone. */
export function lakeMeta({ clock }: Pick<QueryTools, 'clock'>, { at, files, rows, startedMs }: LakeShare): QueryMeta {
  const ms = Number((performance.now() - startedMs).toFixed(3))
  const { snapshotId, validThroughMicros } = at
  return {
    ms,
    engine: 'lake',
    snapshot_id: snapshotId ?? null,
    files,
    sources: { lake: { rows, ms } },
    watermark: validThroughMicros === undefined ? null : timestampText(validThroughMicros),
    freshness_ms:
      validThroughMicros === undefined ? null : Math.max(0, (clock.nowMicros() - validThroughMicros) / 1000),
    partial: false,
    why: null,
  }
}
