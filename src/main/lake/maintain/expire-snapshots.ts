// Lets go of snapshots and then of the files that only they held. The commit comes first: a crash after it leaves
// orphans, never a snapshot whose files are gone.
import { Failure } from '../../../contract/failure.ts'
import type { LoadedTable } from '../catalog/catalog.ts'
import { commitUntilLanded } from '../commit/commit-until-landed.ts'
import { removeFiles } from '../commit/write-new.ts'
import type { ManifestFile } from '../iceberg/data-file.ts'
import { headOf, MAIN, type Snapshot, type Update } from '../iceberg/metadata.ts'
import { canonicalLocation } from '../io/location.ts'
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
  const then = await heldBy(table, before, expired, signal)
  const after = dryRun ? without(before, gone) : await commitRemoval(table, gone, nowMs, signal)
  const files = await onlyIn(table, then, before, after, signal).catch((error: unknown) => {
    throw dryRun ? error : filesStay(table, expired.length, error)
  })
  if (!dryRun)
    await removeFiles(
      table,
      files.map(({ location }) => location),
    )
  return {
    snapshots_removed: expired.length,
    snapshots_kept: after.metadata.snapshots.length,
    files_removed: files.length,
    bytes_removed: files.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

const NOTHING: Expired = { snapshots_removed: 0, snapshots_kept: 0, files_removed: 0, bytes_removed: 0 }

/** What was chosen goes, unless a tag or a reader came to it meanwhile. */
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
    const pinned = table.pinned()
    return ids.filter(id => gone.has(id) && !held.includes(id) && !pinned.has(id))
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

interface Held {
  manifests: Map<string, ManifestFile>
  lists: string[]
}

/**
 * Read before the commit: when it cannot be now, nothing has changed. What is lost, or removed by another process that
 * lets go of the same snapshots, is not in the way.
 */
async function heldBy(
  table: LakeTable,
  loaded: LoadedTable,
  snapshots: readonly Snapshot[],
  signal?: AbortSignal,
): Promise<Held> {
  const manifests = await manifestsOf(table, snapshots, { skipLost: true, signal })
  // Decoded now and held by the cache, as far as that has room.
  await filesIn(table, loaded, manifests.values(), { live: false, skipLost: true, signal })
  return { manifests, lists: snapshots.map(snapshot => snapshot['manifest-list']) }
}

/** Manifest lists, manifests, data and delete files of the expired snapshots that nobody else holds. */
async function onlyIn(
  table: LakeTable,
  then: Held,
  before: LoadedTable,
  after: LoadedTable,
  signal?: AbortSignal,
): Promise<Found[]> {
  // A reader of this process that came during the commit keeps its files; they are orphans once it is gone.
  const pinned = table.pinned()
  const read = before.metadata.snapshots.filter(snapshot => pinned.has(snapshot['snapshot-id']))
  const kept = [...after.metadata.snapshots, ...read]
  const now = await manifestsOf(table, kept, { signal })
  const lone = [...then.manifests].filter(([location]) => !now.has(location)).map(([, manifest]) => manifest)
  const candidates = await filesIn(table, before, lone, { live: false, skipLost: true, signal })
  if (candidates.size > 0) {
    for (const location of (await filesIn(table, after, now.values(), { live: true, signal })).keys()) {
      candidates.delete(location)
    }
  }
  const keptLists = new Set(kept.map(snapshot => canonicalLocation(snapshot['manifest-list'])))
  const lists = then.lists.filter(list => !keptLists.has(canonicalLocation(list)))
  return [
    ...[...candidates.values()].map(({ path, fileBytes }) => ({ location: path, bytes: fileBytes })),
    ...lone.map(({ path, length }) => ({ location: path, bytes: length })),
    ...lists.map(location => ({ location, bytes: 0 })),
  ]
}

function filesStay({ name }: LakeTable, count: number, error: unknown): unknown {
  if (!(error instanceof Failure)) return error
  const { code, message, details, retryable } = error
  return new Failure(
    code,
    `${message} ${count} snapshots of ${name.name} are gone, but their files stay. Remove these with \`k2 lake orphans\` when they are old enough.`,
    { details, retryable, cause: error },
  )
}
