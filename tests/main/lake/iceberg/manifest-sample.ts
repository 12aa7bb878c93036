// Manifest entries for tests: any that the specification allows, and a few of our own tables.
import fc from 'fast-check'
import type { DataFile, ManifestEntry, PerColumn } from '../../../../src/main/lake/iceberg/data-file.ts'
import type { PartitionSpec } from '../../../../src/main/lake/iceberg/metadata.ts'
import type { PrimitiveType, Schema, Value } from '../../../../src/main/lake/iceberg/schema.ts'
import { encodeValue } from '../../../../src/main/lake/iceberg/single-value.ts'
import { definitionOf } from '../../../../src/main/lake/tables.ts'

const size = fc.nat({ max: 2 ** 50 })
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const text = fc.string({ unit: 'grapheme', maxLength: 30 })
const bytes = (minLength: number, maxLength = minLength) =>
  fc.uint8Array({ minLength, maxLength }).map(array => Buffer.from(array))

/** One column of every type that can be partitioned by. */
export const valuesOf: Record<PrimitiveType, fc.Arbitrary<Value>> = {
  boolean: fc.boolean(),
  int: fc.integer(),
  long,
  float: fc.float({ noNaN: true }),
  double: fc.double({ noNaN: true }),
  date: fc.integer(),
  time: long,
  timestamp: long,
  timestamptz: long,
  string: text,
  uuid: bytes(16),
  'fixed[3]': bytes(3),
  binary: bytes(0, 20),
  'decimal(9, 2)': fc.bigInt({ min: -(10n ** 9n) + 1n, max: 10n ** 9n - 1n }),
  'decimal(38, 10)': fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
}

const types = Object.keys(valuesOf)
export const everyType: Schema = {
  type: 'struct',
  'schema-id': 3,
  fields: types.map((type, i) => ({ id: i + 1, name: `c ${type}`, required: false, type })),
}
export const byEveryType: PartitionSpec = {
  'spec-id': 4,
  fields: types.map((type, i) => ({
    'source-id': i + 1,
    'field-id': 1000 + i,
    name: `by ${type}`,
    transform: 'identity',
  })),
}

const partition = fc.tuple(...types.map(type => fc.option(valuesOf[type])))
const perColumn = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<PerColumn<T>> =>
  fc.array(fc.tuple(fc.integer({ min: 1, max: 2 ** 31 - 1 }), value), { maxLength: 5 }).map(pairs => new Map(pairs))
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

const file: fc.Arbitrary<DataFile> = fc.record({
  content: fc.constantFrom('data', 'position-deletes', 'equality-deletes'),
  path: text,
  format: fc.constantFrom('PARQUET', 'AVRO', 'ORC', 'PUFFIN'),
  specId: fc.constant(4),
  partition,
  recordCount: size,
  fileBytes: size,
  columnBytes: maybe(perColumn(size)),
  valueCounts: maybe(perColumn(size)),
  nullCounts: maybe(perColumn(size)),
  nanCounts: maybe(perColumn(size)),
  lowerBounds: maybe(perColumn(bytes(0, 300))),
  upperBounds: maybe(perColumn(bytes(0, 300))),
  splitOffsets: maybe(fc.array(size, { maxLength: 4 })),
  equalityIds: maybe(fc.array(fc.nat(), { maxLength: 4 })),
  sortOrderId: maybe(fc.nat()),
  crc32: maybe(fc.nat({ max: 2 ** 32 - 1 })),
})

export const anyEntry: fc.Arbitrary<ManifestEntry> = fc.record({
  status: fc.constantFrom('existing', 'added', 'deleted'),
  snapshotId: long.filter(id => id >= 0n).map(String),
  sequenceNumber: fc.nat(),
  fileSequenceNumber: fc.nat(),
  file,
})

/** Real maps where there are lazy ones, so that entries can be compared. */
export function plainEntry(entry: ManifestEntry): ManifestEntry {
  const plain = Object.entries(entry.file).map(([key, value]: [string, unknown]) => [
    key,
    value !== undefined && /Bytes$|Counts$|Bounds$/.test(key) && key !== 'fileBytes'
      ? new Map([...(value as PerColumn<unknown>)].sort(([a], [b]) => a - b))
      : value,
  ])
  return { ...entry, file: Object.fromEntries(plain) as DataFile }
}

export const trades = definitionOf('trades')

/** The n-th file of a day's commits, with counts and bounds of every column. */
export function tradesEntry(n: number): ManifestEntry {
  const columns = trades.schema.fields.filter(field => typeof field.type === 'string')
  const counts = new Map(trades.schema.fields.map(({ id }) => [id, 1000 + n]))
  const boundOf = (type: string): Value =>
    type === 'string' ? `ASX:${n}` : type === 'int' ? n : BigInt(1_700_000_000_000_000 + n)
  const bounds = new Map(columns.map(({ id, type }) => [id, encodeValue(type as string, boundOf(type as string))]))
  return {
    status: 'added',
    snapshotId: null,
    sequenceNumber: null,
    fileSequenceNumber: null,
    file: {
      content: 'data',
      path: `s3://lake/market_data/trades/data/exchange_date=2026-01-05/symbol_hash=${n % 16}/${n}.parquet`,
      format: 'PARQUET',
      specId: 1,
      partition: [20_458 + Math.floor(n / 16), n % 16],
      recordCount: 1000 + n,
      fileBytes: 100_000 + n,
      columnBytes: counts,
      valueCounts: counts,
      nullCounts: counts,
      lowerBounds: bounds,
      upperBounds: bounds,
      splitOffsets: [4],
      sortOrderId: 1,
    },
  }
}
