// Planning a scan: from a snapshot and a filter to the files that may hold passing rows, with the deletes that apply.
import { Failure } from '../../../contract/failure.ts'
import type { DataFile, ManifestFile } from '../iceberg/data-file.ts'
import {
  currentSchema,
  headOf,
  schemaOf,
  type PartitionSpec,
  type Snapshot,
  type TableMetadata,
} from '../iceberg/metadata.ts'
import type { Schema } from '../iceberg/schema.ts'
import { throwIfCancelled } from '../../base/cancelled.ts'
import type { FileIO } from '../io/file-io.ts'
import { bindFilter, type BoundCondition } from './bind-filter.ts'
import type { FileIndex, ScanFile } from './file-index.ts'
import type { Filter } from './filter.ts'
import { requireSpec, type ManifestCache } from './manifest-cache.ts'
import { matchDeletes } from './match-deletes.ts'
import { checkProjection } from './projection.ts'
import { passingFiles, passingManifests, prunerFor, type Pruner } from './prune.ts'
import { requireSnapshot } from './resolve-snapshot.ts'

export type { ScanFile } from './file-index.ts'

export interface ScanPlan {
  snapshotId: string
  schema: Schema
  files: readonly ScanFile[]
  /** Data files of the snapshot, those left out, those to be read. */
  counts: { total: number; pruned: number; read: number }
  filter: Filter
  /** For files without field ids, and without the columns they are partitioned by. */
  specs?: readonly PartitionSpec[]
  nameMapping?: string
}

export interface ScanQuestion {
  metadata: TableMetadata
  snapshotId: string
  filter: Filter
  io: FileIO
  cache: ManifestCache
  /** What will be read, to be checked now; all columns when left out. */
  columns?: readonly string[]
  signal?: AbortSignal
}

/** How many manifests are read at once, so that a cold plan over S3 does not wait for each of them. */
const READS_AT_ONCE = 16

export async function planScan(question: ScanQuestion): Promise<ScanPlan> {
  const { metadata, snapshotId, filter, io, cache, columns, signal } = question
  throwIfCancelled(signal)
  const snapshot = requireSnapshot(metadata, snapshotId)
  const schema = schemaAt(metadata, snapshot)
  const conditions = bindFilter(schema, filter)
  checkProjection(metadata, schema, columns)
  const manifests = await cache.manifests(listOf(snapshot), { io, signal })

  const pruners = prunersBySpec(metadata, conditions)
  const chosen = passingManifests(manifests, pruners)
  const dataManifests = chosen.filter(manifest => manifest.content === 'data')
  const indexes = await indexAll(dataManifests, question)
  const files: ScanFile[] = []
  dataManifests.forEach((manifest, i) => collect(files, indexes[i], pruners(manifest.specId)))
  files.forEach(({ file }) => refuseUnreadable(file))

  const total = countFiles(manifests, dataManifests, indexes)
  const applied = await applyDeletes(files, chosen, question)
  return {
    snapshotId,
    schema,
    files: applied,
    counts: { total, pruned: total - files.length, read: files.length },
    filter,
    specs: metadata['partition-specs'],
    nameMapping: metadata.properties['schema.name-mapping.default'],
  }
}

/** The head is read with the schema of today, an older snapshot with its own. */
function schemaAt(metadata: TableMetadata, snapshot: Snapshot): Schema {
  return headOf(metadata) === snapshot ? currentSchema(metadata) : schemaOf(metadata, snapshot)
}

function listOf(snapshot: Snapshot): string {
  const location = snapshot['manifest-list'] as string | undefined
  if (location) return location
  throw new Failure(
    'INVALID_INPUT',
    `Snapshot ${snapshot['snapshot-id']} has no manifest list: it was written in the first form of Iceberg's format, ` +
      'which K2 does not read. Ask for a newer snapshot, or have the engine that wrote it rewrite the manifests.',
  )
}

function prunersBySpec(metadata: TableMetadata, conditions: readonly BoundCondition[]) {
  const pruners = new Map<number, Pruner>()
  return (specId: number): Pruner => {
    let pruner = pruners.get(specId)
    if (!pruner) pruners.set(specId, (pruner = prunerFor(conditions, requireSpec(metadata, specId))))
    return pruner
  }
}

async function indexAll(manifests: readonly ManifestFile[], question: ScanQuestion): Promise<FileIndex[]> {
  const { cache } = question
  const indexes = new Array<FileIndex>(manifests.length)
  const missing: number[] = []
  manifests.forEach((manifest, i) => {
    const held = cache.heldIndex(manifest)
    if (held) indexes[i] = held
    else missing.push(i)
  })
  let next = 0
  const work = async () => {
    while (next < missing.length) {
      const i = missing[next++]
      indexes[i] = await cache.index(manifests[i], question)
    }
  }
  await Promise.all(Array.from({ length: Math.min(READS_AT_ONCE, missing.length) }, work))
  return indexes
}

function collect(into: ScanFile[], index: FileIndex, pruner: Pruner): void {
  const passing = passingFiles(index, pruner)
  for (let i = 0; i < passing.length; i++) if (passing[i]) into.push(index.scanFiles[i])
}

/** Manifests that were not read are counted by their line in the list. */
function countFiles(
  manifests: readonly ManifestFile[],
  read: readonly ManifestFile[],
  indexes: readonly FileIndex[],
): number {
  const known = new Map(read.map((manifest, i) => [manifest, indexes[i].files.length]))
  let total = 0
  for (const manifest of manifests)
    if (manifest.content === 'data') total += known.get(manifest) ?? manifest.addedFiles + manifest.existingFiles
  return total
}

function refuseUnreadable({ path, format }: DataFile): void {
  if (format === 'PARQUET') return
  throw new Failure(
    'INVALID_INPUT',
    `${path} is a data file in ${format}; K2 reads Parquet only, and answered nothing rather than leave its rows out. ` +
      'Have the engine that wrote it rewrite it as Parquet, or narrow the time range so that it is not needed.',
    { details: { file: path, format } },
  )
}

/** Deletes lie in the partition of what they delete from, so manifests of deletes are pruned like those of data. */
async function applyDeletes(
  files: readonly ScanFile[],
  chosen: readonly ManifestFile[],
  question: ScanQuestion,
): Promise<readonly ScanFile[]> {
  const manifests = chosen.filter(manifest => manifest.content === 'deletes')
  if (manifests.length === 0 || files.length === 0) return files
  const indexes = await indexAll(manifests, question)
  const entries = indexes.flatMap(index => index.entries)
  return files.map(matchDeletes(entries, question.metadata['partition-specs']))
}
