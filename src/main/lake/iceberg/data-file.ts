// What manifests and manifest lists say, as data. Counts and sizes are doubles (exact below 2^53).
import type { Value } from './schema.ts'

/** In the order of their numbers in a manifest. */
export const CONTENTS = ['data', 'position-deletes', 'equality-deletes'] as const
export const STATUSES = ['existing', 'added', 'deleted'] as const
export type Content = (typeof CONTENTS)[number]

/** By field id. */
export type PerColumn<T> = ReadonlyMap<number, T>

export interface DataFile {
  content: Content
  path: string
  /** `PARQUET`, `AVRO`, `ORC`, and `PUFFIN` for deletion vectors. */
  format: string
  /** The partition spec this file was written with, and its values in the order of that spec's fields. */
  specId: number
  partition: readonly (Value | null)[]
  recordCount: number
  fileBytes: number
  columnBytes?: PerColumn<number>
  valueCounts?: PerColumn<number>
  nullCounts?: PerColumn<number>
  nanCounts?: PerColumn<number>
  /** In Iceberg's single-value binary form; a bound may be truncated, so lower ones are ≤ and upper ones ≥ every value. */
  lowerBounds?: PerColumn<Uint8Array>
  upperBounds?: PerColumn<Uint8Array>
  splitOffsets?: readonly number[]
  equalityIds?: readonly number[]
  sortOrderId?: number
  /** CRC-32 of all its bytes; only what K2 wrote has one. */
  crc32?: number
}

export interface ManifestEntry {
  status: (typeof STATUSES)[number]
  /** When added or deleted; null is inherited from the manifest list. */
  snapshotId: string | null
  sequenceNumber: number | null
  fileSequenceNumber: number | null
  file: DataFile
}

export interface PartitionSummary {
  containsNull: boolean
  containsNan?: boolean
  lowerBound?: Uint8Array
  upperBound?: Uint8Array
}

/** One line of a manifest list. */
export interface ManifestFile {
  path: string
  length: number
  specId: number
  content: 'data' | 'deletes'
  sequenceNumber: number
  minSequenceNumber: number
  addedSnapshotId: string
  addedFiles: number
  existingFiles: number
  deletedFiles: number
  addedRows: number
  existingRows: number
  deletedRows: number
  partitions?: readonly PartitionSummary[]
}

export function rowsIn(files: readonly DataFile[]): number {
  return files.reduce((sum, { recordCount }) => sum + recordCount, 0)
}
