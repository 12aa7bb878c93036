// Which snapshot is meant: an id, a moment, a tag or branch, or the newest.
import { timestampText } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import { headOf, MAIN, snapshotOf, type Snapshot, type TableMetadata } from '../iceberg/metadata.ts'

export type SnapshotChoice =
  | { snapshotId: string }
  /** Microseconds since 1970; what was current then. */
  | { asOfMicros: number }
  /** A tag or a branch. */
  | { ref: string }

/** Undefined only for a table without any snapshot, when the newest is asked for. */
export function resolveSnapshot(metadata: TableMetadata, choice?: SnapshotChoice): Snapshot | undefined {
  if (!choice) return headOf(metadata)
  if ('snapshotId' in choice) return requireSnapshot(metadata, choice.snapshotId)
  if ('ref' in choice) return snapshotOfRef(metadata, choice.ref)
  return snapshotAsOf(metadata, choice.asOfMicros)
}

export function requireSnapshot(metadata: TableMetadata, id: string): Snapshot {
  const snapshot = snapshotOf(metadata, id)
  if (snapshot) return snapshot
  const oldest = oldestOf(metadata.snapshots)
  throw new Failure(
    'SNAPSHOT_NOT_FOUND',
    oldest
      ? `There is no snapshot ${id}; it may have expired. The oldest kept is ${named(oldest)}.`
      : `There is no snapshot ${id}: the table has none yet.`,
    { details: { snapshotId: id, oldest: oldest?.['snapshot-id'] } },
  )
}

function snapshotOfRef(metadata: TableMetadata, ref: string): Snapshot {
  const target = Object.hasOwn(metadata.refs, ref) ? metadata.refs[ref]['snapshot-id'] : undefined
  if (target !== undefined) return requireSnapshot(metadata, target)
  const refs = Object.keys(metadata.refs)
  throw new Failure(
    'SNAPSHOT_NOT_FOUND',
    `There is no tag or branch ${ref}; ${refs.length === 0 ? 'the table has none yet' : `there are ${refs.join(', ')}`}.`,
    { details: { ref, refs } },
  )
}

/** The last snapshot kept that was current at that moment or before it. */
function snapshotAsOf(metadata: TableMetadata, asOfMicros: number): Snapshot {
  const asOfMs = Math.floor(asOfMicros / 1000)
  const history = historyOf(metadata)
  const found = history.findLast(({ sinceMs }) => sinceMs <= asOfMs)
  if (found) return found.snapshot
  const moment = timestampText(asOfMicros)
  const first = history.at(0)?.snapshot
  // One with a parent was not the first: what was current then has expired.
  const isBeforeFirst = first?.['parent-snapshot-id'] === undefined
  throw new Failure(
    'SNAPSHOT_NOT_FOUND',
    first
      ? `There is no snapshot of ${moment} or before; the first one kept is ${named(first)}.`
      : `There is no snapshot of ${moment}: the table has none yet.`,
    { details: { asOf: moment, first: first?.['snapshot-id'], before_first: isBeforeFirst } },
  )
}

/**
 * What was current from when on, of what is still kept. The snapshot log says it, rollbacks included; parents do not.
 * But expiry cuts the log at its last gap: what is kept from before has only its own time.
 */
function historyOf(metadata: TableMetadata): { snapshot: Snapshot; sinceMs: number }[] {
  const log = metadata['snapshot-log'].flatMap(({ 'snapshot-id': id, 'timestamp-ms': sinceMs }) => {
    const snapshot = snapshotOf(metadata, id)
    return snapshot ? [{ snapshot, sinceMs }] : []
  })
  const startMs = metadata['snapshot-log'].at(0)?.['timestamp-ms'] ?? Infinity
  const elsewhere = onlyOnBranches(metadata)
  const before = metadata.snapshots
    .map(snapshot => ({ snapshot, sinceMs: snapshot['timestamp-ms'] }))
    .filter(({ snapshot, sinceMs }) => sinceMs < startMs && !elsewhere.has(snapshot['snapshot-id']))
    .sort((a, b) => a.sinceMs - b.sinceMs)
  return [...before, ...log]
}

/** What other branches hold and main does not. */
function onlyOnBranches(metadata: TableMetadata): Set<string> {
  const branches = Object.entries(metadata.refs).filter(([name, { type }]) => type === 'branch' && name !== MAIN)
  if (branches.length === 0) return new Set()
  const onMain = lineage(metadata, headOf(metadata)?.['snapshot-id'])
  return new Set(
    branches.flatMap(([, ref]) => [...lineage(metadata, ref['snapshot-id'])].filter(id => !onMain.has(id))),
  )
}

function lineage(metadata: TableMetadata, from: string | undefined): Set<string> {
  const byId = new Map(metadata.snapshots.map(snapshot => [snapshot['snapshot-id'], snapshot]))
  const ids = new Set<string>()
  for (let id = from; id !== undefined && byId.has(id) && !ids.has(id); id = byId.get(id)!['parent-snapshot-id'])
    ids.add(id)
  return ids
}

/** By sequence number, which only grows, whatever clocks say. */
function oldestOf(snapshots: readonly Snapshot[]): Snapshot | undefined {
  let oldest: Snapshot | undefined
  for (const snapshot of snapshots)
    if (!oldest || snapshot['sequence-number'] < oldest['sequence-number']) oldest = snapshot
  return oldest
}

function named(snapshot: Snapshot): string {
  return `${snapshot['snapshot-id']} of ${textOf(snapshot['timestamp-ms'])}`
}

function textOf(ms: number): string {
  return timestampText(ms * 1000)
}
