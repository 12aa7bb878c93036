// The last step before a commit: writes a manifest list and asks the catalog to make its snapshot the table's head.
import { randomBytes, randomUUID } from 'node:crypto'
import { Failure } from '../../../contract/failure.ts'
import { nextTimestampMs } from '../iceberg/apply-updates.ts'
import type { LoadedTable } from '../catalog/catalog.ts'
import type { ManifestFile } from '../iceberg/data-file.ts'
import { encodeManifestList } from '../iceberg/manifest-list.ts'
import {
  currentSchema,
  headOf,
  MAIN,
  type Snapshot,
  type Summary,
  type TableMetadata,
  type Update,
} from '../iceberg/metadata.ts'
import type { LakeTable } from '../table.ts'
import type { Prepared } from './commit-until-landed.ts'
import { removeFiles, writeNew } from './write-new.ts'

export interface NewHead {
  snapshotId: string
  manifests: readonly ManifestFile[]
  summary: Summary
  properties?: Readonly<Record<string, string>>
  /** Manifests written for this try only. */
  written?: readonly string[]
}

export async function prepareHead(table: LakeTable, { metadata }: LoadedTable, head: NewHead): Promise<Prepared> {
  if (metadata['format-version'] !== 2) throw notVersion2(table, metadata)
  const { snapshotId, summary, properties, written = [] } = head
  const sequenceNumber = nextSequenceNumber(metadata)
  const parentSnapshotId = headOf(metadata)?.['snapshot-id']
  const listPath = `${metadata.location}/metadata/snap-${snapshotId}-0-${randomUUID()}.avro`
  const bytes = encodeManifestList(head.manifests, { snapshotId, parentSnapshotId, sequenceNumber })
  try {
    await writeNew(table, [{ path: listPath, bytes }])
  } catch (error) {
    await removeFiles(table, written)
    throw error
  }
  const snapshot: Snapshot = {
    'snapshot-id': snapshotId,
    ...(parentSnapshotId && { 'parent-snapshot-id': parentSnapshotId }),
    'sequence-number': sequenceNumber,
    'timestamp-ms': nextTimestampMs(metadata, table.clock.nowMs()),
    summary,
    'manifest-list': listPath,
    'schema-id': currentSchema(metadata)['schema-id'],
  }
  const updates: Update[] = [
    { action: 'add-snapshot', snapshot },
    // With how long its snapshots are kept, where another engine has set that.
    { action: 'set-snapshot-ref', 'ref-name': MAIN, ...metadata.refs[MAIN], type: 'branch', 'snapshot-id': snapshotId },
  ]
  if (properties) updates.push({ action: 'set-properties', updates: { ...properties } })
  return {
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
      { type: 'assert-ref-snapshot-id', ref: MAIN, 'snapshot-id': parentSnapshotId ?? null },
    ],
    updates,
    files: [listPath, ...written],
  }
}

/** A REST catalog would take the commit, and the table would be neither version 1 nor 2. */
function notVersion2({ name }: LakeTable, metadata: TableMetadata): Failure {
  return new Failure(
    'INVALID_INPUT',
    `K2 writes tables of format version 2 only, ${name.namespace}.${name.name} has ${metadata['format-version']}. ` +
      'Nothing was changed. Upgrade it with the engine that made it, by setting its property format-version to 2.',
  )
}

export function nextSequenceNumber(metadata: LoadedTable['metadata']): number {
  return metadata['last-sequence-number'] + 1
}

/** Positive and 63 bits wide, as the specification wants it. */
export function newSnapshotId(): string {
  return String(randomBytes(8).readBigUInt64BE() >> 1n)
}
