import avro from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { timestampText } from '../../../src/contract/columns.ts'
import { avroSchemas, type AvroRecord } from '../../../src/main/market/avro-schemas.ts'
import { embeddedSchemaOf } from '../../../src/main/market/decode-wire.ts'
import { keyOf, NONE, valueOf } from '../../../src/main/market/log-batch.ts'
import { createStandardizer, noRegistry, type Schemas } from '../../../src/main/market/standardize.ts'
import { tableOfTopic } from '../../../src/main/market/topics.ts'
import { decodedRows, LOG_MICROS, standardizedRows, topics } from '../../support/decoded-rows.ts'
import { logBatch } from '../../support/market-messages.ts'
import { messageBatch } from '../../support/message-batch.ts'

const standardize = createStandardizer({ schemas: noRegistry })

const json = (value: unknown) => JSON.stringify(value)

/** Schemas of a registry that has only these. */
function knowing(schemas: Readonly<Record<number, AvroRecord>>): Schemas {
  return { schemaOf: id => schemas[id] ?? embeddedSchemaOf(id), learn: () => Promise.resolve() }
}

function framed(id: number, schema: object, row: unknown, options?: Partial<avro.ForSchemaOptions>): Buffer {
  const header = Buffer.from([0, 0, 0, 0, 0])
  header.writeUInt32BE(id, 1)
  return Buffer.concat([header, avro.Type.forSchema(schema as avro.Schema, options).toBuffer(row)])
}

describe('an exchange in lower case', () => {
  const row = { symbol: 'BHP', micros: 1_794_000_000_123_456, id: 7, vendorData: { exchange: 'asx' } }
  const upper = valueOf(logBatch('trades', [row]), 0)!
  const lower = valueOf(logBatch('trades', [{ ...row, exchange: 'asx' }]), 0)!
  const id = Buffer.from('asx:1794000000123:BHP:7')
  const withId = (text: string) => {
    const copy = Buffer.from(lower)
    copy.write(text, copy.indexOf(id))
    return copy
  }

  it('of a whole row is stored in upper case, in its message_id too', async () => {
    const mixed = withId('ASX:1794000000123:BHP:7')
    const standard = await standardize(messageBatch([upper, lower, mixed, upper], { topic: topics.trades }))
    for (const i of [0, 1, 2, 3]) expect(valueOf(standard, i)).toEqual(upper)
    const quote = { symbol: 'BHP', micros: 5, id: 1, exchange: 'Asx' }
    const quotes = await standardize(logBatch('quotes', [quote]))
    expect(valueOf(quotes, 0)).toEqual(valueOf(logBatch('quotes', [{ ...quote, exchange: 'ASX' }]), 0))
  })

  it('leaves an id alone that does not begin with it', async () => {
    const other = withId('asy:1794000000123:BHP:7')
    const standard = await standardize(messageBatch([other], { topic: topics.trades }))
    expect(decodedRows(standard)[0]).toMatchObject({ exchange: 'ASX', message_id: 'asy:1794000000123:BHP:7' })
  })

  it('of a message that is no row is set aside as it came', async () => {
    for (let size = 6; size < lower.length; size++) {
      const cut = lower.subarray(0, size)
      const standard = await standardize(messageBatch([cut], { topic: topics.trades }))
      expect(valueOf(standard, 0)).toEqual(cut)
    }
  })

  it('of a schema whose exchange comes after anything is found too', async () => {
    const [first, ...rest] = avroSchemas.trades.fields.toReversed()
    const schema: AvroRecord = { ...avroSchemas.trades, fields: [first, ...rest] }
    const type = avro.Type.forSchema(avroSchemas.trades as avro.Schema, { wrapUnions: false })
    const value = type.fromBuffer(lower.subarray(5)) as object
    const message = framed(9, schema, value, { wrapUnions: false })
    const rows = await standardizedRows([message], {}, knowing({ 9: schema }))
    expect(rows).toEqual(await standardizedRows([upper]))
  })

  it('of JSON that brings its own message_id is in upper case in it', async () => {
    const given = { symbol: 'WOW', exchange: 'asx', exchange_timestamp_ms: 1, price: 1, quantity: 1 }
    const rows = await standardizedRows([json({ ...given, message_id: 'asx:1:WOW:9' })])
    expect(rows).toMatchObject([{ exchange: 'ASX', message_id: 'ASX:1:WOW:9' }])
  })
})

describe('messages that are whole rows already', () => {
  const rows = [
    { symbol: 'BHP', micros: 1 },
    { symbol: 'CBA', micros: 2 },
  ]

  it('come back as the very same batch, at once', () => {
    const batch = logBatch('trades', rows)
    expect(standardize(batch)).toBe(batch)
    const quotes = logBatch('quotes', rows)
    expect(standardize(quotes)).toBe(quotes)
  })

  it('come back so from an empty batch, and a tombstone of reference data does too', () => {
    const empty = messageBatch([], { topic: topics.trades })
    expect(standardize(empty)).toBe(empty)
    const gone = messageBatch([null], { topic: topics.reference_data, keys: [Buffer.from('7078')] })
    expect(standardize(gone)).toBe(gone)
  })

  it('keep their bytes beside others that are written anew', async () => {
    const batch = logBatch('trades', rows)
    const whole = valueOf(batch, 0)!
    const slim = json({ symbol: 'WOW', exchange_timestamp_ms: 1, price: 1, quantity: 1 })
    const standard = await createStandardizer({ schemas: noRegistry })(
      messageBatch([whole, slim, whole], { topic: topics.trades, keys: [Buffer.from('a'), null, Buffer.from('c')] }),
    )
    expect(valueOf(standard, 0)).toEqual(whole)
    expect(valueOf(standard, 2)).toEqual(whole)
    expect([0, 1, 2].map(i => keyOf(standard, i)?.toString())).toEqual(['a', undefined, 'c'])
    expect(decodedRows(standard)[1]).toMatchObject({ symbol: 'WOW' })
  })
})

describe('a message without a value', () => {
  it('is no trade and no quote', async () => {
    expect(await standardizedRows([null])).toMatchObject([{ reason: 'no_value' }])
    expect(await standardizedRows([null], { topic: topics.quotes })).toMatchObject([{ reason: 'no_value' }])
  })

  it('of reference data passes beside what is written anew, with its key', async () => {
    const row = json({ symbol: 'BHP', company_id: '1', company_name: 'BHP' })
    const keys = [Buffer.from('1'), Buffer.from('2')]
    const standard = await standardize(messageBatch([row, null], { topic: topics.reference_data, keys }))
    expect(standard.starts[1]).toBe(NONE)
    expect(keyOf(standard, 1)?.toString()).toBe('2')
    expect(standard.problems).toBeUndefined()
  })
})

describe('a schema id that is not known', () => {
  const slim = { type: 'record', name: 'Slim', namespace: 'x', fields: [] } as AvroRecord

  it('is asked for once for all messages of a batch, and waited for', async () => {
    const asked: (readonly number[])[] = []
    const schemas: Record<number, AvroRecord> = {}
    const learning: Schemas = {
      schemaOf: id => schemas[id],
      learn: async ids => {
        asked.push(ids)
        await Promise.resolve()
        schemas[7] = avroSchemas.trades
      },
    }
    const whole = Buffer.from(valueOf(logBatch('trades', [{ symbol: 'BHP', micros: 1 }]), 0)!)
    whole.writeUInt32BE(7, 1)
    const other = Buffer.from(whole)
    other.writeUInt32BE(8, 1)
    const batch = messageBatch([whole, whole, other, whole], { topic: topics.trades })
    const own = createStandardizer({ schemas: learning })
    const standard = await own(batch)
    expect(asked).toEqual([[7, 8]])
    expect([...standard.problems!]).toEqual([
      [2, { reason: 'unknown_schema', error: 'The Schema Registry does not know schema 8.' }],
    ])
    expect(valueOf(standard, 3)).toEqual(whole)
    const again = messageBatch([whole], { topic: topics.trades })
    expect(own(again)).toBe(again)
  })

  it('fails with the registry, and the messages are those they were', async () => {
    const failing = { ...noRegistry, learn: () => Promise.reject(new Error('down')) }
    const message = framed(7, slim, {})
    const batch = messageBatch([message], { topic: topics.trades })
    await expect(createStandardizer({ schemas: failing })(batch)).rejects.toThrow('down')
    expect(valueOf(batch, 0)).toEqual(message)
  })

  it('without a registry is a dead letter that says what to set', async () => {
    expect(await standardizedRows([framed(7, slim, {})])).toMatchObject([
      { reason: 'unknown_schema', error: expect.stringContaining('K2_SCHEMA_REGISTRY_URL') as string },
    ])
  })

  it('of a record that is no row of the table is told by the field it lacks', async () => {
    const schemas = knowing({ 7: avroSchemas.quotes })
    const quote = Buffer.from(valueOf(logBatch('quotes', [{ symbol: 'BHP', micros: 1 }]), 0)!)
    quote.writeUInt32BE(7, 1)
    expect(await standardizedRows([quote], {}, schemas)).toEqual([
      { reason: 'unknown_schema', error: 'Schema QuoteV2 has no field price, so it is no row of trades.' },
    ])
  })
})

describe('a record with all columns', () => {
  const withType = (name: string, type: unknown) =>
    ({
      ...avroSchemas.trades,
      fields: avroSchemas.trades.fields.map(field => (field.name === name ? { ...field, type } : field)),
    }) as AvroRecord
  const row = {
    message_id: 'ASX:1:BHP:7',
    trade_id: '7',
    symbol: 'BHP',
    exchange: 'ASX',
    asset_class: 'equities',
    exchange_timestamp: 1_412_319_434_754_123,
    price: Buffer.from([1]),
    quantity: Buffer.from([1]),
    currency: 'AUD',
    ingestion_timestamp: 5,
  }

  it('of which one that K2 can fill in may be null is filled in', async () => {
    const schemas = knowing({ 9: withType('currency', ['null', 'string']) })
    const message = framed(9, schemas.schemaOf(9)!, { ...row, currency: null })
    expect(await standardizedRows([message], {}, schemas)).toMatchObject([
      { currency: 'AUD', trade_id: '7', price: '0.00000001' },
    ])
  })

  it('of which the time of arrival may be null is whole: its decoder takes the log’s', async () => {
    const schemas = knowing({
      9: withType('ingestion_timestamp', ['null', { type: 'long', logicalType: 'timestamp-micros' }]),
    })
    const batch = messageBatch([framed(9, schemas.schemaOf(9)!, { ...row, ingestion_timestamp: null })], {
      topic: topics.trades,
    })
    expect(await createStandardizer({ schemas })(batch)).toBe(batch)
  })

  it('in types of their own is read by its names', async () => {
    const schemas = knowing({ 9: withType('exchange_timestamp', 'string') })
    const message = framed(9, schemas.schemaOf(9)!, { ...row, exchange_timestamp: '2014-10-03T07:57:14.754123Z' })
    expect(await standardizedRows([message], {}, schemas)).toMatchObject([
      { exchange_timestamp: '2014-10-03T07:57:14.754123Z' },
    ])
  })
})

describe('a topic of another name', () => {
  it('is refused as a whole, with the names that can be read', () => {
    expect(() => standardize(messageBatch(['{}'], { topic: 'orders' }))).toThrow(/market\.\{asset_class\}/)
    expect(() => tableOfTopic('market.equities.news.asx')).toThrow(/K2_TOPICS/)
    expect(tableOfTopic('market.crypto.quotes.binance')).toBe('quotes')
  })
})

describe('the slim form', () => {
  const fieldsOf = (price: unknown) =>
    [
      { name: 'symbol', type: 'string' },
      { name: 'exchange', type: 'string' },
      { name: 'exchange_timestamp_ms', type: 'long' },
      { name: 'price', type: price },
      { name: 'quantity', type: price },
      { name: 'side', type: ['null', 'string'], default: null },
    ] as AvroRecord['fields']
  const schemaOf = (price: unknown): AvroRecord => ({
    type: 'record',
    name: 'SlimTrade',
    namespace: 'x',
    fields: fieldsOf(price),
  })
  const decimalType = { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 8 }
  const expected = {
    message_id: 'ASX:1412319434754:BHP:3-100',
    trade_id: '3-100',
    symbol: 'BHP',
    exchange: 'ASX',
    asset_class: 'equities',
    exchange_timestamp: '2014-10-03T06:57:14.754000Z',
    price: '36.18',
    quantity: '400',
    currency: 'AUD',
    side: 'SELL',
    trade_conditions: null,
    source_sequence: null,
    ingestion_timestamp: timestampText(LOG_MICROS),
    platform_sequence: null,
    vendor_data: null,
  }
  const base = { symbol: 'BHP', exchange: 'asx', exchange_timestamp_ms: 1_412_319_434_754, side: 'sell' }

  it.each([
    ['doubles', 'double', 36.18, 400],
    ['floats', 'float', 36.18, 400],
    ['texts', 'string', '36.18', '400.0'],
    ['decimals', decimalType, unscaled(3_618_000_000n), unscaled(40_000_000_000n)],
    ['decimals of another scale', { ...decimalType, scale: 2 }, unscaled(3618n), unscaled(40_000n)],
  ])('with its numbers as %s is the whole row', async (_, type, price, quantity) => {
    const schema = schemaOf(type)
    const message = framed(9, schema, { ...base, price, quantity })
    expect(await standardizedRows([message], {}, knowing({ 9: schema }))).toEqual([expected])
  })

  it('with its numbers as longs is the whole row', async () => {
    const schema = schemaOf('long')
    const message = framed(9, schema, { ...base, price: 36, quantity: 400 })
    expect(await standardizedRows([message], {}, knowing({ 9: schema }))).toEqual([{ ...expected, price: '36' }])
  })

  it('in JSON is the whole row, too', async () => {
    const message = json({ ...base, price: 36.18, quantity: 400 })
    expect(await standardizedRows([message])).toEqual([expected])
  })

  it('keeps what else it says as text', async () => {
    const schema = {
      ...schemaOf('double'),
      fields: [...fieldsOf('double'), { name: 'venue', type: 'int' }],
    } as AvroRecord
    const message = framed(9, schema, { ...base, price: 36.18, quantity: 400, venue: 5 })
    expect(await standardizedRows([message], {}, knowing({ 9: schema }))).toEqual([
      { ...expected, vendor_data: { venue: '5' } },
    ])
  })

  it('cut off anywhere, or with bytes more, is undecodable', async () => {
    const schema = schemaOf('double')
    const message = framed(9, schema, { ...base, price: 36.18, quantity: 400 })
    const cut = Array.from({ length: message.length - 5 }, (_, i) => message.subarray(0, i + 5))
    const rows = await standardizedRows(
      [...cut, Buffer.concat([message, Buffer.from([0])])],
      {},
      knowing({ 9: schema }),
    )
    expect(new Set(rows.map(row => (row as { reason?: string }).reason))).toEqual(new Set(['undecodable']))
  })
})

describe('damaged messages', () => {
  const slim = {
    type: 'record',
    name: 'SlimTrade',
    namespace: 'x',
    fields: [
      { name: 'symbol', type: 'string' },
      { name: 'exchange_timestamp_ms', type: 'long' },
      { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 4 } },
      { name: 'quantity', type: ['null', 'double', 'string'] },
      { name: 'trade_conditions', type: { type: 'array', items: 'string' } },
      { name: 'vendor_data', type: { type: 'map', values: 'string' } },
      { name: 'desk', type: { type: 'enum', name: 'Desk', symbols: ['A', 'B'] } },
      { name: 'more', type: { type: 'record', name: 'More', fields: [{ name: 'x', type: 'long' }] } },
    ],
  } as AvroRecord
  const schemas = knowing({ 9: slim })
  const good = [
    framed(9, slim, {
      symbol: 'BHP',
      exchange_timestamp_ms: 1_412_319_434_754,
      price: unscaled(361_800n),
      quantity: 400,
      trade_conditions: ['XT', 'é'],
      vendor_data: { a: 'b' },
      desk: 'B',
      more: { x: 5 },
    }),
    Buffer.from('{"symbol":"BHP","exchange_timestamp_ms":1412319434754,"price":36.18,"quantity":4e2,"x":{"y":[1]}}'),
    Buffer.from(valueOf(logBatch('trades', [{ symbol: 'BHP', micros: 1 }]), 0)!),
  ]

  it('are problems or rows, each for itself, whatever is changed in them', async () => {
    const message = fc
      .record({ which: fc.nat(2), changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }) })
      .map(({ which, changes }) => {
        const bytes = Buffer.from(good[which])
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte
        return bytes
      })
    const own = createStandardizer({ schemas })
    const sound = messageBatch([good[0], good[1]], { topic: topics.trades })
    const soundRows = decodedRows(await own(sound), schemas.schemaOf)
    expect(soundRows).toMatchObject([{ price: '36.18', trade_conditions: ['XT', 'é'] }, { price: '36.18' }])
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 20 }), async damaged => {
        const batch = messageBatch([good[0], good[1], ...damaged], { topic: topics.trades })
        const standard = await own(batch)
        expect(standard.count).toBe(batch.count)
        expect(decodedRows({ ...standard, count: 2 }, schemas.schemaOf)).toEqual(soundRows)
        for (let i = 2; i < batch.count; i++) {
          if (standard.problems?.has(i)) expect(valueOf(standard, i)).toEqual(damaged[i - 2])
          // What was written anew can be read; what was whole before is for its reader to judge.
          else if (!valueOf(standard, i)!.equals(damaged[i - 2]))
            expect(await standardizedRows([valueOf(standard, i)!])).toMatchObject([
              { asset_class: expect.any(String) as string },
            ])
        }
      }),
      { numRuns: 600 },
    )
  })
})

function unscaled(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}
