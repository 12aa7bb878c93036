// Lets go of snapshots and then of the files that only they held. The commit comes first: a crash after it leaves
// orphans, never a snapshot whose files are gone.
import { Failure } from '../../../contract/failure.ts'
import type { LoadedTable } from '../catalog/catalog.ts'
import { commitUntilLanded } from '../commit/commit-until-landed.ts'
import { removeFiles } from '../commit/write-new.ts'
import type { ManifestFile } from '../iceberg/data-file.ts'
import { headOf, MAIN, snapshotOf, type Snapshot, type Update } from '../iceberg/metadata.ts'
import { canonicalLocation } from '../io/location.ts'
import type { LakeTable } from '../table.ts'
import { storeTime } from '../store-time.ts'
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
  const before = await table.load(signal)
  let others = await table.pins.others()
  const pinned = () => new Set([...table.pins.own(), ...others])
  let nowMs = table.clock.nowMs()
  const select = ({ metadata }: LoadedTable) => selectExpired(metadata, { retention, nowMs, pinned: pinned() })
  const lookAgain = async () => void (others = await table.pins.others())
  // By a clock that is ahead what is young looks old. A store that may not be written to does not tell its own.
  if (select(before).length > 0)
    nowMs = Math.min(nowMs, (await storeTime(table.io, before.metadata.location).catch(() => undefined)) ?? Infinity)
  const expired = select(before)
  if (expired.length === 0) return { ...NOTHING, snapshots_kept: before.metadata.snapshots.length }
  const gone = new Set(expired.map(snapshot => snapshot['snapshot-id']))
  const then = await heldBy(table, before, expired, signal)
  const after = dryRun ? without(before, gone) : await commitRemoval(table, { gone, select, lookAgain, nowMs, signal })
  const found = async () => {
    if (!dryRun) await lookAgain()
    return onlyIn(table, then, { before, after, pinned: pinned(), signal })
  }
  const files = await found().catch((error: unknown) => {
    throw dryRun ? error : filesStay(table, expired.length, error)
  })
  if (!dryRun)
    await removeFiles(
      table,
      files.map(({ location }) => location),
    )
  return {
    snapshots_removed: expired.filter(one => !snapshotOf(after.metadata, one['snapshot-id'])).length,
    snapshots_kept: after.metadata.snapshots.length,
    files_removed: files.length,
    bytes_removed: files.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

const NOTHING: Expired = { snapshots_removed: 0, snapshots_kept: 0, files_removed: 0, bytes_removed: 0 }

interface Removal {
  gone: ReadonlySet<string>
  select: (loaded: LoadedTable) => Snapshot[]
  /** Who of other processes reads what, by now. */
  lookAgain: () => Promise<void>
  nowMs: number
  signal?: AbortSignal
}

/** What was chosen goes, unless a tag or a reader came to it meanwhile, or the head went back to it. */
async function commitRemoval(
  table: LakeTable,
  { gone, select, lookAgain, nowMs, signal }: Removal,
): Promise<LoadedTable> {
  const stillGone = (loaded: LoadedTable): string[] =>
    select(loaded)
      .map(snapshot => snapshot['snapshot-id'])
      .filter(id => gone.has(id))
  const { table: landed } = await table.inTurn(async () => {
    // Reading took its time: a tag may have come, and a reader.
    await table.load(signal)
    await lookAgain()
    return commitUntilLanded(table, {
      signal,
      landed: now => stillGone(now).length === 0,
      prepare(base) {
        const { metadata } = base
        const past = expiredRefs(metadata, nowMs)
        // A REST server lets a name go with its snapshot: none may have been moved to one of these. A new one cannot be
        // asked for; a SQL catalog refuses to remove its snapshot.
        const named = Object.entries(metadata.refs).filter(([name]) => name !== MAIN && !past.includes(name))
        const updates: Update[] = [
          ...past.map(name => ({ action: 'remove-snapshot-ref' as const, 'ref-name': name })),
          { action: 'remove-snapshots', 'snapshot-ids': stillGone(base) },
        ]
        return Promise.resolve({
          requirements: [
            { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
            { type: 'assert-ref-snapshot-id', ref: MAIN, 'snapshot-id': headOf(metadata)?.['snapshot-id'] ?? null },
            ...named.map(([ref, { 'snapshot-id': id }]) => ({
              type: 'assert-ref-snapshot-id' as const,
              ref,
              'snapshot-id': id,
            })),
          ],
          updates,
          files: [],
        })
      },
    })
  })
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

interface Removed {
  before: LoadedTable
  after: LoadedTable
  pinned: ReadonlySet<string>
  signal?: AbortSignal
}

/** Manifest lists, manifests, data and delete files of the expired snapshots that nobody else holds. */
async function onlyIn(table: LakeTable, then: Held, { before, after, pinned, signal }: Removed): Promise<Found[]> {
  // A reader that came during the commit keeps its files; they are orphans once it is gone.
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
