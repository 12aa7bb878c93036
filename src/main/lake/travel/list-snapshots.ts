// A table's snapshots as people and scripts see them.
import { timestampText } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import type { SnapshotRow } from '../../../contract/lake.ts'
import { headOf, type Snapshot, type TableMetadata } from '../iceberg/metadata.ts'
import { COMMIT_ID_KEY, offsetsOf, VALID_THROUGH_KEY } from '../offsets.ts'

/** Newest first: by sequence number, which only grows, whatever clocks say. */
export function listSnapshots(metadata: TableMetadata, limit: number): SnapshotRow[] {
  const newestFirst = metadata.snapshots.toSorted((a, b) => b['sequence-number'] - a['sequence-number'])
  const refs = refsBySnapshot(metadata)
  return newestFirst.slice(0, limit).map(snapshot => snapshotRow(snapshot, refs.get(snapshot['snapshot-id'])))
}

export function currentSnapshot(metadata: TableMetadata, table: string): SnapshotRow {
  const head = headOf(metadata)
  if (head) return snapshotRow(head, refsBySnapshot(metadata).get(head['snapshot-id']))
  throw new Failure('SNAPSHOT_NOT_FOUND', `Table ${table} has no snapshot yet: nothing was written to it.`)
}

function refsBySnapshot({ refs }: TableMetadata): Map<string, string[]> {
  const names = new Map<string, string[]>()
  for (const [name, { 'snapshot-id': id }] of Object.entries(refs)) names.set(id, [...(names.get(id) ?? []), name])
  return names
}

function snapshotRow(snapshot: Snapshot, refs: string[] = []): SnapshotRow {
  const { summary } = snapshot
  return {
    snapshot_id: snapshot['snapshot-id'],
    committed_at: timestampText(snapshot['timestamp-ms'] * 1000),
    operation: summary.operation,
    total_rows: totalOf(summary['total-records']),
    added_rows: totalOf(summary['added-records']) ?? 0,
    deleted_rows: totalOf(summary['deleted-records']) ?? 0,
    refs,
    total_files: totalOf(summary['total-data-files']),
    added_files: totalOf(summary['added-data-files']) ?? 0,
    deleted_files: totalOf(summary['deleted-data-files']) ?? 0,
    valid_through: summary[VALID_THROUGH_KEY] ?? null,
    sequence_number: snapshot['sequence-number'],
    parent_id: snapshot['parent-snapshot-id'] ?? null,
    commit_id: summary[COMMIT_ID_KEY] ?? null,
    offsets: shownOffsets(snapshot),
  }
}

/** Nothing also where they cannot be read: that is refused to who writes, and no reason to show no snapshot at all. */
export function shownOffsets(snapshot: Snapshot): SnapshotRow['offsets'] {
  try {
    return offsetsOf(snapshot)?.map(topic => ({ ...topic, next: { ...topic.next } })) ?? null
  } catch (error) {
    if (error instanceof Failure && error.code === 'CORRUPT') return null
    throw error
  }
}

function totalOf(text: string | undefined): number | null {
  return text === undefined ? null : Number(text)
}
