// Whether manifests hold what their lists say of them.
import type { ManifestEntry, ManifestFile } from '../iceberg/data-file.ts'
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
