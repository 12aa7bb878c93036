// Messages on their way from the market to the log: one row each, in the order in which they happened.
import type { QuoteColumns, TradeColumns } from '../../market/encode.ts'

export const TRADE = 0
export const QUOTE = 1

/** Rows of a trade leave the quote's columns as they were, and the other way round. */
export interface MessageColumns extends TradeColumns, QuoteColumns {
  count: number
  capacity: number
  /** TRADE or QUOTE. */
  kinds: Uint8Array
  /** Places in the market's list of instruments. */
  instruments: Uint16Array
  ids: Float64Array
  exchangeTimestamps: Float64Array
  ingestionTimestamps: Float64Array
  sourceSequences: Float64Array
  prices: Float64Array
  quantities: Float64Array
  sides: Uint8Array
  conditions: (readonly string[] | null)[]
  bidPrices: Float64Array
  bidQuantities: Float64Array
  askPrices: Float64Array
  askQuantities: Float64Array
}

export function createMessageColumns(capacity: number): MessageColumns {
  const doubles = () => new Float64Array(capacity)
  return {
    count: 0,
    capacity,
    kinds: new Uint8Array(capacity),
    instruments: new Uint16Array(capacity),
    ids: doubles(),
    exchangeTimestamps: doubles(),
    ingestionTimestamps: doubles(),
    sourceSequences: doubles(),
    prices: doubles(),
    quantities: doubles(),
    sides: new Uint8Array(capacity),
    conditions: new Array<null>(capacity).fill(null),
    bidPrices: doubles(),
    bidQuantities: doubles(),
    askPrices: doubles(),
    askQuantities: doubles(),
  }
}
