// The identity of a message: the same whenever, wherever and by whomever it is made from the same trade or quote.

/** exchange:timestamp_ms:symbol:trade_id, the exchange in upper case; microseconds are cut, not rounded. */
export function messageIdOf(exchange: string, timestampMicros: number, symbol: string, tradeId: string): string {
  return `${exchange.toUpperCase()}:${Math.floor(timestampMicros / 1000)}:${symbol}:${tradeId}`
}
