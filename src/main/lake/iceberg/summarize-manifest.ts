// A manifest's line in its list: counts, and what its files' partitions have in common.
import type { ManifestEntry, ManifestFile, PartitionSummary } from './data-file.ts'
import type { PartitionSpec } from './metadata.ts'
import { partitionColumns } from './partition.ts'
import type { PrimitiveType, Schema, Value } from './schema.ts'
import { compareValues, encodeValue } from './single-value.ts'

export interface ManifestPlace {
  path: string
  length: number
  content: 'data' | 'deletes'
  spec: PartitionSpec
  schema: Schema
  snapshotId: string
  /** Of the commit, which entries without one inherit. */
  sequenceNumber: number
}

export function summarizeManifest(entries: readonly ManifestEntry[], place: ManifestPlace): ManifestFile {
  const { path, length, content, spec, schema, snapshotId, sequenceNumber } = place
  const files = { existing: 0, added: 0, deleted: 0 }
  const rows = { existing: 0, added: 0, deleted: 0 }
  let minSequenceNumber = Infinity
  for (const { status, file, sequenceNumber: own } of entries) {
    files[status]++
    rows[status] += file.recordCount
    if (status !== 'deleted') minSequenceNumber = Math.min(minSequenceNumber, own ?? sequenceNumber)
  }
  return {
    path,
    length,
    specId: spec['spec-id'],
    content,
    sequenceNumber,
    minSequenceNumber: minSequenceNumber === Infinity ? sequenceNumber : minSequenceNumber,
    addedSnapshotId: snapshotId,
    addedFiles: files.added,
    existingFiles: files.existing,
    deletedFiles: files.deleted,
    addedRows: rows.added,
    existingRows: rows.existing,
    deletedRows: rows.deleted,
    partitions: partitionColumns(spec, schema).map(({ type }, i) =>
      summaryOf(
        type,
        entries.map(({ file }) => file.partition[i] ?? null),
      ),
    ),
  }
}

function summaryOf(type: PrimitiveType | undefined, values: readonly (Value | null)[]): PartitionSummary {
  const some = values.filter(value => value !== null)
  const numbers = some.filter(value => !Number.isNaN(value))
  const summary: PartitionSummary = {
    containsNull: some.length < values.length,
    containsNan: numbers.length < some.length,
  }
  if (type === undefined || numbers.length === 0) return summary
  const before = (a: Value, b: Value) => compareValues(type, a, b) < 0
  const lower = numbers.reduce((least, value) => (before(value, least) ? value : least))
  const upper = numbers.reduce((most, value) => (before(most, value) ? value : most))
  return { ...summary, lowerBound: encodeValue(type, lower), upperBound: encodeValue(type, upper) }
}
