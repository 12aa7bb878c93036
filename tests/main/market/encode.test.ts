// What the product writes to the log, judged by an independent reader of the published schemas and by bytes worked out by hand.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SIDES } from '../../../src/contract/tables.ts'
import { avroSchemas } from '../../../src/main/market/avro-schemas.ts'
import {
  encodeInstrument,
  putQuote,
  putTrade,
  type Instrument,
  type QuoteColumns,
  type TradeColumns,
} from '../../../src/main/market/encode.ts'
import { messageIdOf } from '../../../src/main/market/message-id.ts'
import {
  countDigits,
  createValueBuffer,
  putDecimal,
  putDigits,
  putLong,
  type ValueBuffer,
} from '../../../src/main/market/value-buffer.ts'
import { readMessage, splitValues } from './read-avro.ts'

const BHP: Instrument = { symbol: 'BHP', exchange: 'ASX', assetClass: 'equities', currency: 'AUD' }
const BTC: Instrument = { symbol: 'BTCUSDT', exchange: 'BINANCE', assetClass: 'crypto', currency: 'USDT' }

const trade = (changes: Partial<TradeColumns> = {}): TradeColumns => ({
  ids: [42],
  exchangeTimestamps: [1_394_401_234_567_891],
  ingestionTimestamps: [1_394_401_234_568_000],
  sourceSequences: [7],
  prices: [3_618_000_000],
  quantities: [40_000_000_000],
  sides: [SIDES.indexOf('SELL')],
  conditions: [null],
  ...changes,
})

const quote = (changes: Partial<QuoteColumns> = {}): QuoteColumns => ({
  ids: [9],
  exchangeTimestamps: [1_394_401_234_567_891],
  ingestionTimestamps: [1_394_401_234_568_000],
  sourceSequences: [7],
  bidPrices: [3_618_000_000],
  bidQuantities: [100_000_000],
  askPrices: [3_619_000_000],
  askQuantities: [200_000_000],
  ...changes,
})

function valuesOf(out: ValueBuffer): Uint8Array[] {
  return splitValues({ values: out.bytes, ends: out.ends, count: out.count })
}

function bytesOf(put: (out: ValueBuffer) => void): string {
  const out = createValueBuffer()
  put(out)
  return out.bytes.toString('hex', 0, out.length)
}

function readTrade(columns: TradeColumns, instrument = BHP) {
  const out = createValueBuffer()
  putTrade(out, 1, encodeInstrument(instrument), columns, 0)
  return readMessage(valuesOf(out)[0], avroSchemas.trades).row
}

function readQuote(columns: QuoteColumns, instrument = BHP) {
  const out = createValueBuffer()
  putQuote(out, 2, encodeInstrument(instrument), columns, 0)
  return readMessage(valuesOf(out)[0], avroSchemas.quotes).row
}

describe('a trade', () => {
  it('is these bytes, worked out by hand', () => {
    const out = createValueBuffer()
    putTrade(
      out,
      0x01020304,
      encodeInstrument(BHP),
      trade({ ids: [1], exchangeTimestamps: [1_000_000], ingestionTimestamps: [1_000_001] }),
      0,
    )
    const expected = [
      '00 01020304', // magic, schema id
      '1c 4153583a 31303030 3a4248503a 31', // 14 characters: ASX:1000:BHP:1
      '02 31', // trade id 1
      '06 424850 06 415358 00', // BHP, ASX, equities
      '80897a', // 1,000,000 zigzag is 2,000,000
      '0a 00d7a64c80', // 36.18 is 3,618,000,000 = 0xd7a64c80: five bytes, as four would be negative
      '0a 09502f9000', // 400 is 40,000,000,000
      '06 415544', // AUD
      '02 02', // a side: SELL
      '00', // no conditions
      '02 0e', // sequence 7
      '82897a', // 1,000,001
      '00 00', // no platform sequence, no vendor data
    ]
    expect(Buffer.from(valuesOf(out)[0]).toString('hex')).toBe(expected.join('').replaceAll(' ', ''))
  })

  it('reads back as it was written', () => {
    const conditions = ['XT', 'ümlaut']
    const vendorData = { venue: 'CENTRE-POINT', buyer_id: '9' }
    expect(readTrade(trade({ conditions: [conditions], vendorData: [vendorData], platformSequences: [12] }))).toEqual({
      message_id: messageIdOf('ASX', 1_394_401_234_567_891, 'BHP', '42'),
      trade_id: '42',
      symbol: 'BHP',
      exchange: 'ASX',
      asset_class: 'equities',
      exchange_timestamp: 1_394_401_234_567_891n,
      price: 3_618_000_000n,
      quantity: 40_000_000_000n,
      currency: 'AUD',
      side: 'SELL',
      trade_conditions: conditions,
      source_sequence: 7n,
      ingestion_timestamp: 1_394_401_234_568_000n,
      platform_sequence: 12n,
      vendor_data: vendorData,
    })
  })

  it('may have an id that is no number, and lack all that is optional', () => {
    expect(readTrade(trade({ ids: ['X-ß1'], sides: [NaN], sourceSequences: [NaN] }), BTC)).toMatchObject({
      message_id: 'BINANCE:1394401234567:BTCUSDT:X-ß1',
      trade_id: 'X-ß1',
      asset_class: 'crypto',
      currency: 'USDT',
      side: null,
      trade_conditions: null,
      source_sequence: null,
      platform_sequence: null,
      vendor_data: null,
    })
  })

  it('tells an empty list and an empty map from none', () => {
    expect(readTrade(trade({ conditions: [[]], vendorData: [{}] }))).toMatchObject({
      trade_conditions: [],
      vendor_data: {},
    })
  })

  it('makes room for texts longer than the buffer', () => {
    const long = 'x'.repeat(200_000)
    const row = readTrade(trade({ ids: [long], conditions: [[long, long]], vendorData: [{ [long]: long }] }))
    expect(row).toMatchObject({ trade_id: long, trade_conditions: [long, long], vendor_data: { [long]: long } })
    expect(row.platform_sequence).toBeNull()
  })
})

describe('a quote', () => {
  it('reads back as it was written', () => {
    expect(readQuote(quote())).toEqual({
      message_id: 'ASX:1394401234567:BHP:9',
      quote_id: '9',
      symbol: 'BHP',
      exchange: 'ASX',
      asset_class: 'equities',
      exchange_timestamp: 1_394_401_234_567_891n,
      bid_price: 3_618_000_000n,
      bid_quantity: 100_000_000n,
      ask_price: 3_619_000_000n,
      ask_quantity: 200_000_000n,
      currency: 'AUD',
      source_sequence: 7n,
      ingestion_timestamp: 1_394_401_234_568_000n,
      platform_sequence: null,
      vendor_data: null,
    })
  })

  it('may have one side only', () => {
    expect(readQuote(quote({ askPrices: [NaN], askQuantities: [NaN] }))).toMatchObject({
      bid_price: 3_618_000_000n,
      ask_price: null,
      ask_quantity: null,
    })
  })
})

describe('many values in one buffer', () => {
  it('each end where the next begins, however often the buffer grew', () => {
    const out = createValueBuffer()
    const instrument = encodeInstrument(BTC)
    const count = 3000
    const ids = Float64Array.from({ length: count }, (_, i) => i ** 4)
    const constant = (value: number) => new Float64Array(count).fill(value)
    const columns = quote({
      ids,
      exchangeTimestamps: constant(1e15),
      ingestionTimestamps: constant(1e15),
      sourceSequences: ids,
      bidPrices: ids,
      bidQuantities: ids,
      askPrices: constant(NaN),
      askQuantities: constant(NaN),
    })
    for (let row = 0; row < count; row++) putQuote(out, 2, instrument, columns, row)
    const rows = valuesOf(out).map(value => readMessage(value, avroSchemas.quotes))
    expect(rows.map(({ row }) => row.quote_id)).toEqual(Array.from(ids, String))
    expect(rows.every(({ schemaId, row }) => schemaId === 2 && row.bid_price === BigInt(row.quote_id as string))).toBe(
      true,
    )
  })
})

describe('numbers', () => {
  const safe = fc.maxSafeInteger()

  it.each([
    [0n, '0200'],
    [127n, '027f'],
    [128n, '040080'],
    [-1n, '02ff'],
    [-128n, '0280'],
    [-129n, '04ff7f'],
    [2n ** 31n, '0a0080000000'],
    [-(2n ** 31n), '0880000000'],
    [10n ** 18n - 1n, '100de0b6b3a763ffff'],
    [1n - 10n ** 18n, '10f21f494c589c0001'],
  ])('write the decimal %s in the fewest bytes', (unscaled, hex) => {
    expect(bytesOf(out => putDecimal(out, unscaled))).toBe(hex)
    if (Number.isSafeInteger(Number(unscaled))) expect(bytesOf(out => putDecimal(out, Number(unscaled)))).toBe(hex)
  })

  it('write every decimal of 18 digits so that the shortest two’s complement comes out', () => {
    const bound = 10n ** 18n - 1n
    fc.assert(
      fc.property(fc.oneof(fc.bigInt({ min: -bound, max: bound }), safe.map(BigInt)), unscaled => {
        const bytes = Buffer.from(
          bytesOf(out => putDecimal(out, unscaled)),
          'hex',
        ).subarray(1)
        expect(BigInt.asIntN(bytes.length * 8, BigInt('0x' + bytes.toString('hex')))).toBe(unscaled)
        const fits = (size: number) => BigInt.asIntN(size * 8, unscaled) === unscaled
        expect(fits(bytes.length) && (bytes.length === 1 || !fits(bytes.length - 1))).toBe(true)
      }),
    )
  })

  it('write a decimal alike from a double and from a 64-bit integer', () => {
    fc.assert(
      fc.property(safe, unscaled => {
        expect(bytesOf(out => putDecimal(out, unscaled))).toBe(bytesOf(out => putDecimal(out, BigInt(unscaled))))
      }),
    )
  })

  it('write longs as zigzag varints', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 52), max: Number.MAX_SAFE_INTEGER }), value => {
        const groups = []
        let zigzag = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
        for (; zigzag > 0x7fn; zigzag >>= 7n) groups.push(Number(zigzag & 0x7fn) | 0x80)
        expect(bytesOf(out => putLong(out, value))).toBe(Buffer.from([...groups, Number(zigzag)]).toString('hex'))
      }),
    )
  })

  it('write whole numbers in the digits that people write', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), value => {
        expect(
          Buffer.from(
            bytesOf(out => putDigits(out, value)),
            'hex',
          ).toString(),
        ).toBe(String(value))
        expect(countDigits(value)).toBe(String(value).length)
      }),
      { examples: [[0], [9], [10], [999_999_999], [1_000_000_000], [9_007_199_254_740_991]] },
    )
  })
})
