import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyUpdates } from '../../../../src/main/lake/iceberg/apply-updates.ts'
import { decodeMetadata, encodeMetadata, parseJson, stringifyJson } from '../../../../src/main/lake/iceberg/json.ts'
import { headOf } from '../../../../src/main/lake/iceberg/metadata.ts'
import { appendOf, emptyTrades, idOf, snapshotOf } from './metadata-sample.ts'

const LOCATION = 'file:///lake/metadata/00001.metadata.json'
const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value))
const decodeChanged = (change: (json: Record<string, unknown>) => void) => {
  const json = JSON.parse(Buffer.from(encodeMetadata(emptyTrades())).toString()) as Record<string, unknown>
  change(json)
  return decodeMetadata(bytesOf(json), LOCATION)
}

describe('snapshot ids', () => {
  it('are numbers in the file and texts of the same digits in memory', () => {
    const text = '{"snapshot-id": 9223372036854775807,"parent-snapshot-id" :-1 , "current-snapshot-id":5}'
    const value = parseJson(text)
    expect(value).toEqual({
      'snapshot-id': '9223372036854775807',
      'parent-snapshot-id': '-1',
      'current-snapshot-id': '5',
    })
    expect(stringifyJson(value)).toBe(text.replaceAll(' ', ''))
  })

  it('are numbers too in a list of those to remove', () => {
    const update = { action: 'remove-snapshots', 'snapshot-ids': [idOf(1), idOf(2)] }
    const text = stringifyJson({ updates: [update] })
    expect(text).toContain(`"snapshot-ids":[${idOf(1)},${idOf(2)}]`)
    expect(parseJson(text)).toEqual({ updates: [update] })
  })

  it('stay null or away where there is none', () => {
    expect(stringifyJson(parseJson('{"snapshot-id":null}'))).toBe('{"snapshot-id":null}')
    expect(stringifyJson({ 'parent-snapshot-id': undefined })).toBe('{}')
  })
})

describe('everything else in JSON', () => {
  it('is left alone, whatever the texts and the property maps hold', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('"snapshot-id":12', '\\"snapshot-id":12', 'snapshot-id', '12', '"snapshot-ids":[1,2]', '\\'),
    )
    const map = fc.dictionary(fc.oneof(text, fc.constant('snapshot-id')), text)
    const other = text.filter(key => !/snapshot-id/.test(key) && key !== '__proto__')
    const value = fc.record({
      properties: map,
      summary: map,
      name: text,
      nested: fc.array(fc.dictionary(other, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)))),
      'snapshot-id': fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String),
    })
    fc.assert(
      fc.property(value, made => {
        expect(parseJson(stringifyJson(made))).toEqual(made)
      }),
    )
  })

  it('keeps a key that only ends like an id, even after an escaped quote', () => {
    expect(parseJson('{"x\\"snapshot-id":5,"my-snapshot-id":6}')).toEqual({ 'x"snapshot-id': 5, 'my-snapshot-id': 6 })
  })

  it('keeps the largest 64-bit number, by which Java says «no limit»', () => {
    const text = '{"max-ref-age-ms":9223372036854775807}'
    expect(stringifyJson(parseJson(text))).toBe(text)
  })
})

describe('table metadata', () => {
  const table = () =>
    [1, 2, 3].reduce(
      (metadata, n) =>
        applyUpdates(metadata, appendOf(snapshotOf(n, { 'k2.note': `"${n}"` })), {
          nowMs: 0,
          previousLocation: `v${n}`,
        }),
      emptyTrades(),
    )

  it('comes back as it was, also compressed', () => {
    const metadata = table()
    const bytes = encodeMetadata(metadata)
    expect(decodeMetadata(bytes, LOCATION)).toEqual(metadata)
    expect(decodeMetadata(gzipSync(bytes), LOCATION)).toEqual(metadata)
    expect(Buffer.from(bytes).toString()).toContain(`"current-snapshot-id":${idOf(3)},`)
  })

  it('keeps what other engines add', () => {
    const metadata = decodeChanged(json => (json.statistics = [{ 'snapshot-id': 1, 'statistics-path': 'x' }]))
    expect(JSON.parse(Buffer.from(encodeMetadata(metadata)).toString())).toHaveProperty('statistics', [
      { 'snapshot-id': 1, 'statistics-path': 'x' },
    ])
  })

  it('is complete where the file leaves out what it may', () => {
    const metadata = decodeChanged(json => {
      for (const key of ['snapshots', 'snapshot-log', 'metadata-log', 'refs', 'properties']) json[key] = undefined
      json['current-snapshot-id'] = -1
    })
    expect(metadata).toMatchObject({ snapshots: [], 'snapshot-log': [], 'metadata-log': [], refs: {}, properties: {} })
    expect(headOf(metadata)).toBeUndefined()
  })

  it('has its branch main where the file only has a current snapshot', () => {
    const bytes = encodeMetadata(table())
    const text = Buffer.from(bytes)
      .toString()
      .replace(/"refs":\{[^}]*\}\},?/, '')
    const metadata = decodeMetadata(Buffer.from(text), LOCATION)
    expect(metadata.refs).toEqual({ main: { 'snapshot-id': idOf(3), type: 'branch' } })
  })

  it('of version 1 is read with the words of version 2', () => {
    const { schemas, ...rest } = emptyTrades()
    const old = {
      ...rest,
      'format-version': 1,
      schema: { type: 'struct', fields: schemas[0].fields },
      'partition-spec': [{ 'source-id': 6, name: 'exchange_date', transform: 'day' }],
    } as Record<string, unknown>
    for (const key of [
      'current-schema-id',
      'partition-specs',
      'default-spec-id',
      'last-partition-id',
      'sort-orders',
      'default-sort-order-id',
      'last-sequence-number',
      'refs',
    ])
      old[key] = undefined
    const metadata = decodeMetadata(bytesOf(old), LOCATION)
    expect(metadata.schemas).toEqual([{ type: 'struct', 'schema-id': 0, fields: schemas[0].fields }])
    expect(metadata['partition-specs']).toEqual([
      { 'spec-id': 0, fields: [{ 'source-id': 6, 'field-id': 1000, name: 'exchange_date', transform: 'day' }] },
    ])
    expect(metadata['last-sequence-number']).toBe(0)
  })

  it.each<[string, (json: Record<string, unknown>) => void, string]>([
    ['a later version', json => (json['format-version'] = 3), 'format version 3'],
    ['no version', json => (json['format-version'] = undefined), 'format-version is missing'],
    ['an unknown current schema', json => (json['current-schema-id'] = 7), 'current schema 7'],
    ['a ref to nowhere', json => (json.refs = { t: { 'snapshot-id': 1, type: 'tag' } }), 'ref t names no snapshot'],
    ['a schema without fields that are objects', json => (json.schemas = [{ 'schema-id': 0, fields: [1] }]), 'fields'],
    ['texts for numbers', json => (json['last-column-id'] = '18'), 'last-column-id is not a number'],
  ])('with %s is refused, named', (_, change, why) => {
    expect(() => decodeChanged(change)).toThrow(why)
    expect(() => decodeChanged(change)).toThrow(LOCATION)
  })

  it.each([
    ['nothing', ''],
    ['half of it', '{"format-version": 2, "loc'],
    ['a list', '[]'],
    ['another kind of file', 'PAR1'],
  ])('that is %s is corrupt, named', (_, text) => {
    const read = () => decodeMetadata(Buffer.from(text), LOCATION)
    expect(read).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
    expect(read).toThrow(LOCATION)
  })

  it('costs a commit its newest snapshot to encode, not its history', () => {
    let read = 0
    const counted = (n: number) => ({
      ...snapshotOf(n),
      get summary() {
        read++
        return { operation: 'append' } as const
      },
    })
    const first = { ...emptyTrades(), snapshots: Array.from({ length: 100 }, (_, i) => counted(i + 1)) }
    const bytes = encodeMetadata(first)
    expect(read).toBe(100)
    const next = { ...first, snapshots: [...first.snapshots, counted(101)] }
    expect(encodeMetadata(next).length).toBeGreaterThan(bytes.length)
    expect(read).toBe(101)
  })

  it('that is cut off anywhere is corrupt', () => {
    const bytes = encodeMetadata(table())
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), length => {
        expect(() => decodeMetadata(bytes.subarray(0, length), LOCATION)).toThrow(
          expect.objectContaining({ code: 'CORRUPT' }),
        )
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['plain', (bytes: Uint8Array) => bytes],
    ['compressed', (bytes: Uint8Array) => gzipSync(bytes)],
  ])('with a byte changed, %s, is found out or decoded and can be written again', (_, kept) => {
    const bytes = Buffer.from(kept(encodeMetadata(table())))
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(bytes)
        changed[at] = byte
        try {
          encodeMetadata(decodeMetadata(changed, LOCATION))
        } catch (error) {
          expect(error).toMatchObject({ name: 'Failure' })
          expect((error as Error).message).toContain(LOCATION)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
