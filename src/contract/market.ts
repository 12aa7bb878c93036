// Market data: the newest trades and quotes of tables and log together, what is traded, and following it live.
import { z } from 'zod'
import { call, stream } from './capability.ts'
import {
  answer,
  batchOf,
  dataType,
  exchange,
  instant,
  limit,
  standing,
  symbol,
  wantsReceipt,
  windowMinutes,
} from './fields.ts'
import { ASSET_CLASSES, quotes, trades } from './tables.ts'

/** One form at every door, as it is typed in an address too. */
const minOffsets = z
  .string()
  .max(10_000)
  .regex(
    /^[A-Za-z0-9._-]{1,249}:\d{1,5}:\d{1,15}(,[A-Za-z0-9._-]{1,249}:\d{1,5}:\d{1,15})*$/,
    'topic:partition:offset, more of them after commas',
  )
  .describe(
    'Wait, for 5 s at the most, until everything below these offsets is read: topic:partition:offset, more after ' +
      'commas. The offset is the next one, one more than that of the last message wanted',
  )

const recentInput = z.strictObject({
  symbol,
  exchange,
  window_minutes: windowMinutes,
  limit: limit(1000, 10_000),
  min_offsets: minOffsets.optional(),
  receipt: wantsReceipt,
})

export const symbolRow = z.strictObject({
  symbol: z.string(),
  exchange: z.string(),
  asset_class: z.enum(ASSET_CLASSES),
  first_seen: instant,
  last_seen: instant,
  trades: z.int(),
  quotes: z.int(),
  company_name: z.string().nullable(),
})

export const market = {
  'trades.recent': call({
    summary: 'The newest trades of one instrument, oldest first',
    http: { method: 'GET', path: '/v1/trades/recent' },
    cli: { command: 'query recent', type: 'trades', defaults: { limit: 20 } },
    input: recentInput,
    output: answer(batchOf(trades)),
    errors: ['UNAVAILABLE', 'TIMEOUT'],
  }),
  'quotes.recent': call({
    summary: 'The newest quotes of one instrument, oldest first',
    http: { method: 'GET', path: '/v1/quotes/recent' },
    cli: { command: 'query recent', type: 'quotes', defaults: { limit: 20 } },
    input: recentInput,
    output: answer(batchOf(quotes)),
    errors: ['UNAVAILABLE', 'TIMEOUT'],
  }),
  'symbols.list': call({
    summary: 'Every instrument seen, with when and how often',
    http: { method: 'GET', path: '/v1/symbols' },
    cli: { command: 'query symbols' },
    input: z.strictObject({
      exchange: exchange.optional(),
      ...standing,
    }),
    output: answer(z.array(symbolRow)),
    errors: ['SNAPSHOT_NOT_FOUND', 'CORRUPT', 'UNAVAILABLE', 'TIMEOUT', 'PAYLOAD_TOO_LARGE'],
  }),
  'tail.follow': stream({
    summary: 'Trades or quotes as they arrive',
    http: { method: 'GET', path: '/v1/stream' },
    cli: { command: 'query follow' },
    input: z.strictObject({
      data_type: dataType.default('trades'),
      symbols: z.array(symbol).max(100).optional().describe('Only these; all when left out'),
      exchange: exchange.optional(),
      after: z.string().max(200).optional().describe('Go on after this cursor; from now on when left out'),
      backlog: z.int().min(0).max(10_000).default(0).describe('How many rows from before now to begin with'),
      conflate: z
        .enum(['auto', 'never'])
        .default('auto')
        .describe('auto: under load only the newest row of a symbol in each batch, those of the first tier last'),
    }),
    output: z.strictObject({
      rows: batchOf(trades, quotes),
      cursor: z.string().describe('The place just after this batch, to be given back as `after`'),
      missed: z.int().describe('Rows that left the tail before this reader took them: 0 for one that keeps up'),
      conflated: z
        .int()
        .optional()
        .describe('Rows left out as newer ones of their symbol are in the batch; under load'),
      newest_at: instant.describe('When the newest row of the batch came into the tail'),
    }),
    errors: ['UNAVAILABLE', 'OFFSET_OUT_OF_RANGE'],
  }),
}
