// Which files were loaded into a table, by their content. A mark is a property of the table, set by the commit that
// loads the file, because snapshots expire and this must not.
import { timestampText } from '../../../contract/columns.ts'
import { snapshotOf, type Snapshot, type TableMetadata, type Update } from '../iceberg/metadata.ts'

export interface LoadedBefore {
  /** When, as ISO 8601. */
  at: string
  snapshotId: string
}

interface Mark {
  snapshot: string
  atMs: number
  rows: number
  file: string
}

/** Of the snapshot that loaded a file: its name and its content's hash. */
export const IMPORT_KEY = 'k2.import'
export const IMPORT_HASH_KEY = 'k2.import-hash'
const PREFIX = 'k2.import.'

/** Half of a SHA-256: still no two files by chance, and a table may know thousands. */
function keyOf(contentHash: string): string {
  return PREFIX + contentHash.slice(0, 32)
}

export function markOf(contentHash: string, mark: Mark): Record<string, string> {
  return { [keyOf(contentHash)]: JSON.stringify(mark) }
}

export function loadedBefore({ properties }: TableMetadata, contentHash: string): LoadedBefore | undefined {
  const text = properties[keyOf(contentHash)]
  if (text === undefined) return undefined
  const { snapshot, atMs } = JSON.parse(text) as Mark
  return { at: timestampText(atMs * 1000), snapshotId: snapshot }
}

/**
 * For a table that becomes what it was at `target` and reads again what came since: files loaded since are forgotten,
 * so that they can be loaded again, and those that `target` holds are known again after an earlier such step.
 */
export function rewindMarks(metadata: TableMetadata, target: Snapshot): Update[] {
  const removals = Object.entries(metadata.properties)
    .filter(([key, text]) => key.startsWith(PREFIX) && isSince(metadata, target, JSON.parse(text) as Mark))
    .map(([key]) => key)
  const updates = Object.assign({}, ...loadsBefore(metadata, target)) as Record<string, string>
  return [
    ...(removals.length > 0 ? [{ action: 'remove-properties' as const, removals }] : []),
    ...(Object.keys(updates).length > 0 ? [{ action: 'set-properties' as const, updates }] : []),
  ]
}

/** By the order of commits; by time where the snapshot has expired. */
function isSince(metadata: TableMetadata, target: Snapshot, { snapshot: id, atMs }: Mark): boolean {
  const snapshot = snapshotOf(metadata, id)
  if (snapshot) return snapshot['sequence-number'] > target['sequence-number']
  return atMs > target['timestamp-ms']
}

/** The loads that `target` descends from, as far as their snapshots are kept. */
function loadsBefore(metadata: TableMetadata, target: Snapshot): Record<string, string>[] {
  const byId = new Map(metadata.snapshots.map(snapshot => [snapshot['snapshot-id'], snapshot]))
  const marks: Record<string, string>[] = []
  for (let at: Snapshot | undefined = target; at; at = byId.get(at['parent-snapshot-id'] ?? '')) {
    byId.delete(at['snapshot-id'])
    const { 'snapshot-id': snapshot, 'timestamp-ms': atMs, summary } = at
    const hash = (summary as Readonly<Record<string, string | undefined>>)[IMPORT_HASH_KEY]
    if (hash === undefined || keyOf(hash) in metadata.properties) continue
    const [rows, file] = [Number(summary['added-records'] ?? 0), summary[IMPORT_KEY] ?? '']
    marks.push(markOf(hash, { snapshot, atMs, rows, file }))
  }
  return marks
}
