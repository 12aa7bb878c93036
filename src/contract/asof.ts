// Trades beside the quotes that were in force when they were made, and what came of it after them.
import { z } from 'zod'
import { call } from './capability.ts'
import { answer, batchOf, cursor, endTime, exchange, limit, standing, startTime, symbol } from './fields.ts'
import { SIDES, type ColumnSpec, type TableSpec } from './tables.ts'

const required = (name: string, type: ColumnSpec['type'], about: string): ColumnSpec => ({
  name,
  type,
  required: true,
  about,
})
const optional = (name: string, type: ColumnSpec['type'], about: string): ColumnSpec => ({
  name,
  type,
  required: false,
  about,
})

export const tradesWithQuotes: TableSpec = {
  name: 'trades_with_quotes',
  columns: [
    required('symbol', 'string', 'Instrument'),
    required('exchange', 'string', 'Exchange'),
    required('exchange_timestamp', 'timestamp', 'When it traded'),
    optional('source_sequence', 'long', "The source's sequence number of the trade"),
    required('price', 'decimal', 'Price of the trade'),
    required('quantity', 'decimal', 'Quantity of the trade'),
    { ...optional('side', 'enum', 'Side of the aggressor'), values: SIDES },
    optional('quote_timestamp', 'timestamp', 'Since when the quote stood; null when there was none'),
    optional('bid_price', 'decimal', 'Bid in force; null when there was none on that side'),
    optional('bid_quantity', 'decimal', 'Quantity at that bid'),
    optional('ask_price', 'decimal', 'Ask in force; null when there was none on that side'),
    optional('ask_quantity', 'decimal', 'Quantity at that ask'),
    optional('mid_price', 'decimal', 'Middle between bid and ask, half to even at 8 places'),
    optional('mids', 'map', 'By horizon in milliseconds: the middle so long after the trade'),
    optional(
      'markouts',
      'map',
      "By horizon: that middle less the price, in the aggressor's favour; of known sides only",
    ),
    optional('window_trade_count', 'int', 'Trades in the window around it, itself included'),
    optional('window_volume', 'decimal', 'Their quantities, summed'),
    optional('window_vwap', 'decimal', 'Their average price by volume, half to even at 8 places'),
  ],
}

const DAY_MS = 86_400_000
const span = z.number().min(0).max(DAY_MS).multipleOf(0.001)

export const asofContract = {
  'asof.join': call({
    summary: 'The newest trades of a range, oldest first, each with the quote in force',
    http: { method: 'POST', path: '/v1/asof' },
    cli: { command: 'query asof', defaults: { limit: 20 } },
    input: z.strictObject({
      symbol: symbol.optional(),
      symbols: z.array(symbol).min(1).max(50).optional().describe('Several instruments; instead of symbol'),
      exchange: exchange.optional().describe('Exchange, matched without case; may be left out where there is one only'),
      start_time: startTime.optional(),
      end_time: endTime.optional(),
      limit: limit(1_000, 100_000),
      cursor: cursor.optional(),
      strict: z.boolean().default(false).describe('Only quotes from before the trade, none of the same moment'),
      tolerance_ms: span.optional().describe('Only quotes that are not older than so many milliseconds'),
      horizons_ms: z
        .array(span)
        .max(10)
        .default([])
        .describe(
          'So many milliseconds after each trade the middle of the quote in force is told; beyond end_time too',
        ),
      window_before_ms: span.optional().describe('The window around each trade begins so many milliseconds before it'),
      window_after_ms: span.optional().describe('And ends so many milliseconds after it; both ends included'),
      conditions: z
        .enum(['all', 'on_market'])
        .default('all')
        .describe('on_market leaves out trades with any condition but that of an auction: they were made elsewhere'),
      ...standing,
    }),
    output: answer(batchOf(tradesWithQuotes)),
    errors: ['SNAPSHOT_NOT_FOUND', 'PAYLOAD_TOO_LARGE', 'CORRUPT', 'UNAVAILABLE', 'TIMEOUT'],
  }),
}
