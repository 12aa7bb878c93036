// The metadata of a table that has no rows yet.
import { randomUUID } from 'node:crypto'
import type { PartitionSpec, SortOrder, TableMetadata } from './metadata.ts'
import type { Schema } from './schema.ts'

/** Partition fields are numbered from 1000 by the specification. */
const BEFORE_FIRST_PARTITION_FIELD = 999

export interface NewTable {
  location: string
  schema: Schema
  /** The last one becomes the default. */
  partitionSpecs: readonly PartitionSpec[]
  sortOrder: SortOrder
  lastColumnId: number
  properties: Readonly<Record<string, string>>
  nowMs: number
}

export function newTableMetadata(table: NewTable): TableMetadata {
  const { location, schema, partitionSpecs, sortOrder, lastColumnId, properties, nowMs } = table
  const fieldIds = partitionSpecs.flatMap(spec => spec.fields.map(field => field['field-id']))
  return {
    'format-version': 2,
    'table-uuid': randomUUID(),
    location,
    'last-sequence-number': 0,
    'last-updated-ms': nowMs,
    'last-column-id': lastColumnId,
    schemas: [schema],
    'current-schema-id': schema['schema-id'],
    'partition-specs': [...partitionSpecs],
    'default-spec-id': partitionSpecs[partitionSpecs.length - 1]['spec-id'],
    'last-partition-id': Math.max(BEFORE_FIRST_PARTITION_FIELD, ...fieldIds),
    'sort-orders': [sortOrder],
    'default-sort-order-id': sortOrder['order-id'],
    properties: { ...properties },
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
    refs: {},
  }
}
