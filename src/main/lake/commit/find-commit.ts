// Whether a commit is in a table: by the id in its snapshot's summary, which is there whoever committed after it.
import type { Snapshot, TableMetadata } from '../iceberg/metadata.ts'
import { COMMIT_ID_KEY } from '../offsets.ts'

export function findCommit({ snapshots }: TableMetadata, commitId: string): Snapshot | undefined {
  return snapshots.findLast(({ summary }) => summary[COMMIT_ID_KEY] === commitId)
}
