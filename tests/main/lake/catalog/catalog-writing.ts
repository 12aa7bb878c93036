// Tables and commits for the tests of catalogs: what a writer of rows does, without the rows.
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Catalog, LoadedTable, TableName } from '../../../../src/main/lake/catalog/catalog.ts'
import {
  headOf,
  type Requirement,
  type TableMetadata,
  type Update,
} from '../../../../src/main/lake/iceberg/metadata.ts'
import { newTableMetadata } from '../../../../src/main/lake/iceberg/new-table.ts'
import { definitionOf, NAMESPACE } from '../../../../src/main/lake/tables.ts'

export const TRADES: TableName = { namespace: NAMESPACE, name: 'trades' }

export function newTrades(location: string, properties: Record<string, string> = {}): TableMetadata {
  return newTableMetadata({ ...definitionOf('trades'), location, properties, nowMs: Date.now() })
}

/** A commit that adds a snapshot without files to main, in the way that a writer of rows does. */
export function appendTo(base: LoadedTable, note: string): { requirements: Requirement[]; updates: Update[] } {
  const { metadata } = base
  const head = headOf(metadata)
  const id = `4${String(randomInt(2 ** 47)).padStart(15, '0')}${randomInt(100, 1000)}` // beyond 2^53
  return {
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
      { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': head?.['snapshot-id'] ?? null },
    ],
    updates: [
      {
        action: 'add-snapshot',
        snapshot: {
          'snapshot-id': id,
          ...(head && { 'parent-snapshot-id': head['snapshot-id'] }),
          'sequence-number': metadata['last-sequence-number'] + 1,
          'timestamp-ms': Math.max(Date.now(), metadata['last-updated-ms']),
          summary: { operation: 'append', 'k2.note': note },
          'manifest-list': `${metadata.location}/metadata/snap-${id}.avro`,
          'schema-id': 0,
        },
      },
      { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id },
    ],
  }
}

export async function append(catalog: Catalog, table: TableName, base: LoadedTable, note: string) {
  const { requirements, updates } = appendTo(base, note)
  return catalog.commit(table, base, requirements, updates)
}

/** As a writer does: again on what is current, until it landed. Returns how often it met a conflict. */
export async function appendUntilLanded(catalog: Catalog, table: TableName, note: string): Promise<number> {
  for (let conflicts = 0; ; conflicts++) {
    const outcome = await append(catalog, table, await catalog.loadTable(table), note)
    if (outcome.state === 'committed') return conflicts
    if (outcome.state === 'unknown') throw outcome.cause
    await sleep(Math.random() * 10)
  }
}

export function notesOf({ metadata }: LoadedTable): string[] {
  return metadata.snapshots.map(({ summary }) => summary['k2.note'])
}
