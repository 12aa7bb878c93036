// The files of one manifest, and what is known of their columns, as typed arrays that are made when first asked for.
import type { DataFile, ManifestEntry } from '../iceberg/data-file.ts'
import type { Kind } from './coordinates.ts'
import { columnExtent, partitionExtent, type Extent } from './extent.ts'

/** A file to read, with what other engines deleted from it. */
export interface ScanFile {
  file: DataFile
  sequenceNumber: number
  /** Position deletes that apply to it. */
  deletes: readonly DataFile[]
}

export interface FileIndex {
  entries: readonly ManifestEntry[]
  /** Those that are in the table, without entries of deleted files; the same objects for every scan. */
  scanFiles: readonly ScanFile[]
  files: readonly DataFile[]
  /** By field id or partition position, and by kind, since columns of other schemas can have other types. */
  extents: Map<string, Extent>
}

const NONE: readonly DataFile[] = []

export function indexFiles(entries: readonly ManifestEntry[]): FileIndex {
  const live = entries.filter(entry => entry.status !== 'deleted')
  return {
    entries,
    scanFiles: live.map(({ file, sequenceNumber }) => ({ file, sequenceNumber: sequenceNumber ?? 0, deletes: NONE })),
    files: live.map(entry => entry.file),
    extents: new Map(),
  }
}

export function columnExtentOf({ files, extents }: FileIndex, fieldId: number, kind: Kind | undefined): Extent {
  return kept(extents, `column ${fieldId} ${kind}`, () => columnExtent(files, fieldId, kind))
}

export function partitionExtentOf({ files, extents }: FileIndex, position: number, kind: Kind): Extent {
  return kept(extents, `partition ${position} ${kind}`, () => partitionExtent(files, position, kind))
}

function kept(extents: Map<string, Extent>, key: string, make: () => Extent): Extent {
  let extent = extents.get(key)
  if (!extent) extents.set(key, (extent = make()))
  return extent
}

/** A guess at the memory an index takes, extents that will be asked for included. */
export function bytesOfIndex({ files }: FileIndex): number {
  let bytes = 0
  for (const { path, columnBytes, valueCounts, nullCounts, lowerBounds, upperBounds } of files) {
    const counts = (columnBytes?.size ?? 0) + (valueCounts?.size ?? 0) + (nullCounts?.size ?? 0)
    const bounds = (lowerBounds?.size ?? 0) + (upperBounds?.size ?? 0)
    bytes += 800 + path.length + counts * 40 + bounds * 160 // measured: a typed array alone takes about 100 bytes
  }
  return bytes
}
