// Lets go of snapshots and then of the files that only they held. The commit comes first: a crash after it leaves
// orphans, never a snapshot whose files are gone.
import { canonicalLocation } from '../io/location.ts'
import { commitUntilLanded } from '../commit/commit-until-landed.ts'
import type { LoadedTable } from '../catalog/catalog.ts'
import { headOf, MAIN, type Snapshot, type Update } from '../iceberg/metadata.ts'
import type { LakeTable } from '../table.ts'
import { filesIn, manifestsOf } from './reachable-files.ts'
import { expiredRefs, selectExpired, type Retention } from './select-expired.ts'

export type { Retention }

export interface ExpireOptions {
  retention: Retention
  /** Only says what would go. */
  dryRun?: boolean
  signal?: AbortSignal
}

export interface Expired {
  snapshots_removed: number
  snapshots_kept: number
  files_removed: number
  bytes_removed: number
}

export async function expireSnapshots(table: LakeTable, options: ExpireOptions): Promise<Expired> {
  const { retention, dryRun = false, signal } = options
  const nowMs = table.clock.nowMs()
  const select = ({ metadata }: LoadedTable) => selectExpired(metadata, { retention, nowMs, pinned: table.pinned() })
  const before = await table.load(signal)
  const expired = select(before)
  if (expired.length === 0) return { ...NOTHING, snapshots_kept: before.metadata.snapshots.length }
  const gone = new Set(expired.map(snapshot => snapshot['snapshot-id']))
  const after = dryRun ? without(before, gone) : await commitRemoval(table, gone, nowMs, signal)
  const files = await onlyIn(table, before, expired, after, signal)
  if (!dryRun) for (const { location } of files) await table.io.remove(location).catch(() => {}) // an orphan then
  return {
    snapshots_removed: expired.length,
    snapshots_kept: after.metadata.snapshots.length,
    files_removed: files.length,
    bytes_removed: files.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

const NOTHING: Expired = { snapshots_removed: 0, snapshots_kept: 0, files_removed: 0, bytes_removed: 0 }

/** What was chosen goes, unless a tag came to it meanwhile. */
async function commitRemoval(
  table: LakeTable,
  gone: ReadonlySet<string>,
  nowMs: number,
  signal?: AbortSignal,
): Promise<LoadedTable> {
  const stillGone = ({ metadata }: LoadedTable): string[] => {
    const named = new Set(expiredRefs(metadata, nowMs))
    const held = Object.entries(metadata.refs).flatMap(([name, ref]) => (named.has(name) ? [] : [ref['snapshot-id']]))
    const ids = metadata.snapshots.map(snapshot => snapshot['snapshot-id'])
    return ids.filter(id => gone.has(id) && !held.includes(id))
  }
  const { table: landed } = await table.inTurn(() =>
    commitUntilLanded(table, {
      signal,
      landed: now => stillGone(now).length === 0,
      prepare(base) {
        const { metadata } = base
        const updates: Update[] = [
          ...expiredRefs(metadata, nowMs).map(name => ({ action: 'remove-snapshot-ref' as const, 'ref-name': name })),
          { action: 'remove-snapshots', 'snapshot-ids': stillGone(base) },
        ]
        return Promise.resolve({
          requirements: [
            { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
            { type: 'assert-ref-snapshot-id', ref: MAIN, 'snapshot-id': headOf(metadata)?.['snapshot-id'] ?? null },
          ],
          updates,
          files: [],
        })
      },
    }),
  )
  return landed
}

function without(loaded: LoadedTable, gone: ReadonlySet<string>): LoadedTable {
  const snapshots = loaded.metadata.snapshots.filter(snapshot => !gone.has(snapshot['snapshot-id']))
  return { ...loaded, metadata: { ...loaded.metadata, snapshots } }
}

interface Found {
  location: string
  bytes: number
}

/** Manifest lists, manifests, data and delete files of the expired snapshots that no kept one holds. */
async function onlyIn(
  table: LakeTable,
  before: LoadedTable,
  expired: readonly Snapshot[],
  after: LoadedTable,
  signal?: AbortSignal,
): Promise<Found[]> {
  const [then, now] = await Promise.all([
    manifestsOf(table, expired, signal),
    manifestsOf(table, after.metadata.snapshots, signal),
  ])
  const lone = [...then].filter(([location]) => !now.has(location)).map(([, manifest]) => manifest)
  const candidates = await filesIn(table, before, lone, { live: false, signal })
  if (candidates.size > 0) {
    for (const location of (await filesIn(table, after, now.values(), { live: true, signal })).keys()) {
      candidates.delete(location)
    }
  }
  const keptLists = new Set(after.metadata.snapshots.map(snapshot => canonicalLocation(snapshot['manifest-list'])))
  const lists = expired
    .map(snapshot => snapshot['manifest-list'])
    .filter(list => !keptLists.has(canonicalLocation(list)))
  return [
    ...[...candidates.values()].map(({ path, fileBytes }) => ({ location: path, bytes: fileBytes })),
    ...lone.map(({ path, length }) => ({ location: path, bytes: length })),
    ...lists.map(location => ({ location, bytes: 0 })),
  ]
}
