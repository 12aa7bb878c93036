// Reading manifests of any writer: fields are found by their ids, what is not needed is passed over.
import { Failure } from '../../../contract/failure.ts'
import type { AvroType } from '../../market/avro-schemas.ts'
import { createCursor, malformed, pointCursor, type Cursor } from '../../market/decode-primitives.ts'
import { decodeContainer } from './avro-container.ts'
import {
  attributesOf,
  expectType,
  fieldsOf,
  nullable,
  preparedSchemas,
  recordStep,
  typeNameOf,
  type Step,
} from './avro-schema.ts'
import { bytesStep, idStep, numbersStep, numberStep, textStep } from './avro-values.ts'
import { readColumnMap } from './column-map.ts'
import { readChecksums } from './checksums.ts'
import { CONTENTS, STATUSES, type DataFile, type ManifestEntry, type ManifestFile } from './data-file.ts'
import { partitionStep } from './partition-avro.ts'
import type { PartitionColumn } from './partition.ts'

/** Throws a plain error that says what is wrong, or a Failure for what is right but not read here. */
export function readManifest(
  bytes: Uint8Array,
  source: ManifestFile,
  columns: readonly PartitionColumn[],
): ManifestEntry[] {
  if (bytes.length < source.length) malformed(`it has ${bytes.length} bytes instead of ${source.length}`)
  const { schemaText, header, blocks } = decodeContainer(bytes)
  const { step, isVersion1 } = prepared(schemaText, columns)
  // Version 1 has no sequence numbers: what it wrote comes before everything of version 2.
  const inherited = { snapshotId: source.addedSnapshotId, sequenceNumber: isVersion1 ? 0 : source.sequenceNumber }
  const entries: ManifestEntry[] = []
  const cursor = createCursor()
  for (const block of blocks) {
    pointCursor(cursor, block.bytes)
    cursor.at = 0
    cursor.end = block.bytes.length
    for (let i = 0; i < block.count; i++) {
      const entry = emptyEntry(source.specId)
      step(cursor, entry)
      inherit(entry, inherited)
      entries.push(entry)
    }
    if (cursor.at !== cursor.end) malformed('a block has more bytes than values')
  }
  readChecksums(header, entries)
  const { addedFiles, existingFiles, deletedFiles } = source
  const said = addedFiles + existingFiles + deletedFiles
  if (entries.length < said) malformed(`it has ${entries.length} files instead of ${said}`)
  return entries
}

/** All keys from the start, so that thousands of entries have one shape. */
function emptyEntry(specId: number): ManifestEntry {
  return {
    status: 'existing',
    snapshotId: null,
    sequenceNumber: null,
    fileSequenceNumber: null,
    file: {
      content: 'data',
      path: '',
      format: '',
      specId,
      partition: [],
      recordCount: 0,
      fileBytes: 0,
      columnBytes: undefined,
      valueCounts: undefined,
      nullCounts: undefined,
      nanCounts: undefined,
      lowerBounds: undefined,
      upperBounds: undefined,
      splitOffsets: undefined,
      equalityIds: undefined,
      sortOrderId: undefined,
      crc32: undefined,
    },
  }
}

interface Inherited {
  snapshotId: string
  sequenceNumber: number
}

function inherit(entry: ManifestEntry, { snapshotId, sequenceNumber }: Inherited): void {
  entry.snapshotId ??= snapshotId
  if (entry.status !== 'added' && sequenceNumber !== 0) return
  entry.sequenceNumber ??= sequenceNumber
  entry.fileSequenceNumber ??= sequenceNumber
}

const prepared = preparedSchemas((schema, columns: readonly PartitionColumn[]) => ({
  step: entryStep(schema, columns),
  isVersion1: !fieldsOf(schema).some(field => field['field-id'] === 3),
}))

function entryStep(schema: AvroType, columns: readonly PartitionColumn[]): Step<ManifestEntry> {
  return recordStep<ManifestEntry>(
    schema,
    {
      0: numberStep((entry, status) => {
        entry.status = STATUSES[status] ?? malformed(`an entry of the status ${status}`)
      }),
      1: nullable(idStep((entry, id) => (entry.snapshotId = id))),
      2: type => {
        const step = fileStep(type, columns)
        return (cursor, entry) => step(cursor, entry.file)
      },
      3: nullable(numberStep((entry, number) => (entry.sequenceNumber = number))),
      4: nullable(numberStep((entry, number) => (entry.fileSequenceNumber = number))),
    },
    [0, 2],
  )
}

/** Later writers say it in capitals, early ones did not. */
const FORMATS = new Map(
  ['PARQUET', 'AVRO', 'ORC', 'PUFFIN'].flatMap(name => [
    [name, name],
    [name.toLowerCase(), name],
  ]),
)

function fileStep(type: AvroType, columns: readonly PartitionColumn[]): Step<DataFile> {
  return recordStep<DataFile>(
    type,
    {
      134: numberStep((file, content) => {
        file.content = CONTENTS[content] ?? malformed(`a file of the content ${content}`)
      }),
      100: textStep((file, path) => (file.path = path)),
      101: textStep((file, format) => (file.format = FORMATS.get(format) ?? format.toUpperCase())),
      102: record => {
        const read = partitionStep(record, columns)
        return (cursor, file) => void (file.partition = read(cursor))
      },
      103: numberStep((file, count) => (file.recordCount = notNegative(count))),
      104: numberStep((file, bytes) => (file.fileBytes = notNegative(bytes))),
      108: countsStep((file, counts) => (file.columnBytes = counts)),
      109: countsStep((file, counts) => (file.valueCounts = counts)),
      110: countsStep((file, counts) => (file.nullCounts = counts)),
      137: countsStep((file, counts) => (file.nanCounts = counts)),
      125: boundsStep((file, bounds) => (file.lowerBounds = bounds)),
      128: boundsStep((file, bounds) => (file.upperBounds = bounds)),
      131: nullable(bytesStep(file => refuseEncrypted(file))),
      132: nullable(numbersStep((file, offsets) => (file.splitOffsets = offsets))),
      135: nullable(numbersStep((file, ids) => (file.equalityIds = ids))),
      140: nullable(numberStep((file, id) => (file.sortOrderId = id))),
    },
    [100, 101, 102, 103, 104],
  )
}

function notNegative(value: number): number {
  return value >= 0 ? value : malformed(`a count of ${value}`)
}

function refuseEncrypted({ path }: DataFile): never {
  throw new Failure('INVALID_INPUT', `its file ${path} is encrypted, which K2 does not read`)
}

type ColumnStep = (type: AvroType) => Step<DataFile>

function countsStep(put: (file: DataFile, counts: ReadonlyMap<number, number>) => void): ColumnStep {
  return nullable(type => {
    expectPairs(type, 'int', 'long')
    return (cursor: Cursor, file) => put(file, readColumnMap<number>(cursor, 'number'))
  })
}

function boundsStep(put: (file: DataFile, bounds: ReadonlyMap<number, Uint8Array>) => void): ColumnStep {
  return nullable(type => {
    expectPairs(type, 'bytes')
    return (cursor: Cursor, file) => put(file, readColumnMap<Uint8Array>(cursor, 'bytes'))
  })
}

/** A list of records of an int and a value: the only form Iceberg's writers give to a map by column. */
function expectPairs(type: AvroType, ...values: string[]): void {
  expectType(type, 'array')
  const [key, value, ...more] = fieldsOf(attributesOf(type).items as AvroType)
  const isPair = value !== undefined && more.length === 0 && typeNameOf(key.type) === 'int'
  if (!isPair) malformed('a map by column that is not a list of pairs')
  expectType(value.type, ...values)
}
