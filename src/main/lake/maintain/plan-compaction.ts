// Which files of a table are worth writing together: pure, from what the manifests say.
import { coarserSpecs } from '../iceberg/coarser-specs.ts'
import type { DataFile } from '../iceberg/data-file.ts'
import { specOf, type TableMetadata } from '../iceberg/metadata.ts'
import type { Value } from '../iceberg/schema.ts'
import type { ScanFile } from '../read/file-index.ts'
import { ROWS_PER_FILE } from '../write/stage-query.ts'

/** Files are left as they are from this size on: large enough to read fast, small enough to be rewritten. */
export const TARGET_BYTES = 128_000_000
/** A file this many times larger than all the smaller ones together is not worth rewriting for their sake. */
const TIER = 4

/** Files that share the partition fields which all specs of theirs have: the least that can be rewritten by itself. */
export interface CompactionUnit {
  /** Values of the fields that the older specs share with the default one. */
  shared: readonly (Value | null)[]
  /** In an older, coarser spec: their rows go to several partitions. */
  coarse: ScanFile[]
  /** In the default spec, those of one partition together. */
  fine: FineGroup[]
}

export interface FineGroup {
  partition: readonly (Value | null)[]
  files: ScanFile[]
}

export function planCompaction(
  metadata: TableMetadata,
  files: readonly ScanFile[],
  { minFiles }: { minFiles: number },
): CompactionUnit[] {
  const target = specOf(metadata, metadata['default-spec-id'])!
  const coarseSpecs = coarserSpecs(metadata)
  const coarseIds = new Set(coarseSpecs.map(spec => spec['spec-id']))
  const sharedCount = Math.min(target.fields.length, ...coarseSpecs.map(({ fields }) => fields.length))
  const units = new Map<string, CompactionUnit>()
  for (const scanned of files) {
    const { specId, partition } = scanned.file
    const isFine = specId === target['spec-id']
    if (!isFine && !coarseIds.has(specId)) continue // a spec of somebody else's; its files stay readable as they are
    const shared = partition.slice(0, sharedCount)
    const unit = getOrAdd(units, keyOf(shared), () => ({ shared, coarse: [], fine: [] }))
    if (!isFine) unit.coarse.push(scanned)
    else fineGroup(unit, partition).files.push(scanned)
  }
  return [...units.values()]
    .map(unit => worthwhile(unit, minFiles))
    .filter(({ coarse, fine }) => coarse.length + fine.length > 0)
}

/** Every file that goes. */
export function sourcesOf({ coarse, fine }: CompactionUnit): ScanFile[] {
  return [...coarse, ...fine.flatMap(({ files }) => files)]
}

/** Leaves of each partition what is worth rewriting. */
function worthwhile({ shared, coarse, fine }: CompactionUnit, minFiles: number): CompactionUnit {
  const isWorth = coarse.length > 0
  const incoming = bytesOf(coarse) / Math.max(1, fine.length)
  const groups = fine.map(({ partition, files }) => ({ partition, files: smallFiles(files, incoming) }))
  return {
    shared,
    coarse,
    fine: groups.filter(({ files }) => (isWorth ? files.length > 0 : files.length >= minFiles && becomeFewer(files))),
  }
}

/** From the smallest to the last one that is not too large for what is gained: a tiny one alone holds nobody up. */
function smallFiles(files: readonly ScanFile[], incomingBytes: number): ScanFile[] {
  const bySize = files
    .filter(({ file }) => file.fileBytes < TARGET_BYTES)
    .toSorted((a, b) => a.file.fileBytes - b.file.fileBytes)
  let sum = incomingBytes
  let count = 0
  bySize.forEach(({ file: { fileBytes } }, i) => {
    if (sum === 0 || fileBytes <= TIER * sum) count = i + 1
    sum += fileBytes
  })
  return bySize.slice(0, count)
}

/** Rows for several files make as many again: without this they would be rewritten in every round, for nothing. */
function becomeFewer(files: readonly ScanFile[]): boolean {
  const rows = files.reduce((sum, { file }) => sum + file.recordCount, 0)
  return Math.ceil(rows / ROWS_PER_FILE) < files.length
}

function bytesOf(files: readonly ScanFile[]): number {
  return files.reduce((sum, { file }) => sum + file.fileBytes, 0)
}

function fineGroup(unit: CompactionUnit, partition: DataFile['partition']): FineGroup {
  const key = keyOf(partition)
  const known = unit.fine.find(group => keyOf(group.partition) === key)
  if (known) return known
  const group: FineGroup = { partition, files: [] }
  unit.fine.push(group)
  return group
}

function keyOf(partition: readonly (Value | null)[]): string {
  return JSON.stringify(partition.map(value => (value instanceof Uint8Array ? [...value] : String(value))))
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
