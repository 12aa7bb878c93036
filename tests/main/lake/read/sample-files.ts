// Data files made by hand: their rows in memory, and the counts, bounds and partitions that a writer would note.
import fc from 'fast-check'
import type { DataFile, ManifestFile, PartitionSummary } from '../../../../src/main/lake/iceberg/data-file.ts'
import type { PartitionSpec } from '../../../../src/main/lake/iceberg/metadata.ts'
import type { PrimitiveType, Schema, Value } from '../../../../src/main/lake/iceberg/schema.ts'
import { compareValues, encodeValue } from '../../../../src/main/lake/iceberg/single-value.ts'
import { transformOf } from '../../../../src/main/lake/iceberg/transform.ts'
import { truncateBounds } from '../../../../src/main/lake/iceberg/truncate-bounds.ts'
import type { Condition } from '../../../../src/main/lake/read/filter.ts'

export type SampleRow = Readonly<Record<string, Value | null>>

/** One column of every type that can be compared. */
export const schema: Schema = {
  type: 'struct',
  'schema-id': 0,
  fields: [
    'boolean',
    'int',
    'long',
    'float',
    'double',
    'decimal(18, 8)',
    'decimal(38, 4)',
    'date',
    'timestamptz',
    'string',
    'binary',
  ].map((type, i) => ({ id: i + 1, name: type.replace(/\W.*/, i === 6 ? '_wide' : ''), required: false, type })),
}

const DAY_MICROS = 86_400_000_000n

/** Few different values each, so that files and filters meet, and the awkward ones. */
export const values: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  boolean: fc.boolean(),
  int: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1)),
  long: fc.oneof(
    fc.bigInt({ min: -5n, max: 5n }),
    fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }),
    fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 63n) + 2000n }),
    fc.constant(2n ** 63n - 1n),
  ),
  float: fc.constantFrom(-Infinity, -1.5, -0, 0, 0.5, 1.5, 16777216, Infinity),
  double: fc.constantFrom(-Infinity, -1.5, -0, 0, 0.1, 0.30000000000000004, 1.5, 2 ** 53 + 2, 1e300, Infinity),
  decimal: fc.oneof(fc.bigInt({ min: -3n, max: 3n }), fc.bigInt({ min: 10n ** 17n, max: 10n ** 17n + 3n })),
  decimal_wide: fc.oneof(
    fc.bigInt({ min: -(10n ** 37n) - 3n, max: -(10n ** 37n) + 3n }),
    fc.bigInt({ min: 10n ** 37n, max: 10n ** 37n + 10n ** 22n }),
  ),
  date: fc.integer({ min: -40, max: 40 }),
  timestamptz: fc.oneof(
    fc.bigInt({ min: -2n * DAY_MICROS, max: 2n * DAY_MICROS }),
    fc.constantFrom(-1n, 0n, 1n, DAY_MICROS - 1n, DAY_MICROS, -DAY_MICROS),
  ),
  string: fc.oneof(
    fc.constantFrom('', 'BHP', 'BHP.AX', 'RIO', 'symbol-1', 'symbol-10', 'symbol-2', '\u{1F600}', '\uFFFD', 'é'),
    fc.string({ minLength: 15, maxLength: 20 }),
  ),
  binary: fc.uint8Array({ maxLength: 20 }),
}

export const specs: readonly PartitionSpec[] = [
  [],
  [['timestamptz', 'day']],
  [
    ['timestamptz', 'day'],
    ['string', 'bucket[4]'],
  ],
  [
    ['string', 'identity'],
    ['long', 'truncate[3]'],
  ],
  [
    ['timestamptz', 'hour'],
    ['decimal', 'truncate[2]'],
    ['date', 'month'],
  ],
  [
    ['int', 'identity'],
    ['date', 'year'],
    ['long', 'bucket[3]'],
  ],
  [
    ['string', 'truncate[3]'],
    ['double', 'identity'],
    ['int', 'void'],
    ['date', 'zorder'],
  ],
  [
    ['boolean', 'identity'],
    ['decimal_wide', 'bucket[2]'],
    ['binary', 'truncate[1]'],
    ['timestamptz', 'year'],
  ],
].map((fields, id) => ({
  'spec-id': id,
  fields: fields.map(([name, transform], i) => ({
    'source-id': fieldNamed(name).id,
    'field-id': 1000 + i,
    name: `${name}_${i}`,
    transform,
  })),
}))

export function fieldNamed(name: string) {
  return schema.fields.find(field => field.name === name)!
}

export const rowsOfSample: fc.Arbitrary<SampleRow[]> = fc.array(
  fc.record(
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        fc.oneof(
          { weight: 6, arbitrary: value },
          { weight: 1, arbitrary: fc.constant(null) },
          { weight: name === 'double' || name === 'float' ? 1 : 0, arbitrary: fc.constant(NaN) },
        ),
      ]),
    ),
  ),
  { minLength: 1, maxLength: 4 },
)

export const conditions: fc.Arbitrary<Condition> = fc.constantFrom(...Object.keys(values)).chain(column =>
  fc.oneof(
    fc.record({
      column: fc.constant(column),
      op: fc.constantFrom('<' as const, '<=' as const, '>' as const, '>=' as const, '=' as const),
      value: values[column],
    }),
    fc.record({
      column: fc.constant(column),
      op: fc.constant('in' as const),
      values: fc.array(values[column], { maxLength: 4 }),
    }),
    fc.record({ column: fc.constant(column), op: fc.constantFrom('is null' as const, 'is not null' as const) }),
  ),
)

export function passes(row: SampleRow, condition: Condition): boolean {
  const value = row[condition.column]
  if (condition.op === 'is null') return value === null
  if (condition.op === 'is not null') return value !== null
  if (value === null || Number.isNaN(value)) return false
  const type = fieldNamed(condition.column).type as PrimitiveType
  const compare = (to: Value) => (value === 0 && to === 0 ? 0 : compareValues(type, value, to)) // -0 equals 0 in SQL
  switch (condition.op) {
    case 'in':
      return condition.values.some(wanted => compare(wanted) === 0)
    case '=':
      return compare(condition.value) === 0
    case '<':
      return compare(condition.value) < 0
    case '<=':
      return compare(condition.value) <= 0
    case '>':
      return compare(condition.value) > 0
    case '>=':
      return compare(condition.value) >= 0
  }
}

export interface FileHabits {
  /** Columns without any counts or bounds. */
  bare?: readonly string[]
  /** Longs that were ints when this was written have bounds of four bytes. */
  promoted?: boolean
}

/** The rows of one partition, as the file that a writer makes of them. */
export function dataFile(
  path: string,
  rows: readonly SampleRow[],
  spec: PartitionSpec,
  { bare = [], promoted = false }: FileHabits = {},
): DataFile {
  const file = {
    content: 'data' as const,
    path,
    format: 'PARQUET',
    specId: spec['spec-id'],
    partition: partitionOf(rows[0], spec),
    recordCount: rows.length,
    fileBytes: 1000,
    valueCounts: new Map<number, number>(),
    nullCounts: new Map<number, number>(),
    nanCounts: new Map<number, number>(),
    lowerBounds: new Map<number, Uint8Array>(),
    upperBounds: new Map<number, Uint8Array>(),
  }
  for (const { id, name, type } of schema.fields) {
    if (bare.includes(name)) continue
    const all = rows.map(row => row[name])
    const numbers = all.filter((value): value is Value => value !== null && !Number.isNaN(value))
    file.valueCounts.set(id, rows.length)
    file.nullCounts.set(id, all.filter(value => value === null).length)
    if (name === 'double' || name === 'float') file.nanCounts.set(id, all.filter(value => Number.isNaN(value)).length)
    if (numbers.length === 0) continue
    const sorted = numbers.toSorted((a, b) => compareValues(type as string, a, b))
    const { lower, upper } = truncateBounds(sorted[0], sorted.at(-1)!)
    const isShort =
      promoted && name === 'long' && [lower, upper].every(value => BigInt.asIntN(32, value as bigint) === value)
    const encode = (value: Value) => (isShort ? encodeValue('int', Number(value)) : encodeValue(type as string, value))
    file.lowerBounds.set(id, encode(lower))
    if (upper !== undefined) file.upperBounds.set(id, encode(upper))
  }
  return file
}

export function partitionOf(row: SampleRow, spec: PartitionSpec): (Value | null)[] {
  return spec.fields.map(({ 'source-id': id, transform }) => {
    const { name, type } = schema.fields.find(field => field.id === id)!
    return transform === 'zorder' ? 7 : transformOf(transform).apply(type as string, row[name])
  })
}

export function manifestOf(files: readonly DataFile[], spec: PartitionSpec): ManifestFile {
  return {
    path: 'manifest',
    length: 1,
    specId: spec['spec-id'],
    content: 'data',
    sequenceNumber: 1,
    minSequenceNumber: 1,
    addedSnapshotId: '1',
    addedFiles: files.length,
    existingFiles: 0,
    deletedFiles: 0,
    addedRows: 1,
    existingRows: 0,
    deletedRows: 0,
    partitions: spec.fields.map((field, i) => summaryOf(files, spec, i)),
  }
}

function summaryOf(files: readonly DataFile[], spec: PartitionSpec, i: number): PartitionSummary {
  const { 'source-id': id, transform } = spec.fields[i]
  const source = schema.fields.find(field => field.id === id)!.type as string
  const type = transform === 'zorder' ? 'int' : transformOf(transform).resultType(source)
  const all = files.map(({ partition }) => partition[i])
  const sorted = all
    .filter((value): value is Value => value !== null && !Number.isNaN(value))
    .toSorted((a, b) => compareValues(type, a, b))
  return {
    containsNull: all.includes(null),
    containsNan: all.some(value => Number.isNaN(value)),
    ...(sorted.length > 0 && {
      lowerBound: encodeValue(type, sorted[0]),
      upperBound: encodeValue(type, sorted.at(-1)!),
    }),
  }
}
