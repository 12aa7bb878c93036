// What happened, as columns: a name's trades and quotes over all days, in the order in which they happened.

export interface TradeRows {
  /** Places in DAYS. */
  days: number[]
  /** Milliseconds after midnight in Sydney. */
  times: number[]
  /** Whole numbers at scale 8. */
  prices: number[]
  shares: number[]
  /** Empty for what traded on the book. */
  qualifiers: string[]
  venues: string[]
  /** Number of the buyer's broker, empty where it is not published. */
  buyers: string[]
  /** Places in SIDES. */
  sides: number[]
  ids: number[]
  sequences: number[]
}

export interface QuoteRows {
  days: number[]
  times: number[]
  /** Whole numbers at scale 8; 0 on a side without a quote. */
  bids: number[]
  asks: number[]
  bidShares: number[]
  askShares: number[]
  sequences: number[]
}

export function createTradeRows(): TradeRows {
  return {
    days: [],
    times: [],
    prices: [],
    shares: [],
    qualifiers: [],
    venues: [],
    buyers: [],
    sides: [],
    ids: [],
    sequences: [],
  }
}

export function createQuoteRows(): QuoteRows {
  return { days: [], times: [], bids: [], asks: [], bidShares: [], askShares: [], sequences: [] }
}
