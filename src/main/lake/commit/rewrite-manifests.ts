// Takes files out of a table: the manifests that name them are written anew, the others stay as they are.
import { Failure } from '../../../contract/failure.ts'
import type { LoadedTable } from '../catalog/catalog.ts'
import type { DataFile, ManifestEntry, ManifestFile } from '../iceberg/data-file.ts'
import type { LakeTable } from '../table.ts'
import { writeManifests } from './stage-manifests.ts'

/** Manifests below this size are worth merging; many commits of a stream leave one each. */
const SMALL_BYTES = 1_000_000

export interface Rewritten {
  /** The new list, in which nothing of the removed files is live. */
  manifests: ManifestFile[]
  written: string[]
}

export async function rewriteManifests(
  table: LakeTable,
  base: LoadedTable,
  head: readonly ManifestFile[],
  options: { removed: readonly DataFile[]; merge: boolean; snapshotId: string; sequenceNumber: number },
): Promise<Rewritten> {
  const { removed, merge, snapshotId, sequenceNumber } = options
  const gone = new Set(removed.map(({ path }) => path))
  const kept: ManifestFile[] = []
  const entries: ManifestEntry[] = []
  for (const manifest of head) {
    const live = manifest.content === 'data' && (gone.size > 0 || merge) ? await table.entries(manifest, base) : []
    const names = live.some(({ status, file }) => status !== 'deleted' && gone.has(file.path))
    if (manifest.content !== 'data' || !(names || (merge && manifest.length < SMALL_BYTES))) {
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
