import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeValue } from '../../../../src/main/lake/iceberg/single-value.ts'
import type { DataFile } from '../../../../src/main/lake/iceberg/data-file.ts'
import type { PartitionSpec } from '../../../../src/main/lake/iceberg/metadata.ts'
import { bindFilter } from '../../../../src/main/lake/read/bind-filter.ts'
import { indexFiles } from '../../../../src/main/lake/read/file-index.ts'
import type { Condition, Filter } from '../../../../src/main/lake/read/filter.ts'
import { passingFiles, passingManifests, prunerFor } from '../../../../src/main/lake/read/prune.ts'
import {
  conditions,
  dataFile,
  fieldNamed,
  manifestOf,
  partitionOf,
  passes,
  rowsOfSample,
  schema,
  specs,
  values,
  type FileHabits,
  type SampleRow,
} from './sample-files.ts'

const DAY = 86_400_000_000n
const empty: SampleRow = Object.fromEntries(Object.keys(values).map(name => [name, null]))
const row = (changes: SampleRow): SampleRow => ({ ...empty, ...changes })

function entriesOf(files: readonly DataFile[]) {
  return files.map(file => ({
    status: 'added' as const,
    snapshotId: '1',
    sequenceNumber: 1,
    fileSequenceNumber: 1,
    file,
  }))
}

function passing(files: readonly DataFile[], filter: Filter, spec: PartitionSpec): boolean[] {
  const pruner = prunerFor(bindFilter(schema, filter), spec)
  return Array.from(passingFiles(indexFiles(entriesOf(files)), pruner), Boolean)
}

/** Whether a file of these rows is read. */
function isRead(
  rows: SampleRow[],
  filter: Filter,
  { spec = specs[0], ...habits }: FileHabits & { spec?: PartitionSpec } = {},
) {
  return passing([dataFile('a', rows, spec, habits)], filter, spec)[0]
}

describe('pruning', () => {
  const longId = schema.fields.find(({ name }) => name === 'long')!.id

  it('never leaves out a file or a manifest that holds a passing row', () => {
    const habits = fc.record({
      bare: fc.subarray(Object.keys(values)),
      promoted: fc.boolean(),
    })
    const cases = fc.record({
      spec: fc.constantFrom(...specs),
      files: fc.array(fc.tuple(rowsOfSample, habits), { minLength: 1, maxLength: 4 }),
      filter: fc.array(conditions, { minLength: 1, maxLength: 3 }),
    })
    fc.assert(
      fc.property(cases, ({ spec, files, filter }) => {
        // A file holds rows of one partition: the one of its first row.
        const rows = files.map(([all]) => {
          const key = JSON.stringify(partitionOf(all[0], spec), exactText)
          return all.filter(each => JSON.stringify(partitionOf(each, spec), exactText) === key)
        })
        // The least of longs is cut to one below all longs, which no manifest can hold.
        const isStorable = (value: unknown) => typeof value !== 'bigint' || BigInt.asIntN(64, value) === value
        const ofLongs = spec.fields.map(({ 'source-id': id }) => id === longId)
        fc.pre(rows.every(([first]) => partitionOf(first, spec).every((value, i) => !ofLongs[i] || isStorable(value))))
        const made = rows.map((all, i) => dataFile(String(i), all, spec, files[i][1]))
        const holds = rows.map(all => all.some(each => filter.every(condition => passes(each, condition))))
        const read = passing(made, filter, spec)
        holds.forEach((holdsRow, i) => expect(!holdsRow || read[i]).toBe(true))
        if (holds.includes(true)) {
          const manifests = [manifestOf(made, spec)]
          const pruner = prunerFor(bindFilter(schema, filter), spec)
          expect(passingManifests(manifests, () => pruner)).toEqual(manifests)
        }
      }),
      { numRuns: 1500 },
    )
  })

  it('leaves out every file of one row that does not pass, by exact bounds or by partition', () => {
    // Text beyond 16 characters has cut bounds, `<` and `>` of text and floats keep their end, 2^53 is rounded.
    const isExact = (condition: Condition) =>
      !(/^(<|>)$/.test(condition.op) && /string|binary|float|double|boolean/.test(condition.column)) &&
      !/long|double|wide/.test(condition.column)
    fc.assert(
      fc.property(rowsOfSample, conditions, (rows, condition) => {
        fc.pre(isExact(condition))
        const short = rows.map(each => ({
          ...each,
          string: String(each.string ?? '').slice(0, 15),
          binary: null,
          decimal: each.decimal === null ? null : (each.decimal as bigint) % 4n,
        }))
        const read = isRead(short.slice(0, 1), [condition])
        expect(read).toBe(passes(short[0], condition))
      }),
      { numRuns: 1000 },
    )
  })

  it('keeps to the days of a range whose end is left out', () => {
    const spec = specs[1]
    const day = (n: bigint) => [{ column: 'timestamptz', op: '<' as const, value: n * DAY }]
    const file = dataFile('a', [row({ timestamptz: 3n * DAY })], spec, { bare: ['timestamptz'] })
    expect(passing([file], day(3n), spec)).toEqual([false])
    expect(passing([file], [{ column: 'timestamptz', op: '<', value: 3n * DAY + 1n }], spec)).toEqual([true])
    expect(passing([file], [{ column: 'timestamptz', op: '>', value: 4n * DAY - 1n }], spec)).toEqual([false])
    expect(passing([file], [{ column: 'timestamptz', op: '>=', value: 4n * DAY - 1n }], spec)).toEqual([true])
  })

  it('keeps to the bucket of a symbol, and of each of several', () => {
    const spec = specs[2]
    const symbols = Array.from({ length: 20 }, (_, i) => `S${i}`)
    const files = symbols.map(string =>
      dataFile(string, [row({ string, timestamptz: 0n })], spec, { bare: ['string'] }),
    )
    const bucketOf = (file: DataFile) => file.partition[1]
    const one = passing(files, [{ column: 'string', op: '=', value: 'S7' }], spec)
    expect(one).toEqual(files.map(file => bucketOf(file) === bucketOf(files[7])))
    const two = passing(files, [{ column: 'string', op: 'in', values: ['S7', 'S9'] }], spec)
    expect(two).toEqual(files.map(file => [7, 9].some(i => bucketOf(file) === bucketOf(files[i]))))
    expect(passing(files, [{ column: 'string', op: '>', value: 'S7' }], spec)).toEqual(files.map(() => true))
  })

  it('reads what it cannot judge: no bounds, unknown transforms, a column added later', () => {
    const spec = specs[6] // with void and an unknown transform
    const file = { ...dataFile('a', [row({ int: 1, date: 1, string: 'a', double: 1 })], spec), lowerBounds: undefined }
    const blind = { ...file, upperBounds: undefined, nullCounts: undefined, valueCounts: undefined }
    expect(passing([blind], [{ column: 'int', op: '=', value: 99 }], spec)).toEqual([true])
    expect(passing([blind], [{ column: 'date', op: '=', value: 99 }], spec)).toEqual([true])
    expect(passing([blind], [{ column: 'int', op: 'is null' }], spec)).toEqual([true])
    expect(passing([blind], [{ column: 'int', op: 'is not null' }], spec)).toEqual([true])
    expect(passing([{ ...blind, partition: [] }], [{ column: 'string', op: '=', value: 'b' }], spec)).toEqual([true])
  })

  it('reads what has bounds of a width that its type cannot have', () => {
    const { id } = fieldNamed('timestamptz')
    const file = dataFile('a', [row({ timestamptz: 5n })], specs[0])
    const short = new Map([[id, encodeValue('date', 0)]])
    const odd = { ...file, lowerBounds: short, upperBounds: short }
    expect(passing([odd], [{ column: 'timestamptz', op: '>', value: 100n }], specs[0])).toEqual([true])
  })

  it('judges nulls and NaN by their counts', () => {
    expect(isRead([row({})], [{ column: 'int', op: '>', value: -100 }])).toBe(false)
    expect(isRead([row({})], [{ column: 'int', op: 'is not null' }])).toBe(false)
    expect(isRead([row({ int: 1 })], [{ column: 'int', op: 'is null' }])).toBe(false)
    expect(isRead([row({ int: 1 }), row({})], [{ column: 'int', op: 'is null' }])).toBe(true)
    expect(isRead([row({ double: NaN }), row({})], [{ column: 'double', op: '>', value: 0 }])).toBe(false)
    expect(isRead([row({ double: NaN })], [{ column: 'double', op: 'is not null' }])).toBe(true)
  })

  it('finds nothing in an empty list of values', () => {
    expect(isRead([row({ int: 1 })], [{ column: 'int', op: 'in', values: [] }])).toBe(false)
  })

  it('tells texts apart beyond their first bytes, in the order of UTF-8 and not of JavaScript', () => {
    expect(isRead([row({ string: 'symbol-1' })], [{ column: 'string', op: '=', value: 'symbol-2' }])).toBe(false)
    expect(isRead([row({ string: '\u{1F600}' })], [{ column: 'string', op: '>=', value: '\uFFFD' }])).toBe(true)
    expect(isRead([row({ string: '\uFFFD' })], [{ column: 'string', op: '>=', value: '\u{1F600}' }])).toBe(false)
  })

  it('reads a day before 1970 that old writers put into the next one', () => {
    const spec = specs[1]
    const file = { ...dataFile('a', [row({ timestamptz: -1n })], spec, { bare: ['timestamptz'] }), partition: [0] }
    expect(passing([file], [{ column: 'timestamptz', op: '=', value: -1n }], spec)).toEqual([true])
  })
})

describe('a filter', () => {
  it('that names no column of the table is refused with those there are', () => {
    expect(() => bindFilter(schema, [{ column: 'prize', op: 'is null' }])).toThrow(
      /There is no column prize. The columns are boolean, int, /,
    )
  })

  it.each<[string, Condition]>([
    ['a text for a number', { column: 'int', op: '=', value: 'a' }],
    ['a fraction for a long', { column: 'long', op: '=', value: 1.5 }],
    ['a number for an unscaled decimal', { column: 'decimal', op: '=', value: 1 }],
    ['NaN', { column: 'double', op: '>', value: NaN }],
    ['bytes for a text', { column: 'string', op: '=', value: new Uint8Array(1) }],
    ['a number for a boolean', { column: 'boolean', op: 'in', values: [1] }],
  ])('that compares with %s is refused', (_, condition) => {
    expect(() => bindFilter(schema, [condition])).toThrow(`Column ${condition.column} is a`)
  })
})

function exactText(_: string, value: unknown): unknown {
  // NaN and the infinities are null in JSON.
  return typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)) ? String(value) : value
}
