// What one commit does to a table: files that come and go, and how far the log is with them.
import type { DataFile } from '../iceberg/data-file.ts'
import type { Operation, TableMetadata } from '../iceberg/metadata.ts'
import type { OffsetVector } from '../../market/topic-offsets.ts'

/** Says anew how far the log is, whatever was said; `current` is nothing where that is not known. */
export interface SetOffsets {
  set: (current: OffsetVector | undefined) => OffsetVector
}

export interface Change {
  operation: Operation
  /** Staged files; the commit owns them from here on and removes them when it certainly fails, but with `keepsFiles`. */
  added?: readonly DataFile[]
  /** For one who tries the same files again after a failure. */
  keepsFiles?: boolean
  /** What the commit is known by, for one who tries it again; a new one when left out. */
  commitId?: string
  /** Files that go, as they were in the snapshot `readAt`. */
  removed?: readonly DataFile[]
  readAt?: string
  /** A stream's move: the head must still say `from` of the partitions in `to`, else the writer is FENCED. */
  offsets?: { from: OffsetVector; to: OffsetVector } | SetOffsets
  /** Every record up to this time is in the table. */
  validThroughMicros?: number
  /** More keys for the snapshot's summary. */
  summary?: Readonly<Record<string, string>>
  /** Table properties set in the same commit; they stay when its snapshot has expired. */
  properties?: (snapshotId: string) => Readonly<Record<string, string>>
  /** Looks at the table before each try; what it throws ends the commit. */
  refuse?: (metadata: TableMetadata) => void
  /** Writes small manifests anew as few: planning reads each of them. */
  mergeManifests?: boolean
}
