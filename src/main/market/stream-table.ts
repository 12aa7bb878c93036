// A table as the writer of a stream sees it, as a seam: the lake implements it, the writer knows nothing else of the lake.
import type { ColumnBatch } from '../../contract/columns.ts'
import type { TableId } from '../../contract/tables.ts'
import type { DayOf } from './exchanges.ts'
import type { OffsetVector } from './topic-offsets.ts'

/** Files in place and not yet in any table. */
export interface StagedRows {
  rows: number
  /** Takes them away again; for what was never handed to a commit. */
  discard: () => Promise<void>
}

export interface StreamCommit {
  /** Empty for a commit that only moves the offsets on. */
  staged: readonly StagedRows[]
  /** The table must still say `from` of the partitions in `to`, else FENCED; with the commit it says `to`. */
  offsets: { from: OffsetVector; to: OffsetVector }
  /** Every record up to here is in the table with this commit. */
  validThroughMicros?: number
  /** More for the snapshot's summary. */
  summary?: Readonly<Record<string, string>>
}

/** Of an instrument in one partition, where its sequence is: what the gap check goes on from. */
export interface LastSequence {
  partition: number
  symbol: string
  exchange: string
  sequence: bigint
  exchangeMicros: number
}

export interface StreamTable {
  readonly id: TableId
  /** Creates the table when it is missing, and tells how far the log is in it. */
  offsets: () => Promise<OffsetVector>
  /** Rows on their way into files; may be done several times for one commit, also at the same time. */
  stage: (batches: readonly ColumnBatch[], signal?: AbortSignal) => Promise<StagedRows>
  /** One compare-and-swap. A commit of unknown outcome was looked up by its id before this throws. */
  commit: (commit: StreamCommit) => Promise<{ snapshotId: string }>
  /**
   * Of every instrument in each partition of this topic that it came from in the days before the last one, the highest
   * number of its newest day there.
   */
  lastSequences: (topic: string, dayOf: DayOf) => Promise<LastSequence[]>
}
