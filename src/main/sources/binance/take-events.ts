// What comes in, judged one by one: new or seen before, understood or not, and counted.
import type { Clock } from '../../base/clock.ts'
import type { MessageBatch } from '../message-batch.ts'
import { QUOTES_TOPIC, TRADES_TOPIC, type EventEncoder } from './encode-event.ts'
import type { BinanceLog, BinanceMetrics } from './observe.ts'
import { NotUnderstood, readEvent, type Quote, type Trade } from './read-event.ts'
import type { IdRange, TradeIds } from './trade-ids.ts'

export interface Counts {
  trades: number
  quotes: number
  errors: number
}

export interface EventTaker {
  counts: Counts
  /** A message of the stream. */
  takeText: (text: string) => void
  /** A trade that is known to be new. */
  putTrade: (trade: Trade) => void
}

export interface EventTakerOptions {
  encoder: EventEncoder
  ids: TradeIds
  outbox: { batchOf: (topic: string) => MessageBatch; ring: () => void; isFull: () => boolean }
  /** Trades and quotes in all. */
  maxMessages: number
  clock: Clock
  metrics: BinanceMetrics
  logger: BinanceLog
  onGap: (symbol: string, gap: IdRange) => void
  onNotUnderstood: (text: string, why: NotUnderstood) => void
  /** A message was not taken, as nothing can be: to be fetched again afterwards. */
  onFull: () => void
  onLimit: () => void
  /** The exchange will close the connection. */
  onShutdown: () => void
}

/** Best quotes this far behind the last are no late ones: the exchange counts anew. */
const RESET_DISTANCE = 1_000_000

export function createEventTaker(options: EventTakerOptions): EventTaker {
  const { encoder, ids, outbox, maxMessages, clock, metrics, logger } = options
  const counts: Counts = { trades: 0, quotes: 0, errors: 0 }
  const lastQuotes = new Map<string, number>()

  function count(kind: 'trades' | 'quotes', symbol: string): void {
    counts[kind]++
    metrics.add('k2_binance_messages_received_total', 1, { symbol })
    outbox.ring()
    if (counts.trades + counts.quotes === maxMessages) options.onLimit()
  }

  function putTrade(trade: Trade): void {
    if (counts.trades + counts.quotes >= maxMessages) return
    encoder.putTrade(outbox.batchOf(TRADES_TOPIC), trade, clock.nowMicros())
    count('trades', trade.symbol)
  }

  function takeTrade(trade: Trade): void {
    const { symbol, id } = trade
    // What is not put must not be taken for seen either.
    if (counts.trades + counts.quotes >= maxMessages) return
    const { isNew, gap, isReset } = ids.take(symbol, id)
    if (isReset) logger.warn('the exchange counts its trades anew', { symbol, trade_id: id })
    if (gap) options.onGap(symbol, gap)
    if (isNew) putTrade(trade)
  }

  function takeQuote(quote: Quote): void {
    const last = lastQuotes.get(quote.symbol) ?? -1
    if (quote.id <= last && last - quote.id <= RESET_DISTANCE) return
    lastQuotes.set(quote.symbol, quote.id)
    if (counts.trades + counts.quotes >= maxMessages) return
    encoder.putQuote(outbox.batchOf(QUOTES_TOPIC), quote, clock.nowMicros())
    count('quotes', quote.symbol)
  }

  function take(text: string): void {
    const event = readEvent(text)
    switch (event.kind) {
      case 'trade':
        return outbox.isFull() ? options.onFull() : takeTrade(event)
      case 'quote':
        return outbox.isFull() ? options.onFull() : takeQuote(event)
      case 'shutdown':
        return options.onShutdown()
      case 'answer':
        if (event.problem !== undefined) logger.warn('a subscription was refused', { error: event.problem })
    }
  }

  return {
    counts,
    putTrade,
    takeText(text) {
      try {
        take(text)
      } catch (error) {
        if (!(error instanceof NotUnderstood)) throw error
        counts.errors++
        metrics.add('k2_binance_message_errors_total', 1, { error_type: error.reason })
        options.onNotUnderstood(text, error)
      }
    },
  }
}
