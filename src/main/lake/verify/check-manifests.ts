// Whether manifests say what their lists say of them, and snapshots what their manifests add up to.
import type { ManifestEntry, ManifestFile } from '../iceberg/data-file.ts'
import type { Snapshot } from '../iceberg/metadata.ts'
import type { Problem } from './problem.ts'

export function checkManifest(manifest: ManifestFile, entries: readonly ManifestEntry[]): Problem[] {
  const counted = { added: [0, 0], existing: [0, 0], deleted: [0, 0] }
  for (const { status, file } of entries) {
    counted[status][0]++
    counted[status][1] += file.recordCount
  }
  const said = {
    added: [manifest.addedFiles, manifest.addedRows],
    existing: [manifest.existingFiles, manifest.existingRows],
    deleted: [manifest.deletedFiles, manifest.deletedRows],
  }
  return (['added', 'existing', 'deleted'] as const)
    .filter(status => counted[status].join() !== said[status].join())
    .map(status => ({
      file: manifest.path,
      snapshot_id: manifest.addedSnapshotId,
      problem: `Holds ${words(counted[status])} ${status}, its list says ${words(said[status])}.`,
    }))
}

function words([files, rows]: readonly number[]): string {
  return `${files} files of ${rows} rows`
}

/** Totals of a snapshot against the live files of its manifests, each of which must be there once. */
export function checkTotals(
  snapshot: Snapshot,
  manifests: readonly ManifestFile[],
  entries: ReadonlyMap<string, readonly ManifestEntry[]>,
): Problem[] {
  const live = new Set<string>()
  const problems: Problem[] = []
  const say = (problem: string, file: string | null = null) =>
    problems.push({ file, snapshot_id: snapshot['snapshot-id'], problem })
  let rows = 0
  for (const { path, content } of manifests) {
    const held = entries.get(path)
    if (!held) return problems // said already: the manifest cannot be read
    if (content !== 'data') continue
    for (const { status, file } of held) {
      if (status === 'deleted') continue
      if (live.has(file.path)) say('The snapshot holds this file twice.', file.path)
      live.add(file.path)
      rows += file.recordCount
    }
  }
  const { 'total-records': totalRows, 'total-data-files': totalFiles } = snapshot.summary
  if (totalRows !== undefined && Number(totalRows) !== rows)
    say(`Says ${totalRows} rows in all, its files hold ${rows}.`)
  if (totalFiles !== undefined && Number(totalFiles) !== live.size)
    say(`Says ${totalFiles} files, it holds ${live.size}.`)
  return problems
}
