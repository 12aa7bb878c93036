// Manifests: which files came, stayed and went, with their partitions, counts and bounds.
import { Failure } from '../../../contract/failure.ts'
import {
  createValueBuffer,
  putByte,
  putBytes,
  putLong,
  putText,
  reserve,
  type ValueBuffer,
} from '../../market/value-buffer.ts'
import { encodeContainer, taken, type Block } from './avro-container.ts'
import { putBig } from './avro-values.ts'
import { encodedItems } from './column-map.ts'
import { checksumHeader } from './checksums.ts'
import { CONTENTS, STATUSES, type ManifestEntry, type ManifestFile, type PerColumn } from './data-file.ts'
import { stringifyJson } from './json.ts'
import { manifestSchema } from './manifest-schema.ts'
import type { PartitionSpec } from './metadata.ts'
import { putPartition } from './partition-avro.ts'
import { partitionColumns, withTypes, type PartitionColumn } from './partition.ts'
import { readManifest } from './read-manifest.ts'
import type { Schema } from './schema.ts'

/** Readers hold a block at a time. */
const BLOCK_BYTES = 2 ** 20

export interface Manifest {
  schema: Schema
  spec: PartitionSpec
  content: 'data' | 'deletes'
  entries: readonly ManifestEntry[]
}

export function encodeManifest({ schema, spec, content, entries }: Manifest): Uint8Array {
  const columns = withTypes(
    partitionColumns(spec, schema),
    entries.map(({ file }) => file.partition),
  )
  const blocks: Block[] = []
  const out = createValueBuffer()
  let count = 0
  const endBlock = () => {
    blocks.push({ count, bytes: Buffer.from(taken(out)) })
    out.length = count = 0
  }
  for (const entry of entries) {
    putEntry(out, entry, columns)
    count++
    if (out.length >= BLOCK_BYTES) endBlock()
  }
  endBlock()
  const header = {
    schema: stringifyJson(schema),
    'schema-id': String(schema['schema-id']),
    'partition-spec': stringifyJson(spec.fields),
    'partition-spec-id': String(spec['spec-id']),
    'format-version': '2',
    content,
    ...checksumHeader(entries),
  }
  return encodeContainer(manifestSchema(columns), header, blocks)
}

function putEntry(out: ValueBuffer, entry: ManifestEntry, columns: readonly PartitionColumn[]): void {
  const { status, snapshotId, sequenceNumber, fileSequenceNumber, file } = entry
  reserve(out, 64)
  putLong(out, STATUSES.indexOf(status))
  putByte(out, snapshotId === null ? 0 : 2)
  if (snapshotId !== null) putBig(out, BigInt(snapshotId))
  putOptionalLong(out, sequenceNumber)
  putOptionalLong(out, fileSequenceNumber)
  putLong(out, CONTENTS.indexOf(file.content))
  putText(out, file.path)
  putText(out, file.format)
  putPartition(out, columns, file.partition)
  reserve(out, 32)
  putLong(out, file.recordCount)
  putLong(out, file.fileBytes)
  putColumns(out, file.columnBytes, putLong)
  putColumns(out, file.valueCounts, putLong)
  putColumns(out, file.nullCounts, putLong)
  putColumns(out, file.nanCounts, putLong)
  putColumns(out, file.lowerBounds, putBound)
  putColumns(out, file.upperBounds, putBound)
  putNumbers(out, file.splitOffsets)
  putNumbers(out, file.equalityIds)
  reserve(out, 16)
  putOptionalLong(out, file.sortOrderId ?? null)
}

function putOptionalLong(out: ValueBuffer, value: number | null): void {
  putByte(out, value === null ? 0 : 2)
  if (value !== null) putLong(out, value)
}

function putColumns<T>(
  out: ValueBuffer,
  map: PerColumn<T> | undefined,
  put: (out: ValueBuffer, value: T) => void,
): void {
  reserve(out, 16)
  putByte(out, map === undefined ? 0 : 2)
  if (map === undefined) return
  const encoded = encodedItems(map)
  if (encoded) {
    reserve(out, encoded.length)
    out.length += encoded.copy(out.bytes, out.length)
    return
  }
  if (map.size > 0) putLong(out, map.size)
  for (const [id, value] of map) {
    reserve(out, 32)
    putLong(out, id)
    put(out, value)
  }
  putByte(out, 0)
}

function putBound(out: ValueBuffer, bytes: Uint8Array): void {
  reserve(out, bytes.length + 32)
  putLong(out, bytes.length)
  putBytes(out, bytes)
}

function putNumbers(out: ValueBuffer, numbers: readonly number[] | undefined): void {
  reserve(out, 32 + 10 * (numbers?.length ?? 0))
  putByte(out, numbers === undefined ? 0 : 2)
  if (numbers === undefined) return
  if (numbers.length > 0) putLong(out, numbers.length)
  for (const number of numbers) putLong(out, number)
  putByte(out, 0)
}

/**
 * The entries with what they inherit from `source`, the manifest's line in its list. Counts and bounds show the file's
 * memory; they are to be read, not changed. A file that is not what it should be is CORRUPT, named.
 */
export function decodeManifest(
  bytes: Uint8Array,
  source: ManifestFile,
  spec: PartitionSpec,
  schema: Schema,
): ManifestEntry[] {
  try {
    return readManifest(bytes, source, partitionColumns(spec, schema))
  } catch (cause) {
    throw unreadable(`Manifest ${source.path}`, cause)
  }
}

export function unreadable(what: string, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause)
  const code = cause instanceof Failure ? cause.code : 'CORRUPT'
  return new Failure(code, `${what} cannot be read: ${why}. Nothing was changed.`, { cause })
}
