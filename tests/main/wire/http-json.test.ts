// Text in and text out: values out of addresses, and answers as JSON.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { rowsOf, type Column, type ColumnBatch } from '../../../src/contract/columns.ts'
import { fromText } from '../../../src/main/wire/from-text.ts'
import { rowsToJson } from '../../../src/main/base/rows-to-json.ts'
import { toJson } from '../../../src/main/wire/to-json.ts'
import { tickBatch, tickRows } from '../../support/sample.ts'

describe('values out of text', () => {
  const schema = z.strictObject({
    text: z.string(),
    count: z.int().default(3),
    ratio: z.number().optional(),
    loud: z.boolean().nullable(),
    names: z.array(z.string()).optional(),
    sizes: z.array(z.int()).optional(),
    either: z.union([z.int(), z.string()]).optional(),
  })

  it.each([
    [{ text: '7' }, { text: '7' }],
    [{ count: '-7' }, { count: -7 }],
    [{ ratio: '1.5e3' }, { ratio: 1500 }],
    [{ loud: 'false' }, { loud: false }],
    [{ names: 'a' }, { names: ['a'] }],
    [{ names: '' }, { names: [] }],
    [{ names: ['a,b', 'c'] }, { names: ['a', 'b', 'c'] }],
    [{ sizes: '1,2' }, { sizes: [1, 2] }],
    [{ either: '7' }, { either: 7 }],
    [{ either: 'x' }, { either: 'x' }],
  ])('%j becomes %j', (text, values) => {
    expect(fromText(schema, text)).toEqual(values)
  })

  it.each([
    [{ count: '1.5' }],
    [{ count: '' }],
    [{ count: '0x10' }],
    [{ count: '9007199254740993' }],
    [{ count: ['1', '2'] }],
    [{ ratio: 'Infinity' }],
    [{ loud: 'yes' }],
    [{ unknown: '1' }],
    [{ constructor: '1' }],
  ])('%j stays as it is, for validation to refuse', text => {
    const values = fromText(schema, text)
    expect(values).toEqual(text)
    expect(schema.partial().safeParse(values).success).toBe(false)
  })
})

describe('answers as JSON', () => {
  const parsed = (value: unknown): unknown => JSON.parse(toJson(value).toString())

  it('writes columns as row objects wherever they are', () => {
    expect(parsed(tickBatch())).toEqual(tickRows)
    expect(parsed({ rows: tickBatch(), n: 1, nested: [tickBatch()] })).toEqual({
      rows: tickRows,
      n: 1,
      nested: [tickRows],
    })
  })

  it('writes what JSON has no word for as the contract says', () => {
    expect(
      parsed({ big: 2n ** 63n, at: new Date(0), list: Float64Array.of(1.5, NaN), longs: BigInt64Array.of(-1n) }),
    ).toEqual({
      big: '9223372036854775808',
      at: '1970-01-01T00:00:00.000Z',
      list: [1.5, null],
      longs: ['-1'],
    })
  })

  it('writes plain values as JSON.stringify does', () => {
    fc.assert(fc.property(fc.jsonValue(), value => toJson(value).toString() === JSON.stringify(value)))
    const odd = { gone: undefined, list: [undefined], quote: '"\u2028\ud800', empty: {}, none: [] }
    expect(toJson(odd).toString()).toBe(JSON.stringify(odd))
  })

  it('writes every cell as the contract reads it', () => {
    fc.assert(
      fc.property(batches, batch => {
        expect(JSON.parse(rowsToJson(batch).toString())).toEqual(rowsOf(batch))
      }),
    )
  })

  it('writes dates and truths as the contract does, of every table', () => {
    const columns: Record<string, Column> = {
      listed: { type: 'date', values: Int32Array.of(16_139, -1) },
      is_active: { type: 'boolean', values: Uint8Array.of(1, 0) },
    }
    const batch: ColumnBatch = { rowCount: 2, columns }
    expect(JSON.parse(rowsToJson(batch).toString())).toEqual(rowsOf(batch))
    expect(rowsOf(batch)).toEqual([
      { listed: '2014-03-10', is_active: true },
      { listed: '1969-12-31', is_active: false },
    ])
  })

  it('grows for rows longer than expected', () => {
    const words = ['ü'.repeat(100_000), 'x'.repeat(3_000)]
    const batch: ColumnBatch = {
      rowCount: 4,
      columns: { text: { type: 'string', values: Uint16Array.of(1, 0, 1, 0), words } },
    }
    expect(JSON.parse(rowsToJson(batch).toString())).toEqual(rowsOf(batch))
  })
})

/** Any, but what an object literal takes for something else. */
const fieldName = fc.string().filter(name => name !== '__proto__')
const micros = fc.integer({ min: -2_000_000_000_000_000, max: 9_000_000_000_000_000 })
const word = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constant(null),
  fc.array(fc.string()),
  fc.dictionary(fieldName, fc.string()),
)

/** Columns of every type, in every form that the contract allows, with and without nulls. */
function columnsOf(rows: number): fc.Arbitrary<Column> {
  const doubles = (of: fc.Arbitrary<number>) =>
    fc.array(of, { minLength: rows, maxLength: rows }).map(list => Float64Array.from(list))
  const longs = fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: rows, maxLength: rows })
  const scale = fc.integer({ min: 0, max: 12 })
  const column: fc.Arbitrary<Column> = fc.oneof(
    doubles(micros).map(values => ({ type: 'timestamp', values }) as const),
    fc.record({ type: fc.constant('decimal' as const), scale, values: doubles(fc.maxSafeInteger()) }),
    fc.record({ type: fc.constant('decimal' as const), scale, values: longs.map(list => BigInt64Array.from(list)) }),
    longs.map(list => ({ type: 'long', values: BigInt64Array.from(list) }) as const),
    doubles(fc.maxSafeInteger()).map(values => ({ type: 'long', values }) as const),
    doubles(fc.integer()).map(values => ({ type: 'int', values }) as const),
    doubles(fc.constantFrom(0, 1)).map(values => ({ type: 'boolean', values: Uint8Array.from(values) }) as const),
    fc
      .array(word, { minLength: 1, maxLength: 5 })
      .chain(words =>
        doubles(fc.nat(words.length - 1)).map(
          codes => ({ type: 'string', values: Uint16Array.from(codes), words }) as const,
        ),
      ),
  )
  const nulls = fc.option(fc.uint8Array({ minLength: rows, maxLength: rows, max: 1 }), { nil: undefined })
  return fc.tuple(column, nulls).map(([one, where]) => (where ? { ...one, nulls: where } : one))
}

const batches: fc.Arbitrary<ColumnBatch> = fc
  .integer({ min: 0, max: 20 })
  .chain(rowCount =>
    fc
      .uniqueArray(fc.tuple(fieldName, columnsOf(rowCount)), { selector: ([name]) => name, maxLength: 5 })
      .map(columns => ({ rowCount, columns: Object.fromEntries(columns) })),
  )
