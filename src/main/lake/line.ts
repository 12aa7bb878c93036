// What led to the newest snapshot of a table, commit by commit, for those who join its rows with those of the log.
import { Failure } from '../../contract/failure.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import { headOf, snapshotOf, type Snapshot, type TableMetadata } from './iceberg/metadata.ts'
import { IMPORT_KEY } from './load/import-marks.ts'
import { COMMIT_ID_KEY, offsetsAt, OFFSETS_KEY, OFFSETS_SET_KEY, sameOffsets } from './offsets.ts'
import { isReread } from './stream/reread.ts'

/**
 * `stream`: rows of the log, and how far it is with them. `rewrite`: the same rows in other files. `foreign`: rows of
 * another engine, which may be of the log too. `other`: what changes rows without being of the log: files loaded, a
 * rollback, offsets set, letters written, deletes.
 */
type CommitKind = 'stream' | 'rewrite' | 'foreign' | 'other'

export interface TableLine {
  head: Snapshot | undefined
  /** How far the log is in the head, also after a commit of another engine; nothing where nobody knows. */
  offsets: OffsetVector | undefined
  /** The offsets tell rows of the log from others: none that they do not speak of can be in the table. */
  isCertain: boolean
  /** Whether nothing but the stream's own rows, and rows written anew, came after a snapshot. */
  goesOnFrom: (snapshotId: string) => boolean
}

export function lineOf(metadata: TableMetadata): TableLine {
  const head = headOf(metadata)
  const offsets = offsetsKnownAt(metadata, head)
  return {
    head,
    offsets,
    isCertain: offsets !== undefined && !isReread(metadata, offsets) && isOurs(metadata, head),
    goesOnFrom: snapshotId => goesOnFrom(metadata, head, snapshotId),
  }
}

/** As far back as to the snapshot that says how far the log is, nobody else has committed rows. */
function isOurs(metadata: TableMetadata, head: Snapshot | undefined): boolean {
  let at = head
  while (at) {
    if (kindOfCommit(metadata, at) === 'foreign') return false
    if (OFFSETS_KEY in at.summary) return true
    const id = at['parent-snapshot-id']
    if (id === undefined) return true
    at = snapshotOf(metadata, id)
    // What has expired may have been anybody's.
    if (!at) return false
  }
  return true
}

/** One that is asked now and then is some commits back; further is not looked. */
const MOST_STEPS = 500

function goesOnFrom(metadata: TableMetadata, head: Snapshot | undefined, id: string): boolean {
  let at = head
  for (let step = 0; at && step < MOST_STEPS; step++) {
    if (at['snapshot-id'] === id) return true
    const kind = kindOfCommit(metadata, at)
    if (kind !== 'stream' && kind !== 'rewrite') return false
    at = snapshotOf(metadata, at['parent-snapshot-id'] ?? '')
  }
  return false
}

function kindOfCommit(metadata: TableMetadata, snapshot: Snapshot): CommitKind {
  const { operation, ...summary } = snapshot.summary
  if (operation === 'replace') return 'rewrite'
  if (!(COMMIT_ID_KEY in summary)) return operation === 'delete' ? 'other' : 'foreign'
  if (operation !== 'append' || IMPORT_KEY in summary || OFFSETS_SET_KEY in summary) return 'other'
  return hasMoved(metadata, snapshot) ? 'stream' : 'other'
}

/** What is not of the log has the offsets of the commit before. */
function hasMoved(metadata: TableMetadata, snapshot: Snapshot): boolean {
  if (!(OFFSETS_KEY in snapshot.summary)) return false
  const id = snapshot['parent-snapshot-id']
  const parent = id === undefined ? undefined : snapshotOf(metadata, id)
  // It has expired, or there was none: which of the two does not matter, as nobody goes further back.
  if (!parent) return true
  return !sameOffsets(offsetsAt(metadata, snapshot), offsetsKnownAt(metadata, parent) ?? [])
}

function offsetsKnownAt(metadata: TableMetadata, snapshot: Snapshot | undefined): OffsetVector | undefined {
  try {
    return offsetsAt(metadata, snapshot)
  } catch (error) {
    if (error instanceof Failure && error.code === 'CORRUPT') return undefined
    throw error
  }
}
