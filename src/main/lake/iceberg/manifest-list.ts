// Manifest lists: which manifests make up a snapshot, and what can be known of each without reading it.
import type { AvroType } from '../../market/avro-schemas.ts'
import { createCursor, malformed, pointCursor } from '../../market/decode-primitives.ts'
import {
  createValueBuffer,
  putByte,
  putBytes,
  putLong,
  putText,
  reserve,
  type ValueBuffer,
} from '../../market/value-buffer.ts'
import { decodeContainer, encodeContainer, taken } from './avro-container.ts'
import { attributesOf, expectType, fieldsOf, nullable, preparedSchemas, recordStep, type Step } from './avro-schema.ts'
import { booleanStep, bytesStep, eachItem, idStep, numberStep, putBig, textStep } from './avro-values.ts'
import type { ManifestFile, PartitionSummary } from './data-file.ts'
import { manifestListSchema } from './manifest-schema.ts'
import { unreadable } from './manifest.ts'

export interface ListOwner {
  snapshotId: string
  parentSnapshotId?: string
  sequenceNumber: number
}

/** One block, so that a file that was cut off anywhere does not decode. */
export function encodeManifestList(manifests: readonly ManifestFile[], owner: ListOwner): Uint8Array {
  const out = createValueBuffer()
  for (const manifest of manifests) putManifest(out, manifest)
  const header = {
    'snapshot-id': owner.snapshotId,
    'parent-snapshot-id': owner.parentSnapshotId ?? 'null',
    'sequence-number': String(owner.sequenceNumber),
    'format-version': '2',
  }
  return encodeContainer(manifestListSchema, header, [{ count: manifests.length, bytes: taken(out) }])
}

function putManifest(out: ValueBuffer, manifest: ManifestFile): void {
  putText(out, manifest.path)
  reserve(out, 128)
  putLong(out, manifest.length)
  putLong(out, manifest.specId)
  putLong(out, manifest.content === 'data' ? 0 : 1)
  putLong(out, manifest.sequenceNumber)
  putLong(out, manifest.minSequenceNumber)
  putBig(out, BigInt(manifest.addedSnapshotId))
  reserve(out, 80)
  putLong(out, manifest.addedFiles)
  putLong(out, manifest.existingFiles)
  putLong(out, manifest.deletedFiles)
  putLong(out, manifest.addedRows)
  putLong(out, manifest.existingRows)
  putLong(out, manifest.deletedRows)
  const { partitions } = manifest
  putByte(out, partitions ? 2 : 0)
  if (!partitions) return
  if (partitions.length > 0) putLong(out, partitions.length)
  for (const partition of partitions) putSummary(out, partition)
  putByte(out, 0)
}

function putSummary(out: ValueBuffer, { containsNull, containsNan, lowerBound, upperBound }: PartitionSummary): void {
  reserve(out, 64 + (lowerBound?.length ?? 0) + (upperBound?.length ?? 0))
  putByte(out, containsNull ? 1 : 0)
  putByte(out, containsNan === undefined ? 0 : 2)
  if (containsNan !== undefined) putByte(out, containsNan ? 1 : 0)
  for (const bound of [lowerBound, upperBound]) {
    putByte(out, bound ? 2 : 0)
    if (!bound) continue
    putLong(out, bound.length)
    putBytes(out, bound)
  }
}

/** A file that is not what it should be is CORRUPT, named. */
export function decodeManifestList(bytes: Uint8Array, location: string): ManifestFile[] {
  try {
    return readList(bytes)
  } catch (cause) {
    throw unreadable(`Manifest list ${location}`, cause)
  }
}

function readList(bytes: Uint8Array): ManifestFile[] {
  const { schemaText, blocks } = decodeContainer(bytes)
  const step = prepared(schemaText, undefined)
  const manifests: ManifestFile[] = []
  const cursor = createCursor()
  for (const block of blocks) {
    pointCursor(cursor, block.bytes)
    cursor.at = 0
    cursor.end = block.bytes.length
    for (let i = 0; i < block.count; i++) {
      const manifest = emptyManifest()
      step(cursor, manifest)
      manifests.push(manifest)
    }
    if (cursor.at !== cursor.end) malformed('a block has more bytes than values')
  }
  return manifests
}

/** Sequence numbers and content are those of version 1, which does not say them. */
function emptyManifest(): ManifestFile {
  return {
    path: '',
    length: 0,
    specId: 0,
    content: 'data',
    sequenceNumber: 0,
    minSequenceNumber: 0,
    addedSnapshotId: '0',
    addedFiles: 0,
    existingFiles: 0,
    deletedFiles: 0,
    addedRows: 0,
    existingRows: 0,
    deletedRows: 0,
    partitions: undefined,
  }
}

type Count = 'addedFiles' | 'existingFiles' | 'deletedFiles' | 'addedRows' | 'existingRows' | 'deletedRows'

const prepared = preparedSchemas(listStep)

function listStep(schema: AvroType): Step<ManifestFile> {
  return recordStep<ManifestFile>(
    schema,
    {
      500: textStep((manifest, path) => (manifest.path = path)),
      501: numberStep((manifest, length) => (manifest.length = notNegative(length))),
      502: numberStep((manifest, id) => (manifest.specId = id)),
      517: numberStep((manifest, content) => {
        if (content !== 0 && content !== 1) malformed(`a manifest of the content ${content}`)
        manifest.content = content === 0 ? 'data' : 'deletes'
      }),
      515: numberStep((manifest, number) => (manifest.sequenceNumber = number)),
      516: numberStep((manifest, number) => (manifest.minSequenceNumber = number)),
      503: nullable(idStep((manifest, id) => (manifest.addedSnapshotId = id))),
      504: countStep('addedFiles'),
      505: countStep('existingFiles'),
      506: countStep('deletedFiles'),
      512: countStep('addedRows'),
      513: countStep('existingRows'),
      514: countStep('deletedRows'),
      507: nullable(summariesStep),
    },
    [500, 501, 502, 503, 504, 505, 506],
  )
}

function countStep(key: Count): (type: AvroType) => Step<ManifestFile> {
  const make = numberStep<ManifestFile>((manifest, count) => (manifest[key] = notNegative(count)))
  return type => {
    const read = nullable(make)(type)
    if (!Array.isArray(type)) return read
    // Where a version 1 writer left a count away nothing may be concluded, least of all that there is nothing.
    return (cursor, manifest) => {
      manifest[key] = UNKNOWN
      read(cursor, manifest)
      if (manifest[key] === UNKNOWN) malformed('a count is missing, as early version 1 writers left them away')
    }
  }
}

const UNKNOWN = -1

function notNegative(value: number): number {
  return value >= 0 ? value : malformed(`a count of ${value}`)
}

function summariesStep(type: AvroType): Step<ManifestFile> {
  expectType(type, 'array')
  const items = attributesOf(type).items as AvroType
  fieldsOf(items)
  const step = recordStep<PartitionSummary>(
    items,
    {
      509: booleanStep((summary, contains) => (summary.containsNull = contains)),
      518: nullable(booleanStep((summary, contains) => (summary.containsNan = contains))),
      510: nullable(bytesStep((summary, bound) => (summary.lowerBound = bound))),
      511: nullable(bytesStep((summary, bound) => (summary.upperBound = bound))),
    },
    [509],
  )
  return (cursor, manifest) => {
    const partitions: PartitionSummary[] = []
    eachItem(cursor, () => {
      const summary: PartitionSummary = {
        containsNull: true,
        containsNan: undefined,
        lowerBound: undefined,
        upperBound: undefined,
      }
      step(cursor, summary)
      partitions.push(summary)
    })
    manifest.partitions = partitions
  }
}
