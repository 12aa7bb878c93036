// What the files of manifests add up to, gone through once however many snapshots share them.
import type { ManifestEntry, ManifestFile } from '../iceberg/data-file.ts'

export interface Tally {
  dataFiles: number
  rows: number
  deleteFiles: number
  positionDeletes: number
  equalityDeletes: number
  /** Of data and deletes. */
  bytes: number
}

export interface HeldFiles {
  /** What is in it, and what came and went with the snapshot that wrote it. */
  ofManifest: ReadonlyMap<string, { live: Tally; added: Tally; removed: Tally }>
  /** Of data files that are held more than once: by which manifests. */
  repeated: ReadonlyMap<string, readonly string[]>
}

export function heldFiles(
  manifests: Iterable<ManifestFile>,
  entries: ReadonlyMap<string, readonly ManifestEntry[]>,
): HeldFiles {
  const ofManifest = new Map<string, { live: Tally; added: Tally; removed: Tally }>()
  const holders = new Map<string, string[]>()
  for (const { path, addedSnapshotId } of manifests) {
    const held = entries.get(path)
    if (!held) continue // said already: the manifest cannot be read
    const live = held.filter(({ status }) => status !== 'deleted')
    const own = held.filter(({ snapshotId }) => snapshotId === addedSnapshotId)
    ofManifest.set(path, {
      live: tallyOf(live),
      added: tallyOf(own.filter(({ status }) => status === 'added')),
      removed: tallyOf(own.filter(({ status }) => status === 'deleted')),
    })
    for (const { file } of live) {
      if (file.content !== 'data') continue
      const known = holders.get(file.path)
      if (known) known.push(path)
      else holders.set(file.path, [path])
    }
  }
  return { ofManifest, repeated: new Map([...holders].filter(([, paths]) => paths.length > 1)) }
}

export function noFiles(): Tally {
  return { dataFiles: 0, rows: 0, deleteFiles: 0, positionDeletes: 0, equalityDeletes: 0, bytes: 0 }
}

/** In place, as there are many. */
export function addTo(sum: Tally, more: Tally): void {
  sum.dataFiles += more.dataFiles
  sum.rows += more.rows
  sum.deleteFiles += more.deleteFiles
  sum.positionDeletes += more.positionDeletes
  sum.equalityDeletes += more.equalityDeletes
  sum.bytes += more.bytes
}

function tallyOf(entries: readonly ManifestEntry[]): Tally {
  const tally = noFiles()
  for (const { file } of entries) {
    tally.bytes += file.fileBytes
    if (file.content === 'data') {
      tally.dataFiles++
      tally.rows += file.recordCount
      continue
    }
    tally.deleteFiles++
    if (file.content === 'position-deletes') tally.positionDeletes += file.recordCount
    else tally.equalityDeletes += file.recordCount
  }
  return tally
}
