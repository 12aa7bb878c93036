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

/** The live data files of manifests, gone through once however many snapshots share them. */
interface HeldFiles {
  /** How many, and of how many rows. */
  ofManifest: ReadonlyMap<string, { files: number; rows: number }>
  /** Of files that are held more than once: by which manifests. */
  repeated: ReadonlyMap<string, readonly string[]>
}

export function heldFiles(
  manifests: Iterable<ManifestFile>,
  entries: ReadonlyMap<string, readonly ManifestEntry[]>,
): HeldFiles {
  const ofManifest = new Map<string, { files: number; rows: number }>()
  const holders = new Map<string, string[]>()
  for (const { path, content } of manifests) {
    const held = entries.get(path)
    if (!held) continue // said already: the manifest cannot be read
    const live = content === 'data' ? held.filter(({ status }) => status !== 'deleted') : []
    ofManifest.set(path, { files: live.length, rows: live.reduce((sum, { file }) => sum + file.recordCount, 0) })
    for (const { file } of live) {
      const known = holders.get(file.path)
      if (known) known.push(path)
      else holders.set(file.path, [path])
    }
  }
  return { ofManifest, repeated: new Map([...holders].filter(([, paths]) => paths.length > 1)) }
}

/** Totals of a snapshot against the live files of its manifests, each of which must be there once. */
export function checkTotals(
  snapshot: Snapshot,
  manifests: readonly ManifestFile[],
  { ofManifest, repeated }: HeldFiles,
): Problem[] {
  const problems: Problem[] = []
  const say = (problem: string, file: string | null = null) =>
    problems.push({ file, snapshot_id: snapshot['snapshot-id'], problem })
  let files = 0
  let rows = 0
  for (const { path } of manifests) {
    const held = ofManifest.get(path)
    if (!held) return []
    files += held.files
    rows += held.rows
  }
  const paths = new Set(manifests.map(({ path }) => path))
  for (const [file, holders] of repeated) {
    const times = holders.filter(path => paths.has(path)).length
    if (times < 2) continue
    say('The snapshot holds this file twice.', file)
    files -= times - 1
  }
  const { 'total-records': totalRows, 'total-data-files': totalFiles } = snapshot.summary
  if (totalRows !== undefined && Number(totalRows) !== rows)
    say(`Says ${totalRows} rows in all, its files hold ${rows}.`)
  if (totalFiles !== undefined && Number(totalFiles) !== files) say(`Says ${totalFiles} files, it holds ${files}.`)
  return problems
}
