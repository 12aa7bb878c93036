import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ManifestFile, PartitionSummary } from '../../../../src/main/lake/iceberg/data-file.ts'
import { decodeManifestList, encodeManifestList } from '../../../../src/main/lake/iceberg/manifest-list.ts'
import { summarizeManifest } from '../../../../src/main/lake/iceberg/summarize-manifest.ts'
import { foreignFile, readForeign } from './foreign-avro.ts'
import { trades, tradesEntry } from './manifest-sample.ts'

const LOCATION = 's3://lake/snap-1.avro'
const OWNER = { snapshotId: '9007199254740993', parentSnapshotId: '9007199254740995', sequenceNumber: 4 }
const size = fc.nat({ max: 2 ** 50 })
const bound = fc.option(
  fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
  { nil: undefined },
)
const summary: fc.Arbitrary<PartitionSummary> = fc.record({
  containsNull: fc.boolean(),
  containsNan: fc.option(fc.boolean(), { nil: undefined }),
  lowerBound: bound,
  upperBound: bound,
})
const anyManifest: fc.Arbitrary<ManifestFile> = fc.record({
  path: fc.string({ unit: 'grapheme' }),
  length: size,
  specId: fc.nat(),
  content: fc.constantFrom('data', 'deletes'),
  sequenceNumber: size,
  minSequenceNumber: size,
  addedSnapshotId: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String),
  addedFiles: fc.nat(),
  existingFiles: fc.nat(),
  deletedFiles: fc.nat(),
  addedRows: size,
  existingRows: size,
  deletedRows: size,
  partitions: fc.option(fc.array(summary, { maxLength: 3 }), { nil: undefined }),
})
const { schema, partitionSpecs } = trades
const spec = partitionSpecs[1]
const place = { path: 'm', length: 10, content: 'data' as const, spec, schema, snapshotId: '5', sequenceNumber: 7 }

describe('a manifest list', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(anyManifest, { maxLength: 6 }), manifests => {
        expect(decodeManifestList(encodeManifestList(manifests, OWNER), LOCATION)).toEqual(manifests)
      }),
    )
  })

  it('is read by another Avro library, and says whose it is', async () => {
    const manifest = summarizeManifest([tradesEntry(1), tradesEntry(20)], place)
    const { meta, values } = await readForeign(encodeManifestList([manifest], OWNER))
    expect(meta).toMatchObject({
      'snapshot-id': '9007199254740993',
      'parent-snapshot-id': '9007199254740995',
      'sequence-number': '4',
      'format-version': '2',
    })
    expect(values).toMatchObject([{ manifest_path: 'm', added_snapshot_id: 5n, added_files_count: 2, content: 0 }])
    const first = await readForeign(encodeManifestList([manifest], { snapshotId: '1', sequenceNumber: 1 }))
    expect(first.meta['parent-snapshot-id']).toBe('null')
  })

  const field = (id: number, name: string, type: unknown) => ({ name, type, 'field-id': id })
  const version1 = (count: unknown) => ({
    type: 'record',
    name: 'manifest_file',
    fields: [
      field(503, 'added_snapshot_id', ['null', 'long']),
      field(504, 'added_data_files_count', count),
      field(505, 'existing_data_files_count', count),
      field(506, 'deleted_data_files_count', count),
      field(500, 'manifest_path', 'string'),
      field(501, 'manifest_length', 'long'),
      field(502, 'partition_spec_id', 'int'),
      field(999, 'something_else', { type: 'map', values: 'string' }),
    ],
  })
  const value = {
    added_snapshot_id: 12n,
    added_data_files_count: 1,
    existing_data_files_count: 2,
    deleted_data_files_count: 3,
    manifest_path: 'old',
    manifest_length: 9n,
    partition_spec_id: 0,
    something_else: { a: 'b' },
  }

  it('of version 1, by its older names, comes before everything of version 2', () => {
    const [read] = decodeManifestList(foreignFile({ schema: version1('int'), values: [value] }), LOCATION)
    expect(read).toMatchObject({
      path: 'old',
      content: 'data',
      sequenceNumber: 0,
      minSequenceNumber: 0,
      addedSnapshotId: '12',
      addedFiles: 1,
      existingFiles: 2,
      deletedFiles: 3,
    })
  })

  it('without counts is refused rather than taken for empty', () => {
    const bytes = foreignFile({
      schema: version1(['null', 'int']),
      values: [{ ...value, added_data_files_count: null }],
    })
    expect(() => decodeManifestList(bytes, LOCATION)).toThrow('a count is missing')
  })

  it('that is cut off anywhere or of another kind is corrupt, named', () => {
    const bytes = encodeManifestList([summarizeManifest([tradesEntry(1)], place)], OWNER)
    for (let length = 0; length < bytes.length; length++) {
      const read = () => decodeManifestList(bytes.subarray(0, length), LOCATION)
      // Up to its header's end it is a list of none, which a reader of the snapshot's counts would notice.
      if (length === headerLength(bytes)) continue
      expect(read).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
      expect(read).toThrow(LOCATION)
    }
    const manifest = foreignFile({ schema: { type: 'record', name: 'x', fields: [] }, values: [] })
    expect(() => decodeManifestList(manifest, LOCATION)).toThrow('no field of id 500')
  })

  it('with a byte changed is found out or decoded', () => {
    const bytes = Buffer.from(
      encodeManifestList(
        [1, 2, 3].map(n => summarizeManifest([tradesEntry(n)], place)),
        OWNER,
      ),
    )
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(bytes)
        changed[at] = byte
        try {
          expect(decodeManifestList(changed, LOCATION).length).toBeLessThan(100)
        } catch (error) {
          expect(error).toMatchObject({ name: 'Failure' })
          expect((error as Error).message).toContain(LOCATION)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

/** The header ends with the same 16 bytes as the file. */
function headerLength(bytes: Uint8Array): number {
  const file = Buffer.from(bytes)
  return file.indexOf(file.subarray(-16)) + 16
}

describe('a line in the list', () => {
  it('counts files and rows by what became of them', () => {
    const entries = [
      tradesEntry(0),
      { ...tradesEntry(17), status: 'existing' as const, sequenceNumber: 3 },
      { ...tradesEntry(2), status: 'deleted' as const, sequenceNumber: 1 },
    ]
    expect(summarizeManifest(entries, place)).toMatchObject({
      addedFiles: 1,
      existingFiles: 1,
      deletedFiles: 1,
      addedRows: 1000,
      existingRows: 1017,
      deletedRows: 1002,
      sequenceNumber: 7,
      minSequenceNumber: 3,
      addedSnapshotId: '5',
      specId: 1,
    })
  })

  it('has the bounds of its files in every partition field', () => {
    const [day, hash] = summarizeManifest([tradesEntry(0), tradesEntry(17), tradesEntry(40)], place).partitions!
    expect(day).toMatchObject({ containsNull: false, containsNan: false })
    expect(Buffer.from(day.lowerBound!).readInt32LE()).toBe(20_458)
    expect(Buffer.from(day.upperBound!).readInt32LE()).toBe(20_460)
    expect(Buffer.from(hash.upperBound!).readInt32LE()).toBe(8)
  })

  it('says where a partition has no value, and no bounds where none has', () => {
    const without = tradesEntry(0)
    without.file = { ...without.file, partition: [null, 3] }
    const [day, hash] = summarizeManifest([without], place).partitions!
    expect(day).toEqual({ containsNull: true, containsNan: false })
    expect(hash.containsNull).toBe(false)
  })

  it('has no partitions where the table has none', () => {
    const plain = { ...place, spec: { 'spec-id': 0, fields: [] } }
    expect(summarizeManifest([], plain)).toMatchObject({ partitions: [], minSequenceNumber: 7, addedFiles: 0 })
  })
})
