// Table metadata as the specification writes it in JSON, key by key. Snapshot ids are texts of decimal digits here,
// because they exceed what a double holds; `json.ts` reads and writes them as the numbers they are in the file.
import type { Schema } from './schema.ts'

export interface PartitionField {
  'source-id': number
  'field-id': number
  name: string
  /** `day`, `bucket[16]`, `identity`, … */
  transform: string
}

export interface PartitionSpec {
  'spec-id': number
  fields: PartitionField[]
}

export interface SortField {
  transform: string
  'source-id': number
  direction: 'asc' | 'desc'
  'null-order': 'nulls-first' | 'nulls-last'
}

export interface SortOrder {
  'order-id': number
  fields: SortField[]
}

export type Operation = 'append' | 'replace' | 'overwrite' | 'delete'

/** Counters of the specification and our own `k2.*` keys, all texts. */
export type Summary = Readonly<Record<string, string>> & { readonly operation: Operation }

export interface Snapshot {
  'snapshot-id': string
  'parent-snapshot-id'?: string
  'sequence-number': number
  'timestamp-ms': number
  summary: Summary
  'manifest-list': string
  'schema-id'?: number
}

export interface SnapshotRef {
  'snapshot-id': string
  type: 'branch' | 'tag'
  'min-snapshots-to-keep'?: number
  'max-snapshot-age-ms'?: number
  'max-ref-age-ms'?: number
}

/** What other engines add beyond these keys is kept as it is. */
export interface TableMetadata {
  'format-version': number
  'table-uuid': string
  location: string
  'last-sequence-number': number
  'last-updated-ms': number
  'last-column-id': number
  schemas: Schema[]
  'current-schema-id': number
  'partition-specs': PartitionSpec[]
  'default-spec-id': number
  'last-partition-id': number
  'sort-orders': SortOrder[]
  'default-sort-order-id': number
  properties: Record<string, string>
  /** Absent or null without any; some engines write -1. */
  'current-snapshot-id'?: string | null
  snapshots: Snapshot[]
  'snapshot-log': { 'snapshot-id': string; 'timestamp-ms': number }[]
  'metadata-log': { 'metadata-file': string; 'timestamp-ms': number }[]
  refs: Record<string, SnapshotRef>
}

/** What a commit changes, in the words of the REST catalog; a SQL catalog applies the same ones itself. */
export type Update =
  | { action: 'add-schema'; schema: Schema; 'last-column-id'?: number }
  | { action: 'set-current-schema'; 'schema-id': number }
  | { action: 'add-spec'; spec: PartitionSpec }
  | { action: 'set-default-spec'; 'spec-id': number }
  | { action: 'add-sort-order'; 'sort-order': SortOrder }
  | { action: 'set-default-sort-order'; 'sort-order-id': number }
  | { action: 'add-snapshot'; snapshot: Snapshot }
  | ({ action: 'set-snapshot-ref'; 'ref-name': string } & SnapshotRef)
  | { action: 'remove-snapshot-ref'; 'ref-name': string }
  | { action: 'remove-snapshots'; 'snapshot-ids': string[] }
  | { action: 'set-properties'; updates: Record<string, string> }
  | { action: 'remove-properties'; removals: string[] }

/** What must still be true for a commit to be taken. */
export type Requirement =
  | { type: 'assert-table-uuid'; uuid: string }
  | { type: 'assert-ref-snapshot-id'; ref: string; 'snapshot-id': string | null }

export const MAIN = 'main'

export function headOf(metadata: TableMetadata): Snapshot | undefined {
  const id = metadata.refs[MAIN]?.['snapshot-id'] ?? metadata['current-snapshot-id']
  return id == null || id === '-1' ? undefined : snapshotOf(metadata, id)
}

export function snapshotOf(metadata: TableMetadata, id: string): Snapshot | undefined {
  return metadata.snapshots.find(snapshot => snapshot['snapshot-id'] === id)
}

export function currentSchema(metadata: TableMetadata): Schema {
  return metadata.schemas.find(schema => schema['schema-id'] === metadata['current-schema-id'])!
}

/** The schema that was current when a snapshot was made. */
export function schemaOf(metadata: TableMetadata, snapshot: Snapshot): Schema {
  return metadata.schemas.find(schema => schema['schema-id'] === snapshot['schema-id']) ?? currentSchema(metadata)
}

export function specOf(metadata: TableMetadata, id: number): PartitionSpec | undefined {
  return metadata['partition-specs'].find(spec => spec['spec-id'] === id)
}
