// The files of one manifest, and what is known of their columns, as typed arrays that are made when first asked for.
import type { DataFile, ManifestEntry } from '../iceberg/data-file.ts'
import { encodedItems } from '../iceberg/column-map.ts'
import type { Kind } from './coordinates.ts'
import { columnExtent, keep, kept, nullsExtent, partitionExtent, type Extent, type Extents } from './extent.ts'

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
  /** By field id, and of partitions by position; then by kind, since columns of other schemas can have other types. */
  columns: Extents
  partitions: Extents
}

const NONE: readonly DataFile[] = []

export function indexFiles(entries: readonly ManifestEntry[]): FileIndex {
  const live = entries.filter(entry => entry.status !== 'deleted')
  return {
    entries,
    scanFiles: live.map(({ file, sequenceNumber }) => ({ file, sequenceNumber: sequenceNumber ?? 0, deletes: NONE })),
    files: live.map(entry => entry.file),
    columns: new Map(),
    partitions: new Map(),
  }
}

/** Without a kind: whether there are nulls. */
export function columnExtentOf({ files, columns }: FileIndex, fieldId: number, kind: Kind | undefined): Extent {
  const make = () => (kind ? columnExtent(files, fieldId, kind) : nullsExtent(files, fieldId))
  return kept(columns, fieldId, kind) ?? keep(columns, fieldId, kind, make())
}

export function partitionExtentOf({ files, partitions }: FileIndex, position: number, kind: Kind): Extent {
  return kept(partitions, position, kind) ?? keep(partitions, position, kind, partitionExtent(files, position, kind))
}

/** A guess at the memory an index takes, some extents included; one entry stands for all, since all are alike. */
export function bytesOfIndex({ entries }: FileIndex): number {
  if (entries.length === 0) return BYTES_OF_ENTRY
  const { file } = entries[0]
  const maps = [file.columnBytes, file.valueCounts, file.nullCounts, file.nanCounts, file.lowerBounds, file.upperBounds]
  const inMaps = maps.reduce((sum, map) => sum + (map ? (encodedItems(map)?.length ?? map.size * 80) : 0), 0)
  return entries.length * (BYTES_OF_ENTRY + file.path.length + inMaps)
}

const BYTES_OF_ENTRY = 1500
