// Takes files out of a table: the manifests that name them are written anew, the others stay as they are.
import { Failure } from '../../../contract/failure.ts'
import type { LoadedTable } from '../catalog/catalog.ts'
import type { DataFile, ManifestEntry, ManifestFile } from '../iceberg/data-file.ts'
import type { Value } from '../iceberg/schema.ts'
import type { LakeTable } from '../table.ts'
import { writeManifests } from './stage-manifests.ts'

/**
 * A manifest of fewer files is worth joining with others: planning reads each one. Joined ones have about as many, so that
 * no entry is written anew often, and that few days are in one: planning leaves out whole manifests of other days.
 */
const FEW_FILES = 256
/**
 * Each commit of a stream leaves a manifest of a few files: after this many, a commit joins them. Opening a snapshot with
 * nothing cached reads some thirty manifests then instead of hundreds.
 */
const MOST_FEW = 24

function hasFewFiles({ content, addedFiles, existingFiles }: ManifestFile): boolean {
  return content === 'data' && addedFiles + existingFiles < FEW_FILES
}

export function areMany(manifests: readonly ManifestFile[]): boolean {
  return manifests.filter(hasFewFiles).length >= MOST_FEW
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
  options: { removed: readonly DataFile[]; joins: boolean; snapshotId: string; sequenceNumber: number },
): Promise<Rewritten> {
  const { removed, joins, snapshotId, sequenceNumber } = options
  const gone = new Set(removed.map(({ path }) => path))
  const kept: ManifestFile[] = []
  const entries: ManifestEntry[] = []
  for (const manifest of head) {
    const isJoined = joins && hasFewFiles(manifest)
    const live = manifest.content === 'data' && (gone.size > 0 || isJoined) ? await table.entries(manifest, base) : []
    if (!isJoined && !live.some(({ status, file }) => status !== 'deleted' && gone.has(file.path))) {
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
  const written = await writeManifests(table, base, byPartition(entries), {
    snapshotId,
    sequenceNumber,
    enoughEntries: FEW_FILES,
  })
  return { manifests: [...written, ...kept], written: written.map(({ path }) => path) }
}

function byPartition(entries: readonly ManifestEntry[]): ManifestEntry[] {
  const compare = (a: Value | null | undefined, b: Value | null | undefined) => {
    if (a == null || b == null) return Number(b == null) - Number(a == null)
    return a < b ? -1 : a > b ? 1 : 0
  }
  return entries.toSorted(({ file: a }, { file: b }) => {
    for (let i = 0; i < a.partition.length; i++) {
      const order = compare(a.partition[i], b.partition[i])
      if (order !== 0) return order
    }
    return 0
  })
}

function alreadyGone({ name }: LakeTable, paths: ReadonlySet<string>): Failure {
  const [first] = paths
  return new Failure(
    'CONFLICT',
    `${paths.size} files of ${name.name} were replaced by someone else meanwhile, the first is ${first}. Nothing was committed; start again.`,
    { retryable: true },
  )
}
