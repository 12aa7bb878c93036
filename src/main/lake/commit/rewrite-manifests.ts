// Takes files out of a table: the manifests that name them are written anew, the others stay as they are.
import { Failure } from '../../../contract/failure.ts'
import type { LoadedTable } from '../catalog/catalog.ts'
import type { DataFile, ManifestEntry, ManifestFile } from '../iceberg/data-file.ts'
import type { LakeTable } from '../table.ts'
import { writeManifests } from './stage-manifests.ts'

/** All manifests below this size are merged when a table is put in order. */
export const SMALL_BYTES = 1_000_000
/**
 * Each commit of a stream leaves a manifest of a few kilobytes, and planning reads every one: after this many, a commit
 * joins those that are below FEW_BYTES, so that no entry is written anew often. Opening a snapshot with nothing cached
 * reads some thirty manifests then instead of hundreds.
 */
const MOST_FEW = 24
const FEW_BYTES = 64_000

/** Below which size manifests are to be merged now; 0 for none. */
export function mergeSize(manifests: readonly ManifestFile[]): number {
  const few = manifests.filter(({ content, length }) => content === 'data' && length < FEW_BYTES)
  return few.length >= MOST_FEW ? FEW_BYTES : 0
}

export interface Rewritten {
  /** The new list, in which nothing of the removed files is live. */
  manifests: ManifestFile[]
  written: string[]
}

export async function rewriteManifests(
  table: LakeTable,
  base: LoadedTable,
  head: readonly ManifestFile[],
  options: { removed: readonly DataFile[]; mergeBelow: number; snapshotId: string; sequenceNumber: number },
): Promise<Rewritten> {
  const { removed, mergeBelow, snapshotId, sequenceNumber } = options
  const gone = new Set(removed.map(({ path }) => path))
  const kept: ManifestFile[] = []
  const entries: ManifestEntry[] = []
  for (const manifest of head) {
    const merges = manifest.content === 'data' && manifest.length < mergeBelow
    const live = manifest.content === 'data' && (gone.size > 0 || merges) ? await table.entries(manifest, base) : []
    if (!merges && !live.some(({ status, file }) => status !== 'deleted' && gone.has(file.path))) {
      kept.push(manifest)
      continue
    }
    for (const entry of live) {
      if (entry.status === 'deleted') continue // said once, in the snapshot that removed it
      if (!gone.has(entry.file.path)) entries.push({ ...entry, status: 'existing' })
      else if (gone.delete(entry.file.path)) entries.push({ ...entry, status: 'deleted', snapshotId })
    }
  }
  if (gone.size > 0) throw alreadyGone(table, gone)
  const written = await writeManifests(table, base, entries, { snapshotId, sequenceNumber })
  return { manifests: [...written, ...kept], written: written.map(({ path }) => path) }
}

function alreadyGone({ name }: LakeTable, paths: ReadonlySet<string>): Failure {
  const [first] = paths
  return new Failure(
    'CONFLICT',
    `${paths.size} files of ${name.name} were replaced by someone else meanwhile, the first is ${first}. Nothing was committed; start again.`,
    { retryable: true },
  )
}
