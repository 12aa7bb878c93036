// What holds of any row: in whatever form it is written, it comes back to the last digit.
import avro from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimalText, timestampText, type Row } from '../../../src/contract/columns.ts'
import { ASSET_CLASSES, SIDES, TABLES } from '../../../src/contract/tables.ts'
import { avroSchemas, EMBEDDED_SCHEMA_IDS } from '../../../src/main/market/avro-schemas.ts'
import { createRowEncoder, type RowValues } from '../../../src/main/market/encode-row.ts'
import type { DataType } from '../../../src/main/market/topics.ts'
import { createValueBuffer } from '../../../src/main/market/value-buffer.ts'
import { standardizedRows, topics } from '../../support/decoded-rows.ts'

const json = (value: unknown) => JSON.stringify(value)

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter(isPlain)
const micros = fc.integer({ min: 1_000_000_000_000_000, max: Date.UTC(2199, 0) * 1000 })
const decimal = fc.bigInt({ min: 1n - 10n ** 18n, max: 10n ** 18n - 1n })
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const map = fc.dictionary(text, text, { noNullPrototype: true, maxKeys: 4 })
const instrument = {
  message_id: text,
  symbol: text,
  exchange: fc.constantFrom('ASX', 'BINANCE', 'XETRA'),
  asset_class: fc.constantFrom(...ASSET_CLASSES),
  ingestion_timestamp: micros,
  vendor_data: optional(map),
}
const days = fc.integer({ min: 0, max: 80_000 })

/** Any row of each table, its values as the encoder takes them. */
const anyRow: Record<DataType, fc.Arbitrary<RowValues>> = {
  trades: fc.record({
    ...instrument,
    trade_id: text,
    exchange_timestamp: micros,
    price: decimal,
    quantity: decimal,
    currency: text,
    side: optional(fc.constantFrom(...SIDES)),
    trade_conditions: optional(fc.array(text, { maxLength: 3 })),
    source_sequence: optional(long),
    platform_sequence: optional(long),
  }),
  quotes: fc.record({
    ...instrument,
    quote_id: text,
    exchange_timestamp: micros,
    bid_price: decimal,
    bid_quantity: optional(decimal),
    ask_price: optional(decimal),
    ask_quantity: optional(decimal),
    currency: text,
    source_sequence: optional(long),
    platform_sequence: optional(long),
  }),
  reference_data: fc.record({
    ...instrument,
    company_id: text,
    company_name: text,
    isin: optional(text),
    currency: text,
    listing_date: optional(days),
    delisting_date: optional(days),
    is_active: fc.boolean(),
  }),
}

/** No control characters, and nothing that is half a character. */
function isPlain(value: string): boolean {
  return !/[\p{Cc}\p{Surrogate}]/u.test(value) && value !== '__proto__'
}

/** The row as JSON clients see it; Avro's own library gives decimals as bytes and every long in 64 bits. */
function seen(dataType: DataType, row: RowValues): Row {
  const cells = TABLES[dataType].columns
    .filter(({ name }) => !name.startsWith('_'))
    .map(({ name, type }) => {
      const value = row[name]
      if (value === undefined || value === null) return [name, null]
      if (type === 'decimal') return [name, decimalText(Buffer.isBuffer(value) ? signed(value) : (value as bigint), 8)]
      if (type === 'timestamp') return [name, timestampText(Number(value))]
      if (type === 'long') return [name, (value as bigint).toString()]
      if (type === 'date') return [name, timestampText((value as number) * 86_400e6).slice(0, 10)]
      return [name, value]
    })
  return Object.fromEntries(cells) as Row
}

function signed(bytes: Buffer): bigint {
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`))
}

/** Its JSON: decimals and longs as numbers, every digit written out. */
function written(dataType: DataType, row: RowValues): string {
  const cells = seen(dataType, row)
  const fields = Object.entries(cells).map(([name, cell]) => {
    const { type } = TABLES[dataType].columns.find(column => column.name === name)!
    const isNumber = (type === 'decimal' || type === 'long') && cell !== null
    return `${json(name)}: ${isNumber ? (cell as string) : json(cell)}`
  })
  return `{${fields.join(', ')}}`
}

describe.each(['trades', 'quotes', 'reference_data'] as const)('any row of %s', dataType => {
  const options = { topic: topics[dataType] }

  it('written by the encoder of rows comes back as it was, and is read so by Avro itself', async () => {
    const put = createRowEncoder(TABLES[dataType])
    await fc.assert(
      fc.asyncProperty(anyRow[dataType], async row => {
        const out = createValueBuffer()
        put(out, EMBEDDED_SCHEMA_IDS[dataType], row)
        const bytes = Buffer.from(out.bytes.subarray(0, out.ends[0]))
        expect(await standardizedRows([bytes], options)).toEqual([seen(dataType, row)])
        expect(seen(dataType, byAvro.fromBuffer(bytes.subarray(5)) as RowValues)).toEqual(seen(dataType, row))
      }),
    )
  })
  const byAvro = avro.Type.forSchema(avroSchemas[dataType] as avro.Schema, { typeHook: bigLongs })

  it('in JSON is read to the last digit, whether its numbers are numbers or texts', async () => {
    await fc.assert(
      fc.asyncProperty(anyRow[dataType], async row => {
        const expected = seen(dataType, row)
        expect(await standardizedRows([written(dataType, row), json(expected)], options)).toEqual([expected, expected])
      }),
    )
  })
})

/** Longs of all 64 bits, which avsc leaves to its user. */
function bigLongs(schema: avro.Schema): avro.Type | undefined {
  const { type } = schema as { type?: unknown }
  if (schema !== 'long' && type !== 'long') return undefined
  return avro.types.LongType.__with({
    fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
    toBuffer: (value: bigint) => {
      const buffer = Buffer.alloc(8)
      buffer.writeBigInt64LE(value)
      return buffer
    },
    fromJSON: BigInt,
    toJSON: String,
    isValid: (value: unknown) => typeof value === 'bigint',
    compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
  })
}
