// Trades as bars, a day's summary, and measures over windows of time.
import { z } from 'zod'
import { call } from './capability.ts'
import { answer, batchOf, endTime, exchange, instant, limit, standing, startTime, symbol } from './fields.ts'
import type { ColumnSpec, TableSpec } from './tables.ts'

export const INTERVALS = ['1m', '5m', '15m', '30m', '1h', '1d'] as const
export type Interval = (typeof INTERVALS)[number]
const interval = z.enum(INTERVALS).describe("Length of a window; 1d is a day of the exchange's own clock")

const conditions = z
  .enum(['all', 'on_market'])
  .default('all')
  .describe('on_market leaves out trades with any condition but that of an auction: they were made elsewhere')

const fill = z
  .enum(['none', 'previous', 'null'])
  .default('none')
  .describe('Windows without trades: left out; with the close of the one before as all prices; or with prices of null')

const column = (name: string, type: ColumnSpec['type'], about: string, required = true): ColumnSpec => ({
  name,
  type,
  required,
  about,
})

export const bars: TableSpec = {
  name: 'bars',
  columns: [
    column('symbol', 'string', 'Instrument'),
    column('exchange', 'string', 'Exchange'),
    column('window_start', 'timestamp', 'From this time on'),
    column('window_end', 'timestamp', 'Before this time'),
    column('open_price', 'decimal', 'Price of the first trade in the total order', false),
    column('high_price', 'decimal', 'Highest price', false),
    column('low_price', 'decimal', 'Lowest price', false),
    column('close_price', 'decimal', 'Price of the last trade', false),
    column('volume', 'decimal', 'Sum of the quantities; one below zero takes away'),
    column('trade_count', 'int', 'How many trades'),
    column('vwap', 'decimal', 'Sum of price times quantity by volume, half to even at 8 places', false),
  ],
}

const decimal = z.string().regex(/^-?\d+(\.\d+)?$/)
const prices = {
  open_price: decimal,
  high_price: decimal,
  low_price: decimal,
  close_price: decimal,
  volume: decimal,
}

export const daySummary = z.strictObject({
  symbol: z.string(),
  exchange: z.string(),
  date: z.iso.date(),
  ...prices,
  trade_count: z.int(),
  vwap: decimal.nullable().describe('null where the volume is not above zero'),
})

const METRICS = ['vwap', 'twap', 'ohlcv', 'volume_profile', 'trade_count', 'spread'] as const
export type Metric = (typeof METRICS)[number]

const spread = z.strictObject({
  quotes: z.int().describe('Quotes in the window'),
  two_sided_seconds: z.number().describe('For how long both sides were quoted; averages are over this time'),
  average: decimal.nullable().describe('Ask less bid, each for as long as it stood; half to even at 8 places'),
  least: decimal.nullable(),
  greatest: decimal.nullable(),
  mid: decimal.nullable().describe('Average of the middle between bid and ask'),
  imbalance: z.number().nullable().describe('Average of bid less ask quantity by their sum: from -1 to 1'),
})

export const measured = z.strictObject({
  symbol: z.string(),
  exchange: z.string(),
  window_start: instant,
  window_end: instant,
  trade_count: z.int().optional(),
  vwap: decimal.nullable().optional().describe('null where the volume is not above zero'),
  twap: decimal.nullable().optional().describe('Last price until the next, carried in; null before the first trade'),
  ohlcv: z.strictObject(prices).nullable().optional(),
  volume_profile: z
    .array(z.strictObject({ price: decimal, volume: decimal, trade_count: z.int() }))
    .optional()
    .describe('By price, lowest first'),
  spread: spread.optional(),
})

const errors = ['SNAPSHOT_NOT_FOUND', 'PAYLOAD_TOO_LARGE', 'CORRUPT', 'UNAVAILABLE', 'TIMEOUT'] as const

export const barsContract = {
  'bars.list': call({
    summary: 'The newest bars of one instrument in a range, oldest first: open, high, low, close, volume, VWAP',
    http: { method: 'GET', path: '/v1/ohlcv/{interval}' },
    cli: { command: 'query ohlcv', defaults: { limit: 20 } },
    input: z.strictObject({
      interval: interval.default('1m'),
      symbol,
      exchange: exchange.optional().describe('Exchange, matched without case; may be left out where there is one only'),
      start_time: startTime.optional(),
      end_time: endTime.optional(),
      limit: limit(1_000, 10_000),
      conditions,
      fill,
      live: z
        .boolean()
        .optional()
        .describe('With what is in the log but not in the tables yet; when left out, where the range reaches to now'),
      ...standing,
    }),
    output: answer(batchOf(bars)),
    errors,
  }),
  'summary.day': call({
    summary: "One instrument's day, by the exchange's own clock",
    http: { method: 'GET', path: '/v1/summary/{symbol}/{date}' },
    cli: { command: 'query summary', positional: ['symbol', 'date'] },
    input: z.strictObject({
      symbol,
      date: z.iso.date().describe("Day of the exchange's own clock"),
      exchange: exchange.optional().describe('Exchange, matched without case; may be left out where there is one only'),
      conditions,
      ...standing,
    }),
    output: answer(daySummary),
    errors: ['NOT_FOUND', ...errors],
  }),
  'aggregations.run': call({
    summary: 'Measures of up to 50 instruments over windows of time',
    http: { method: 'POST', path: '/v1/aggregations' },
    cli: { command: 'query aggregations' },
    input: z.strictObject({
      symbols: z.array(symbol).min(1).max(50).describe('Instruments'),
      exchange: exchange.optional().describe('Exchange, matched without case; may be left out where there is one only'),
      metrics: z.array(z.enum(METRICS)).min(1).max(METRICS.length).describe('What to measure'),
      interval: interval.optional().describe('Length of a window; the whole range is one when left out'),
      start_time: startTime.optional(),
      end_time: endTime.optional(),
      conditions,
      ...standing,
    }),
    output: answer(z.array(measured)),
    errors,
  }),
}
