// Files below a table that no snapshot and no metadata knows: what a crash between staging and commit leaves.
// Young ones are not looked at, as they may belong to a commit that is under way in some process.
import type { LoadedTable } from '../catalog/catalog.ts'
import type { TableMetadata } from '../iceberg/metadata.ts'
import type { ListedFile } from '../io/file-io.ts'
import { canonicalLocation } from '../io/location.ts'
import { storeTime } from '../store-time.ts'
import type { LakeTable } from '../table.ts'
import { filesIn, manifestsOf } from './reachable-files.ts'

/** Nothing younger than this is ever an orphan, whatever is asked for. */
const LEAST_AGE_MS = 3_600_000

export interface OrphanOptions {
  olderThanMs: number
  /** What time it is; else the earlier of what our clock and the store's own say: files bear the store's times. */
  nowMs?: number
  signal?: AbortSignal
}

export async function findOrphans(table: LakeTable, options: OrphanOptions): Promise<ListedFile[]> {
  const { olderThanMs, signal } = options
  // Listed before the metadata is read: what is committed in between is then known to it.
  const { metadata } = await table.load(signal)
  const nowMs =
    options.nowMs ?? Math.min(table.clock.nowMs(), (await storeTime(table.io, metadata.location)) ?? Infinity)
  const found = new Map<string, ListedFile>()
  for (const folder of ownFolders(metadata)) {
    for await (const file of table.io.list(folder)) {
      signal?.throwIfAborted()
      found.set(canonicalLocation(file.location), file)
    }
  }
  const before = nowMs - Math.max(LEAST_AGE_MS, olderThanMs)
  const old = [...found.values()].filter(({ modifiedMs }) => modifiedMs < before)
  if (old.length === 0) return []
  const known = await knownFiles(table, await table.load(signal), signal)
  // A folder may have two names (a link, a share, an alias of a bucket), and another engine may have used the other one.
  const names = new Set([...known].map(nameOf))
  return old.filter(({ location }) => !names.has(nameOf(location)))
}

/**
 * Where this table writes and no other one. What its properties name counts only below its own place: any folder elsewhere
 * may be shared with tables that nobody here knows of, so what a crash leaves there stays.
 */
function ownFolders({ location, properties }: TableMetadata): string[] {
  const named = [properties['write.data.path'] ?? '', properties['write.metadata.path'] ?? '']
  return [`${location}/data`, `${location}/metadata`, ...named.filter(folder => isBelow(location, folder))]
}

/** Never the place itself, nor what K2 keeps there in folders that begin with a dot; `..` would lead out again. */
function isBelow(location: string, folder: string): boolean {
  const place = `${location.replace(/\/+$/, '')}/`
  const names = folder.replace(/\/+$/, '').slice(place.length).split('/')
  return folder.startsWith(place) && names.every(name => name !== '' && !name.startsWith('.'))
}

/** Writers give no two files of a table the same one. */
function nameOf(location: string): string {
  return location.slice(location.lastIndexOf('/') + 1)
}

/** Everything that the metadata leads to, live or not. */
async function knownFiles(table: LakeTable, loaded: LoadedTable, signal?: AbortSignal): Promise<Set<string>> {
  const { metadata, metadataLocation } = loaded
  const manifests = await manifestsOf(table, metadata.snapshots, { signal })
  const files = await filesIn(table, loaded, manifests.values(), { live: false, signal })
  return new Set([
    ...files.keys(),
    ...manifests.keys(),
    ...metadata.snapshots.map(snapshot => canonicalLocation(snapshot['manifest-list'])),
    ...metadata['metadata-log'].map(entry => canonicalLocation(entry['metadata-file'])),
    ...statisticsOf(metadata).map(canonicalLocation),
    canonicalLocation(metadataLocation),
  ])
}

/** What other engines keep beside the snapshots. */
function statisticsOf(metadata: object): string[] {
  const { statistics = [], 'partition-statistics': partitions = [] } = metadata as Record<
    string,
    { 'statistics-path': string }[] | undefined
  >
  return [...statistics, ...partitions].map(entry => entry['statistics-path'])
}
