// Table metadata and snapshots for tests, by the specification, with ids beyond what a double holds.
import { newTableMetadata } from '../../../../src/main/lake/iceberg/new-table.ts'
import type { Snapshot, TableMetadata, Update } from '../../../../src/main/lake/iceberg/metadata.ts'
import { definitionOf } from '../../../../src/main/lake/tables.ts'

export const START_MS = 1_700_000_000_000
export const idOf = (n: number) => String(9_007_199_254_740_993n + BigInt(n))

export function emptyTrades(): TableMetadata {
  const { schema, partitionSpecs, sortOrder, lastColumnId } = definitionOf('trades')
  const location = 'file:///lake/market_data/trades'
  return newTableMetadata({
    location,
    schema,
    partitionSpecs,
    sortOrder,
    lastColumnId,
    properties: {},
    nowMs: START_MS,
  })
}

/** The n-th snapshot, counted from 1. */
export function snapshotOf(n: number, summary: Record<string, string> = {}): Snapshot {
  return {
    'snapshot-id': idOf(n),
    ...(n > 1 && { 'parent-snapshot-id': idOf(n - 1) }),
    'sequence-number': n,
    'timestamp-ms': START_MS + n * 1000,
    summary: { operation: 'append', ...summary },
    'manifest-list': `file:///lake/market_data/trades/metadata/snap-${n}.avro`,
    'schema-id': 0,
  }
}

export function appendOf(snapshot: Snapshot): Update[] {
  return [
    { action: 'add-snapshot', snapshot },
    { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': snapshot['snapshot-id'] },
  ]
}
