// Binance's trades and quotes as messages of the log's topics.
import { SIDES } from '../../../contract/tables.ts'
import { encodeInstrument, putQuote, putTrade, type EncodedInstrument } from '../../market/encode.ts'
import { exchangeOf, NO_CURRENCY } from '../../market/exchanges.ts'
import { topicOf } from '../../market/topics.ts'
import type { MessageBatch } from '../message-batch.ts'
import type { Quote, Trade } from './read-event.ts'

const EXCHANGE = exchangeOf('BINANCE').name
const ASSET_CLASS = 'crypto'
const [BUY, SELL] = [SIDES.indexOf('BUY'), SIDES.indexOf('SELL')]

export const TRADES_TOPIC = topicOf(ASSET_CLASS, 'trades', EXCHANGE)
export const QUOTES_TOPIC = topicOf(ASSET_CLASS, 'quotes', EXCHANGE)

export interface EventEncoder {
  putTrade: (out: MessageBatch, trade: Trade, receivedMicros: number) => void
  putQuote: (out: MessageBatch, quote: Quote, receivedMicros: number) => void
}

/** `currencyOf` may know nothing of a pair. */
export function createEventEncoder(
  schemaIds: { trades: number; quotes: number },
  currencyOf: (symbol: string) => string | undefined,
): EventEncoder {
  const instruments = new Map<string, EncodedInstrument>()
  /** One row, filled anew for every message. */
  const common = { ids: [0], exchangeTimestamps: [0], ingestionTimestamps: [0], sourceSequences: [NaN] }

  function instrumentOf(symbol: string): EncodedInstrument {
    const known = instruments.get(symbol)
    if (known) return known
    const currency = currencyOf(symbol) ?? NO_CURRENCY
    const encoded = encodeInstrument({ symbol, exchange: EXCHANGE, assetClass: ASSET_CLASS, currency })
    instruments.set(symbol, encoded)
    return encoded
  }

  return {
    putTrade({ keys, values }, trade, receivedMicros) {
      const { symbol, id, micros, price, quantity, isBuyerMaker } = trade
      common.ids[0] = id
      common.sourceSequences[0] = id
      common.exchangeTimestamps[0] = micros
      common.ingestionTimestamps[0] = receivedMicros
      const columns = {
        ...common,
        prices: [price],
        quantities: [quantity],
        sides: [isBuyerMaker ? SELL : BUY],
        conditions: [null],
        vendorData: [ordersOf(trade)],
      }
      putTrade(values, schemaIds.trades, instrumentOf(symbol), columns, 0)
      keys.push(symbol)
    },
    putQuote({ keys, values }, { symbol, id, bidPrice, bidQuantity, askPrice, askQuantity }, receivedMicros) {
      common.ids[0] = id
      // Updates between two best quotes are not sent, so the numbers have gaps that are none.
      common.sourceSequences[0] = NaN
      common.exchangeTimestamps[0] = receivedMicros
      common.ingestionTimestamps[0] = receivedMicros
      const columns = {
        ...common,
        bidPrices: [bidPrice],
        bidQuantities: [bidQuantity],
        askPrices: [askPrice],
        askQuantities: [askQuantity],
        vendorData: [RECEIVED],
      }
      putQuote(values, schemaIds.quotes, instrumentOf(symbol), columns, 0)
      keys.push(symbol)
    },
  }
}

/** Marks a time that is not the exchange's. */
const RECEIVED = { time: 'received' }

function ordersOf({ buyerOrder, sellerOrder }: Trade): Record<string, string> | null {
  if (buyerOrder === undefined && sellerOrder === undefined) return null
  return {
    ...(buyerOrder !== undefined && { buyer_order_id: buyerOrder }),
    ...(sellerOrder !== undefined && { seller_order_id: sellerOrder }),
  }
}
