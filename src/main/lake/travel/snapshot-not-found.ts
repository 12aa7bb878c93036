// What is said when a snapshot that was asked for is not there.
import { timestampText } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import type { TableMetadata } from '../iceberg/metadata.ts'

export function snapshotNotFound(table: string, { snapshots }: TableMetadata, id?: string): Failure {
  if (snapshots.length === 0)
    return new Failure('SNAPSHOT_NOT_FOUND', `Table ${table} has no snapshot yet: nothing was written to it.`)
  const oldest = snapshots.reduce((a, b) => (b['sequence-number'] < a['sequence-number'] ? b : a))
  const since = timestampText(oldest['timestamp-ms'] * 1000)
  return new Failure(
    'SNAPSHOT_NOT_FOUND',
    `Table ${table} has no snapshot ${id}: it may have expired. The oldest one kept is ${oldest['snapshot-id']} of ${since}.`,
  )
}
