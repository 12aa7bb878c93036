// What the product writes, the product reads: any row comes back as it was, by the decoder that answers use.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimalText, rowOf, timestampText } from '../../../src/contract/columns.ts'
import { quotes, SIDES, trades, type TableSpec } from '../../../src/contract/tables.ts'
import { EMBEDDED_SCHEMA_IDS } from '../../../src/main/market/avro-schemas.ts'
import { createCursor } from '../../../src/main/market/decode-primitives.ts'
import { createRowDecoder } from '../../../src/main/market/decode-rows.ts'
import { encodeInstrument, putQuote, putTrade } from '../../../src/main/market/encode.ts'
import { messageIdOf } from '../../../src/main/market/message-id.ts'
import { createValueBuffer, type ValueBuffer } from '../../../src/main/market/value-buffer.ts'

const instrument = { symbol: 'BHP', exchange: 'ASX', assetClass: 'equities', currency: 'AUD' } as const
const encoded = encodeInstrument(instrument)

const micros = fc.integer({ min: 0, max: Date.UTC(2200, 0) * 1000 })
const decimal = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: 1n - 10n ** 18n, max: 10n ** 18n - 1n }))
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const id = fc.oneof(fc.maxSafeNat(), text)
const sequence = fc.oneof(fc.maxSafeNat(), fc.constant(NaN))
const vendorData = fc.option(fc.dictionary(text, text, { noNullPrototype: true }))

function decode(table: TableSpec, out: ValueBuffer) {
  const names = new Set(table.columns.map(({ name }) => name).filter(name => !name.startsWith('_')))
  const decoder = createRowDecoder(table, names)
  decoder.begin(1)
  decoder.read({ ...createCursor(out.bytes), at: 0, end: out.ends[0] }, 0)
  return rowOf({ rowCount: 1, columns: decoder.columns() }, 0)
}

const optional = (value: number) => (Number.isNaN(value) ? null : String(value))
const optionalDecimal = (value: number | bigint) => (Number.isNaN(value) ? null : decimalText(value, 8))

const common = fc.record({ id, at: micros, ingested: micros, sequence, platform: sequence, vendorData })
type Common = typeof common extends fc.Arbitrary<infer T> ? T : never

const columnsOf = ({ id, at, ingested, sequence, platform, vendorData }: Common) => ({
  ids: [id],
  exchangeTimestamps: [at],
  ingestionTimestamps: [ingested],
  sourceSequences: [sequence],
  platformSequences: [platform],
  vendorData: [vendorData],
})

const rowOfCommon = ({ id, at, ingested, sequence, platform, vendorData }: Common) => ({
  message_id: messageIdOf('ASX', at, 'BHP', String(id)),
  symbol: 'BHP',
  exchange: 'ASX',
  asset_class: 'equities',
  currency: 'AUD',
  exchange_timestamp: timestampText(at),
  ingestion_timestamp: timestampText(ingested),
  source_sequence: optional(sequence),
  platform_sequence: optional(platform),
  vendor_data: vendorData,
})

describe('any row comes back as it was written', () => {
  it('for trades', () => {
    const side = fc.oneof(fc.nat(SIDES.length - 1), fc.constant(NaN))
    const trade = fc.record({ price: decimal, quantity: decimal, side, conditions: fc.option(fc.array(text)) })
    fc.assert(
      fc.property(common, trade, (message, { price, quantity, side, conditions }) => {
        const out = createValueBuffer()
        const own = { prices: [price], quantities: [quantity], sides: [side], conditions: [conditions] }
        putTrade(out, EMBEDDED_SCHEMA_IDS.trades, encoded, { ...columnsOf(message), ...own }, 0)
        expect(decode(trades, out)).toEqual({
          ...rowOfCommon(message),
          trade_id: String(message.id),
          price: decimalText(price, 8),
          quantity: decimalText(quantity, 8),
          side: Number.isNaN(side) ? null : SIDES[side],
          trade_conditions: conditions,
        })
      }),
    )
  })

  it('for quotes', () => {
    const side = fc.oneof(decimal, fc.constant(NaN))
    const quote = fc.record({ bid: side, bidQuantity: side, ask: side, askQuantity: side })
    fc.assert(
      fc.property(common, quote, (message, { bid, bidQuantity, ask, askQuantity }) => {
        const out = createValueBuffer()
        const own = { bidPrices: [bid], bidQuantities: [bidQuantity], askPrices: [ask], askQuantities: [askQuantity] }
        putQuote(out, EMBEDDED_SCHEMA_IDS.quotes, encoded, { ...columnsOf(message), ...own }, 0)
        expect(decode(quotes, out)).toEqual({
          ...rowOfCommon(message),
          quote_id: String(message.id),
          bid_price: optionalDecimal(bid),
          bid_quantity: optionalDecimal(bidQuantity),
          ask_price: optionalDecimal(ask),
          ask_quantity: optionalDecimal(askQuantity),
        })
      }),
    )
  })
})
