// Replaying what happened, row by row in order: page by page, or as a stream at a speed.
import { z } from 'zod'
import { call, stream } from './capability.ts'
import {
  answer,
  batchOf,
  cursor,
  dataType,
  endTime,
  exchange,
  instant,
  pastState,
  startTime,
  symbol,
  wantsReceipt,
} from './fields.ts'
import { quotes, trades } from './tables.ts'

export const symbols = z.array(symbol).min(1).max(100).optional().describe('Only these; all when left out')
export const batchSize = z.int().min(1).max(10_000).default(1000).describe('How many rows a batch has at the most')
export const speed = z
  .union([z.number().min(0.1).max(1000), z.literal('max')])
  .describe('How much faster than it happened: 0.1 to 1000, or max for as fast as it can be read')

export const selection = {
  exchange: exchange.optional(),
  start_time: startTime.optional(),
  end_time: endTime.optional(),
  ...pastState,
}
const pageSelection = {
  data_type: dataType.default('trades'),
  symbol: symbol.optional(),
  symbols,
  ...selection,
  batch_size: batchSize,
}

export const replayErrors = ['UNAVAILABLE', 'SNAPSHOT_NOT_FOUND', 'TIMEOUT', 'CORRUPT'] as const

export const replay = {
  'replay.read': call({
    summary: 'Trades or quotes in the order they happened, a batch a time: the cursor goes on exactly behind it',
    http: { method: 'POST', path: '/v1/replay' },
    input: z.strictObject({ ...pageSelection, cursor: cursor.optional(), receipt: wantsReceipt }),
    output: answer(batchOf(trades, quotes)),
    errors: replayErrors,
  }),
  'replay.play': stream({
    summary: 'Trades or quotes in the order they happened, at a speed',
    cli: { command: 'query replay' },
    input: z.strictObject({
      ...pageSelection,
      speed: speed.default('max'),
      max_batches: z.int().min(1).max(1_000_000_000).optional().describe('End after so many batches'),
    }),
    output: z.strictObject({ rows: batchOf(trades, quotes), clock: instant.describe('Time of the last row') }),
    errors: replayErrors,
  }),
}
