// Which files some snapshots hold, as they stand in their manifest lists and manifests.
import { Failure } from '../../../contract/failure.ts'
import { canonicalLocation } from '../io/location.ts'
import type { LoadedTable } from '../catalog/catalog.ts'
import type { DataFile, ManifestFile } from '../iceberg/data-file.ts'
import type { Snapshot } from '../iceberg/metadata.ts'
import type { LakeTable } from '../table.ts'

/** Manifest lists of this many snapshots are read at once. */
const AT_ONCE = 16

export interface Reading {
  /** What is gone or damaged holds nothing: for what is to be removed, never for what is kept. */
  skipLost?: boolean
  signal?: AbortSignal
}

/** The manifests of all these snapshots, each once; many snapshots share most of theirs. */
export async function manifestsOf(
  table: LakeTable,
  snapshots: readonly Snapshot[],
  { skipLost = false, signal }: Reading = {},
): Promise<Map<string, ManifestFile>> {
  const manifests = new Map<string, ManifestFile>()
  for (let i = 0; i < snapshots.length; i += AT_ONCE) {
    const lists = await Promise.all(
      snapshots.slice(i, i + AT_ONCE).map(one => readIf(skipLost, () => table.manifests(one, signal))),
    )
    for (const manifest of lists.flat()) manifests.set(canonicalLocation(manifest.path), manifest)
  }
  return manifests
}

/** Data and delete files that these manifests hold, by location. */
export async function filesIn(
  table: LakeTable,
  loaded: LoadedTable,
  manifests: Iterable<ManifestFile>,
  { live, skipLost = false, signal }: Reading & { live: boolean },
): Promise<Map<string, DataFile>> {
  const files = new Map<string, DataFile>()
  for (const manifest of manifests) {
    for (const { status, file } of await readIf(skipLost, () => table.entries(manifest, loaded, signal))) {
      if (!live || status !== 'deleted') files.set(canonicalLocation(file.path), file)
    }
  }
  return files
}

async function readIf<T>(skipLost: boolean, read: () => Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await read()
  } catch (error) {
    if (skipLost && error instanceof Failure && (error.code === 'NOT_FOUND' || error.code === 'CORRUPT')) return []
    throw error
  }
}
