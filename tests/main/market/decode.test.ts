// Reading messages: any schema that fits the table, any bytes at all. What is accepted is exact and can be read again in full.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowOf } from '../../../src/contract/columns.ts'
import { trades } from '../../../src/contract/tables.ts'
import { avroSchemas, type AvroField, type AvroRecord, type AvroType } from '../../../src/main/market/avro-schemas.ts'
import { createCursor } from '../../../src/main/market/decode-primitives.ts'
import { createRowDecoder } from '../../../src/main/market/decode-rows.ts'
import { createWireDecoder } from '../../../src/main/market/decode-wire.ts'
import { createValueBuffer, putText, reserve } from '../../../src/main/market/value-buffer.ts'
import { messageOf } from '../../support/market-messages.ts'

const NOW = 1_794_000_000_123_456
const columnNames = new Set(trades.columns.map(({ name }) => name).filter(name => !name.startsWith('_')))

/** As the tail does it: checked when it comes in, read whole when it is asked for. */
function readTrade(message: Buffer, schema: AvroRecord = avroSchemas.trades) {
  const schemaOf = (id: number) => (id === 1 ? schema : undefined)
  createWireDecoder(trades, {}, 'check', schemaOf)({ ...createCursor(message), at: 0, end: message.length }, 0)
  const decoder = createRowDecoder(trades, columnNames, schemaOf)
  decoder.begin(1)
  decoder.read({ ...createCursor(message), at: 0, end: message.length }, 0)
  return rowOf({ rowCount: 1, columns: decoder.columns() }, 0)
}

/** A varint of any length, written by the book. */
function long(value: bigint | number): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

function text(value: string): Buffer {
  const out = createValueBuffer()
  reserve(out, 10)
  putText(out, value)
  return Buffer.from(out.bytes.subarray(0, out.length))
}

const bytes = (value: readonly number[]) => Buffer.concat([long(value.length), Buffer.from(value)])

/** The parts of a whole trade by field, each as it lies in a message. */
const parts: Record<string, Buffer> = {
  message_id: text('ASX:1:BHP:1'),
  trade_id: text('1'),
  symbol: text('BHP'),
  exchange: text('ASX'),
  asset_class: long(0),
  exchange_timestamp: long(NOW),
  price: bytes([0x03]),
  quantity: bytes([0x04]),
  currency: text('AUD'),
  side: Buffer.concat([long(1), long(1)]),
  trade_conditions: long(0),
  source_sequence: long(0),
  ingestion_timestamp: long(NOW),
  platform_sequence: long(0),
  vendor_data: long(0),
}

/** A message with some fields given otherwise, in the order of a schema's fields. */
function message(changes: Record<string, Buffer> = {}, schema: AvroRecord = avroSchemas.trades): Buffer {
  const values = schema.fields.map(({ name }) => changes[name] ?? parts[name])
  return Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), ...values])
}

const withFields = (change: (fields: AvroField[]) => AvroField[]): AvroRecord => ({
  ...avroSchemas.trades,
  fields: change(avroSchemas.trades.fields),
})
const withType = (name: string, type: AvroType) =>
  withFields(fields => fields.map(field => (field.name === name ? { name, type } : field)))

describe('a schema other than the table', () => {
  it('may have its fields in any order', () => {
    const schema = withFields(fields => [...fields].reverse())
    expect(readTrade(message({}, schema), schema)).toEqual(readTrade(message()))
  })

  it('may have fields of any type that nobody knows, which are passed over', () => {
    const strange: [AvroType, Buffer][] = [
      ['null', Buffer.alloc(0)],
      ['boolean', Buffer.of(1)],
      ['int', long(-70_000)],
      ['long', long(-(2n ** 63n))],
      ['float', Buffer.alloc(4)],
      ['double', Buffer.alloc(8)],
      ['bytes', bytes([1, 2, 3])],
      [{ type: 'fixed', name: 'Mac', size: 6 }, Buffer.alloc(6)],
      ['Mac', Buffer.alloc(6)],
      [{ type: 'enum', name: 'Colour', symbols: ['RED'] }, long(0)],
      ['com.k2.marketdata.Colour', long(0)],
      [['null', 'string'], Buffer.concat([long(1), text('x')])],
      [{ type: 'array', items: 'null' }, Buffer.concat([long(3), long(0)])],
      [
        { type: 'array', items: { type: 'array', items: 'long' } },
        Buffer.concat([long(-1), long(4), long(2), long(300), long(1), long(0), long(0)]),
      ],
      [
        { type: 'map', values: ['null', 'double'] },
        Buffer.concat([long(1), text('k'), long(1), Buffer.alloc(8), long(0)]),
      ],
      [
        {
          type: 'record',
          name: 'Node',
          namespace: 'com.k2.marketdata',
          fields: [{ name: 'next', type: ['null', 'Node'] }],
        },
        Buffer.concat([long(1), long(1), long(0)]),
      ],
    ]
    const named = strange.map(([type, part], i) => ({ name: `strange_${i}`, type: qualify(type), part }))
    const schema = withFields(fields => [...fields.slice(0, 5), ...named, ...fields.slice(5)])
    const values = Object.fromEntries(named.map(({ name, part }) => [name, part]))
    expect(readTrade(message(values, schema), schema)).toEqual(readTrade(message()))
  })

  it('may lack optional columns, which are null then', () => {
    const schema = withFields(fields => fields.filter(({ name }) => !['side', 'vendor_data'].includes(name)))
    expect(readTrade(message({}, schema), schema)).toMatchObject({ side: null, vendor_data: null, symbol: 'BHP' })
  })

  it('may leave the time of ingestion to the log', () => {
    const schema = withFields(fields => fields.filter(({ name }) => name !== 'ingestion_timestamp'))
    expect(readTrade(message({}, schema), schema)).toMatchObject({ ingestion_timestamp: null })
  })

  it('may write times in milliseconds, decimals at another scale, and symbols in another order', () => {
    const millis = withType('exchange_timestamp', { type: 'long', logicalType: 'timestamp-millis' })
    const time = message({ exchange_timestamp: long(1_794_000_000_123) })
    expect(readTrade(time, millis)).toMatchObject({ exchange_timestamp: '2026-11-06T21:20:00.123000Z' })
    const cents = withType('price', { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 2 })
    expect(readTrade(message({ price: bytes([0x0e, 0x22]) }), cents)).toMatchObject({ price: '36.18' })
    const sides = withType('side', ['null', { type: 'enum', name: 'Side', symbols: ['SELL', 'BUY'] }])
    expect(readTrade(message({ side: Buffer.concat([long(1), long(0)]) }), sides)).toMatchObject({ side: 'SELL' })
    const wide = withType('price', { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 10 })
    expect(readTrade(message({ price: bytes([0x7d, 0x00]) }), wide)).toMatchObject({ price: '0.0000032' })
    expect(() => readTrade(message({ price: bytes([1]) }), wide)).toThrow(
      'price: a number of more than 8 decimal places',
    )
  })

  it('is refused when it lacks a required column or has one of another type, and says which', () => {
    const noSymbol = withFields(fields => fields.filter(({ name }) => name !== 'symbol'))
    expect(() => readTrade(message({}, noSymbol), noSymbol)).toThrow(
      'com.k2.marketdata.TradeV2 cannot be read: field symbol is not in it',
    )
    const doubles = withType('price', 'double')
    expect(() => readTrade(message(), doubles)).toThrow('field price is "double", which is not a decimal')
  })
})

describe('numbers', () => {
  it('keep every bit of a long', () => {
    for (const value of [0n, 1n, -1n, 2n ** 31n, -(2n ** 31n) - 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      const row = readTrade(message({ source_sequence: Buffer.concat([long(1), long(value)]) }))
      expect(row.source_sequence).toBe(String(value))
    }
  })

  it('are the same in longer forms than needed, as some writers make them', () => {
    expect(readTrade(message({ price: bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3]) })).price).toBe('0.00000003')
    expect(readTrade(message({ price: bytes([255, 255, 255, 255, 255, 255, 255, 255, 255, 253]) })).price).toBe(
      '-0.00000003',
    )
    expect(readTrade(message({ source_sequence: Buffer.from([2, 0x86, 0x80, 0x80, 0]) })).source_sequence).toBe('3')
  })

  it('of decimal(18, 8) are exact up to its bounds and refused beyond', () => {
    const decimal = (value: bigint, size: number) =>
      bytes([
        ...Buffer.from(
          BigInt.asUintN(size * 8, value)
            .toString(16)
            .padStart(size * 2, '0'),
          'hex',
        ),
      ])
    const limit = 10n ** 18n
    for (const size of [8, 9, 16]) {
      expect(readTrade(message({ price: decimal(limit - 1n, size) })).price).toBe('9999999999.99999999')
      expect(readTrade(message({ price: decimal(1n - limit, size) })).price).toBe('-9999999999.99999999')
      for (const beyond of [limit, -limit, 2n ** 63n - 1n, -(2n ** 63n)])
        expect(() => readTrade(message({ price: decimal(beyond, size) }))).toThrow(
          'price: a number beyond decimal(18, 8)',
        )
    }
    expect(() => readTrade(message({ price: decimal(2n ** 64n - 1n, 9) }))).toThrow('beyond decimal')
    expect(() => readTrade(message({ price: bytes([]) }))).toThrow('price: a decimal without digits')
  })

  it('of more than 64 bits, and times that a double cannot hold, are refused', () => {
    const overlong = Buffer.from([...new Array<number>(10).fill(0xff), 1])
    expect(() => readTrade(message({ exchange_timestamp: overlong }))).toThrow(
      'exchange_timestamp: a number of more than 64 bits',
    )
    expect(() => readTrade(message({ exchange_timestamp: long(2n ** 53n) }))).toThrow('years 1684 to 2255')
  })
})

describe('a message', () => {
  it('reads lists and maps in several blocks, with and without their sizes', () => {
    const list = Buffer.concat([long(1), long(1), text('XT'), long(-1), long(3), text('CX'), long(0)])
    const map = Buffer.concat([long(1), long(1), text('venue'), text('X'), long(1), text('über'), text('ü'), long(0)])
    const row = readTrade(message({ trade_conditions: list, vendor_data: map }))
    expect(row.trade_conditions).toEqual(['XT', 'CX'])
    expect(row.vendor_data).toEqual({ venue: 'X', über: 'ü' })
  })

  it.each([
    ['is not in Confluent wire format', Buffer.from('{"symbol":"BHP"}')],
    ['is not in Confluent wire format', Buffer.alloc(4)],
    ['Schema 7 is not known', Buffer.from([0, 0, 0, 0, 7, 0])],
    ['message_id: a length beyond the end', message({ message_id: long(1_000_000) })],
    ['message_id: a length beyond the end', message({ message_id: long(-1) })],
    ['message_id: a length beyond the end', message({ message_id: long(2n ** 62n) })],
    ['symbol: text that is not UTF-8', message({ symbol: bytes([0x42, 0xff, 0x50]) })],
    ['asset_class: choice 4 of 4', message({ asset_class: long(4) })],
    ['side: choice 2 of 2', message({ side: long(2) })],
    ['trade_conditions: more items than', message({ trade_conditions: Buffer.concat([long(1), long(2n ** 40n)]) })],
    ['vendor_data: more items than', message({ vendor_data: Buffer.concat([long(1), long(-(2n ** 63n))]) })],
    [
      'trade_conditions: text that is not UTF-8',
      message({ trade_conditions: Buffer.concat([long(1), long(1), bytes([0xc3]), long(0)]) }),
    ],
    ['bytes where its schema takes', Buffer.concat([message(), Buffer.of(0)])],
  ])('is refused: %s', (reason, bad) => {
    expect(() => readTrade(bad)).toThrow(reason)
  })

  it('is refused when a required column is null', () => {
    const schema = withType('symbol', ['null', 'string'])
    expect(() => readTrade(message({ symbol: long(0) }, schema), schema)).toThrow('symbol: is null')
  })

  it('is refused wherever it is cut off', () => {
    const whole = message({ vendor_data: Buffer.concat([long(1), long(1), text('venue'), text('X'), long(0)]) })
    for (let size = 0; size < whole.length; size++)
      expect(() => readTrade(Buffer.from(whole.subarray(0, size)))).toThrow(/./)
  })

  it('with millions of items of no bytes, or endlessly nested, ends as fast as any other', () => {
    const nothing = withFields(fields => [{ name: 'nothing', type: { type: 'array', items: 'null' } }, ...fields])
    const blocks = Buffer.concat([...new Array<Buffer>(10_000).fill(long(20_000)), long(0)])
    const node = { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] }
    const nested = withFields(fields => [...fields, { name: 'node', type: node }])
    const startedMs = performance.now()
    readTrade(message({ nothing: blocks, message_id: text('x'.repeat(30_000)) }, nothing), nothing)
    expect(() => readTrade(message({ node: Buffer.alloc(1_000_000, 2) }, nested), nested)).toThrow('node: ')
    expect(performance.now() - startedMs).toBeLessThan(500)
  })

  it('damaged anywhere is refused with a reason or is a row that can be read in full', () => {
    const samples = [
      messageOf('trades', {
        symbol: 'BHP',
        micros: NOW,
        sequence: 7,
        conditions: ['XT', 'CX'],
        vendorData: { venue: 'X' },
      }),
      messageOf('trades', {
        symbol: 'BTCUSDT',
        exchange: 'BINANCE',
        assetClass: 'crypto',
        micros: NOW,
        conditions: [],
      }),
    ]
    const damage = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 4 })
    let refused = 0
    fc.assert(
      fc.property(fc.constantFrom(...samples), damage, fc.nat(150), (sample, bytes, size) => {
        const bad = Buffer.from(size < sample.length && size % 5 === 0 ? sample.subarray(0, size) : sample)
        for (const [at, byte] of bytes) bad[at % bad.length] = byte
        try {
          expect(readTrade(bad).symbol).toBeTypeOf('string')
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_INPUT' })
          refused++
        }
      }),
      { numRuns: 10_000 },
    )
    expect(refused).toBeGreaterThan(1000)
  })
})

/** Names in a schema without a namespace of their own are in that of the record. */
function qualify(type: AvroType): AvroType {
  return typeof type === 'object' && !Array.isArray(type) && 'name' in type
    ? { namespace: 'com.k2.marketdata', ...type }
    : type
}
