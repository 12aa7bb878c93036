import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ManifestEntry, ManifestFile } from '../../../../src/main/lake/iceberg/data-file.ts'
import { decodeManifest, encodeManifest } from '../../../../src/main/lake/iceberg/manifest.ts'
import { summarizeManifest } from '../../../../src/main/lake/iceberg/summarize-manifest.ts'
import { foreignFile, readForeign } from './foreign-avro.ts'
import { anyEntry, byEveryType, everyType, plainEntry, trades, tradesEntry } from './manifest-sample.ts'

const { schema, partitionSpecs } = trades
const spec = partitionSpecs[1]
const SNAPSHOT = '9007199254740993'

const sourceOf = (bytes: Uint8Array, entries: readonly ManifestEntry[]): ManifestFile =>
  summarizeManifest(entries, {
    path: 's3://lake/m0.avro',
    length: bytes.length,
    content: 'data',
    spec,
    schema,
    snapshotId: SNAPSHOT,
    sequenceNumber: 7,
  })
const anySource: ManifestFile = { ...sourceOf(new Uint8Array(), []), length: 0 }

describe('a manifest', () => {
  it('comes back as it was, whatever its partitions, counts and bounds are', () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { maxLength: 5 }), entries => {
        const bytes = encodeManifest({ schema: everyType, spec: byEveryType, content: 'data', entries })
        const back = decodeManifest(bytes, { ...anySource, specId: 4 }, byEveryType, everyType)
        expect(back.map(plainEntry)).toEqual(entries.map(plainEntry))
        const again = encodeManifest({ schema: everyType, spec: byEveryType, content: 'data', entries: back })
        expect(decodeManifest(again, { ...anySource, specId: 4 }, byEveryType, everyType).map(plainEntry)).toEqual(
          entries.map(plainEntry),
        )
      }),
      { numRuns: 60 },
    )
  })

  it('gives its entries the snapshot and the sequence numbers of its line in the list', () => {
    const entries: ManifestEntry[] = [
      tradesEntry(1),
      { ...tradesEntry(2), status: 'existing', snapshotId: '5', sequenceNumber: 3, fileSequenceNumber: 2 },
    ]
    const bytes = encodeManifest({ schema, spec, content: 'data', entries })
    const back = decodeManifest(bytes, sourceOf(bytes, entries), spec, schema)
    expect(
      back.map(({ snapshotId, sequenceNumber, fileSequenceNumber }) => [
        snapshotId,
        sequenceNumber,
        fileSequenceNumber,
      ]),
    ).toEqual([
      [SNAPSHOT, 7, 7],
      ['5', 3, 2],
    ])
  })

  it('of more entries than a block holds has all of them, in order', () => {
    const entries = Array.from({ length: 3000 }, (_, n) => tradesEntry(n))
    const bytes = encodeManifest({ schema, spec, content: 'data', entries })
    const back = decodeManifest(bytes, sourceOf(bytes, entries), spec, schema)
    expect(back.map(({ file }) => file.path)).toEqual(entries.map(({ file }) => file.path))
    expect(back[2999].file.lowerBounds?.get(3)).toEqual(Buffer.from('ASX:2999'))
    expect(back[2999].file.lowerBounds?.get(11)).toBeUndefined()
  })

  it('is read by another Avro library, with field ids in its header', async () => {
    const bytes = encodeManifest({ schema, spec, content: 'data', entries: [tradesEntry(1)] })
    const { schema: written, meta, values } = await readForeign(bytes)
    expect(values).toMatchObject([
      {
        status: 1,
        snapshot_id: null,
        data_file: {
          content: 0,
          file_format: 'PARQUET',
          partition: { exchange_date: 20_458, symbol_hash: 1 },
          record_count: 1001n,
          split_offsets: [4n],
          equality_ids: null,
          sort_order_id: 1,
        },
      },
    ])
    expect(meta).toMatchObject({ 'schema-id': '0', 'partition-spec-id': '1', 'format-version': '2', content: 'data' })
    expect(JSON.parse(meta.schema)).toEqual(schema)
    expect(JSON.parse(meta['partition-spec'])).toEqual(spec.fields)
    const text = JSON.stringify(written)
    for (const id of ['"field-id":102', '"field-id":1001', '"field-id":126', '"element-id":133'])
      expect(text).toContain(id)
    expect(text).toContain('"logicalType":"map"')
  })
})

const field = (id: number, name: string, type: unknown) => ({ name, type, 'field-id': id })
const foreignSchema = (more: object[] = [], file: object[] = []) => ({
  type: 'record',
  name: 'manifest_entry',
  fields: [
    ...more,
    field(2, 'data_file', {
      type: 'record',
      name: 'data_file',
      fields: [
        field(104, 'size', 'long'),
        field(105, 'block_size_in_bytes', 'long'),
        field(103, 'rows', 'long'),
        field(102, 'partition', {
          type: 'record',
          name: 'p',
          fields: [
            field(1001, 'bucket_of_symbol', ['int', 'null']),
            field(1000, 'day', ['null', { type: 'int', logicalType: 'date' }]),
            field(1002, 'unknown', ['null', { type: 'fixed', name: 'f2', size: 2 }]),
            field(1003, 'unknown_too', ['null', 'f2']),
          ],
        }),
        field(101, 'file_format', 'string'),
        field(100, 'location', 'string'),
        ...file,
      ],
    }),
    field(0, 'status', 'int'),
    field(1, 'snapshot_id', 'long'),
  ],
})
const foreignEntry = (more: object = {}) => ({
  status: 2,
  snapshot_id: 12n,
  data_file: {
    size: 10n,
    block_size_in_bytes: 64n,
    rows: 3n,
    partition: { bucket_of_symbol: 5, day: 19_000, unknown: Buffer.from('ab'), unknown_too: null },
    file_format: 'parquet',
    location: 'hdfs://old/é.parquet',
    ...more,
  },
})

describe('a manifest of another writer', () => {
  it('is read by field ids, whatever its names, order, further fields and codec are', () => {
    for (const codec of ['deflate', 'null']) {
      const bytes = foreignFile({
        schema: foreignSchema(),
        values: [foreignEntry(), foreignEntry()],
        codec,
        blockSize: 1,
      })
      const [, entry] = decodeManifest(bytes, anySource, spec, schema)
      expect(entry).toEqual({
        status: 'deleted',
        snapshotId: '12',
        // Version 1 has none: it was there before everything else.
        sequenceNumber: 0,
        fileSequenceNumber: 0,
        file: {
          content: 'data',
          path: 'hdfs://old/é.parquet',
          format: 'PARQUET',
          specId: 1,
          partition: [19_000, 5],
          recordCount: 3,
          fileBytes: 10,
        },
      })
    }
  })

  it('may leave out a partition field that came later', () => {
    const later = { ...spec, fields: [...spec.fields, { ...spec.fields[0], 'field-id': 1009, name: 'later' }] }
    const [entry] = decodeManifest(
      foreignFile({ schema: foreignSchema(), values: [foreignEntry()] }),
      anySource,
      later,
      schema,
    )
    expect(entry.file.partition).toEqual([19_000, 5, null])
  })

  it('may write counts and bounds in blocks with their length before them', () => {
    const pairs = {
      type: 'array',
      items: { type: 'record', name: 'kv', fields: [field(126, 'key', 'int'), field(127, 'value', 'bytes')] },
    }
    const file = [field(125, 'lower', ['null', pairs])]
    const values = [foreignEntry({ lower: [{ key: 1, value: Buffer.from('a') }] })]
    // A count of one, key, length, text, end; then a count of minus one with the three bytes of its item.
    const plain = Buffer.from([2, 2, 2, 0x61, 0])
    const withLength = Buffer.from([1, 6, 2, 2, 0x61, 0])
    const compress = (block: Buffer) => {
      const at = block.indexOf(plain)
      return Buffer.concat([block.subarray(0, at), withLength, block.subarray(at + plain.length)])
    }
    const bytes = foreignFile({ schema: foreignSchema([], file), values, codec: 'null', compress })
    const read = () => decodeManifest(bytes, anySource, spec, schema)[0].file.lowerBounds!
    expect(read().get(1)).toEqual(Buffer.from('a'))
    expect([...read()]).toEqual([[1, Buffer.from('a')]])
  })

  it('with an encrypted file is refused, as its rows cannot be read', () => {
    const bytes = foreignFile({
      schema: foreignSchema([], [field(131, 'key', ['null', 'bytes'])]),
      values: [foreignEntry({ key: Buffer.from('k') })],
    })
    expect(() => decodeManifest(bytes, anySource, spec, schema)).toThrow('encrypted')
    const plain = foreignFile({
      schema: foreignSchema([], [field(131, 'key', ['null', 'bytes'])]),
      values: [foreignEntry({ key: null })],
    })
    expect(decodeManifest(plain, anySource, spec, schema)).toHaveLength(1)
  })

  it.each<[string, unknown[], object]>([
    ['a status that does not exist', [], { ...foreignEntry(), status: 3 }],
    ['a count below zero', [], foreignEntry({ rows: -1n })],
    ['a content that does not exist', [field(134, 'content', 'int')], foreignEntry({ content: 3 })],
    ['texts where numbers are due', [field(140, 'order', 'string')], foreignEntry({ order: 'x' })],
  ])('with %s is corrupt, named', (_, file, entry) => {
    const bytes = foreignFile({ schema: foreignSchema([], file as object[]), values: [entry] })
    const read = () => decodeManifest(bytes, anySource, spec, schema)
    expect(read).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
    expect(read).toThrow('s3://lake/m0.avro')
  })
})

describe('a damaged manifest', () => {
  const entries = Array.from({ length: 40 }, (_, n) => tradesEntry(n))
  const bytes = Buffer.from(encodeManifest({ schema, spec, content: 'data', entries }))
  const source = sourceOf(bytes, entries)
  const failsWell = (read: () => ManifestEntry[]) => {
    try {
      const bounds = read().flatMap(({ file }) => [...(file.lowerBounds ?? []), ...(file.upperBounds ?? [])])
      expect(bounds.every(([, bound]) => bound instanceof Uint8Array)).toBe(true)
    } catch (error) {
      expect(error).toMatchObject({ name: 'Failure' })
      expect((error as Error).message).toContain(source.path)
    }
  }

  it('that is cut off anywhere is corrupt', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), length => {
        expect(() => decodeManifest(bytes.subarray(0, length), source, spec, schema)).toThrow(
          expect.objectContaining({ code: 'CORRUPT' }),
        )
      }),
      { numRuns: 300 },
    )
  })

  it('with a byte changed is found out or decoded, with its name and without hanging', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(bytes)
        changed[at] = byte
        failsWell(() => decodeManifest(changed, source, spec, schema))
      }),
      { numRuns: 1000 },
    )
  })

  it('with bytes changed inside its blocks is found out or decoded, too', () => {
    const values = Array.from({ length: 4 }, () => foreignEntry())
    const plain = foreignFile({ schema: foreignSchema(), values, codec: 'null' })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(plain.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        changes => {
          const changed = Buffer.from(plain)
          for (const [at, byte] of changes) changed[at] = byte
          failsWell(() => decodeManifest(changed, { ...source, length: 0 }, spec, schema))
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('that lacks files its list counts is corrupt', () => {
    expect(() => decodeManifest(bytes, { ...source, addedFiles: 41 }, spec, schema)).toThrow('40 files instead of 41')
  })
})
