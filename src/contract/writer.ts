// The writer: what the log has goes into the tables, exactly once; and what feeds the log from outside.
import { z } from 'zod'
import { call, stream } from './capability.ts'
import { topicName } from './fields.ts'

/** What a writer has done since it was started. */
const writerTotals = {
  messages: z.int().describe('Messages taken from the log'),
  rows: z.int().describe('Rows committed'),
  commits: z.int(),
  dead_letters: z.int().describe('Messages set aside'),
  duplicates: z.int().describe('Messages dropped as repeats'),
  gaps: z.int().describe('Gaps in sequence numbers'),
  out_of_order: z.int(),
  lag: z.int().describe('Messages in the log that are not committed yet'),
  duration_seconds: z.number(),
}

export const WRITER_STATES = [
  'off',
  'starting',
  'writing',
  'following',
  'waiting',
  'suspended',
  'halted',
  'stopped',
] as const

export const consumeProgress = z.strictObject({
  state: z
    .enum(WRITER_STATES)
    .describe(
      'following: another K2 writes; waiting: a server is away, and what was taken in is held until it is back',
    ),
  ...writerTotals,
  rows_per_second: z.number(),
  why: z.string().nullable().describe('Why it does not write just now, and what to do'),
})
export type ConsumeProgress = z.infer<typeof consumeProgress>

const breaker = z.strictObject({
  name: z.enum(['kafka', 'registry', 'catalog', 's3']),
  state: z.enum(['closed', 'half-open', 'open']),
  failures: z.int(),
  why: z.string().nullable(),
})

export const writerStatus = z.strictObject({
  ...consumeProgress.shape,
  breakers: z.array(breaker),
  topics: z.array(
    z.strictObject({
      topic: z.string(),
      table: z.enum(['trades', 'quotes', 'reference_data']),
      partition: z.int(),
      committed_offset: z.string(),
      read_offset: z.string(),
      lag: z.int(),
    }),
  ),
})
export type WriterStatus = z.infer<typeof writerStatus>

/** What stops a stream on its way into a table. */
export const STREAM_ERRORS = [
  'NOT_FOUND',
  'FORBIDDEN',
  'CONFLICT',
  'FENCED',
  'LOG_RESET',
  'OFFSET_OUT_OF_RANGE',
  'CORRUPT',
  'UNAVAILABLE',
] as const

export const writer = {
  'ingest.consume': stream({
    summary: 'Write what the log has into the tables, exactly once, until stopped',
    cli: { command: 'ingest consume' },
    input: z.strictObject({
      topic: topicName.optional().describe('Only this topic; those of K2_TOPICS when left out'),
      topic_pattern: z
        .string()
        .min(1)
        .max(1000)
        .optional()
        .describe('Every topic whose whole name matches, also later ones'),
      max_messages: z.int().min(1).optional().describe('End after so many messages'),
      group: z
        .string()
        .regex(/^[\w.{}-]{1,200}$/)
        .optional()
        .describe('Consumer group that shows the lag; K2_CONSUMER_GROUP when left out'),
      on_gap: z.enum(['continue', 'halt']).default('continue').describe('Whether to stop before a gap above 100'),
      on_dead_letter: z.enum(['skip', 'suspend']).default('skip').describe('Whether to stop at what cannot be read'),
    }),
    output: consumeProgress,
    errors: STREAM_ERRORS,
  }),
  'ingest.stream': stream({
    summary: 'Take market data from an exchange into the log, until stopped',
    cli: { command: 'ingest stream', positional: ['source'] },
    input: z.strictObject({
      source: z.enum(['binance']).describe('Where from'),
      symbols: z
        .array(z.string().regex(/^[A-Za-z0-9]{2,32}$/))
        .max(200)
        .optional()
        .describe('What to follow; K2_BINANCE_SYMBOLS when left out'),
      max_messages: z.int().min(1).optional().describe('End after so many messages'),
    }),
    output: z.strictObject({
      state: z.enum(['connecting', 'connected', 'waiting', 'stopped']),
      messages: z.int(),
      trades: z.int(),
      quotes: z.int(),
      errors: z.int().describe('Messages that were not understood'),
      gaps: z.int().describe('Trades that were missed'),
      backfilled: z.int().describe('Of those, fetched afterwards'),
      reconnects: z.int(),
      duration_seconds: z.number(),
      why: z.string().nullable(),
    }),
    errors: ['UNAVAILABLE', 'FORBIDDEN'],
  }),
  'ingest.status': call({
    summary: 'What the writer is doing, and how far it is',
    cli: { command: 'ingest status' },
    input: z.strictObject({}),
    output: writerStatus,
    errors: ['UNAVAILABLE'],
  }),
}
