// Replays with a clock that plays, pauses, steps, goes back and goes live: a session is opened, controlled and followed.
import { z } from 'zod'
import { call, stream } from './capability.ts'
import { batchOf, dataType, instant, moment } from './fields.ts'
import { batchSize, replayErrors, selection, speed, symbols } from './replay.ts'
import { quotes, trades, type ColumnSpec, type TableSpec } from './tables.ts'

const MARKS: readonly ColumnSpec[] = [
  { name: 'ordinal', type: 'int', required: true, about: 'How many rows of the batch come before it, of both kinds' },
  { name: 'is_late', type: 'boolean', required: true, about: 'A row with a later exchange time came before it' },
]

/** Rows of a session: the row, and where it stands among those of the other kind. */
export const REPLAYED = {
  trades: { name: 'trades_replayed', columns: [...trades.columns, ...MARKS] },
  quotes: { name: 'quotes_replayed', columns: [...quotes.columns, ...MARKS] },
} satisfies Record<'trades' | 'quotes', TableSpec>

const session = z.uuid().describe('The session, as it was opened')
const order = z
  .enum(['event', 'arrival'])
  .describe('event: when it happened; arrival: when it was taken in, with late rows marked')

const direction = z.enum(['forward', 'backward'])
const turns = z
  .int()
  .describe('How often it was sought or turned round since it was opened: rows of one count follow each other')

const sessionState = z.strictObject({
  session,
  state: z.enum(['paused', 'playing', 'ended']),
  stage: z.enum(['lake', 'live']).describe('Where its rows come from: the tables, or the live view behind them'),
  clock: instant.nullable().describe('Time on the clock: of the last row played, or of the moment sought'),
  visible_until: instant.describe('All that happened before this has been played; queries of the session end here'),
  direction,
  speed,
  order,
  start_time: instant.nullable().describe('The earliest a row of it can be; null when there are none'),
  end_time: instant.nullable(),
  rows: z.int().describe('Rows played since it was opened, forward and back'),
  late: z.int().describe('How many of them were late'),
  turns,
  checksum: z
    .string()
    .describe('Of the rows played forward since it was opened or since the last seek: the same on every run'),
  loop: z.strictObject({ from: instant, to: instant }).nullable(),
  snapshots: z
    .strictObject({ trades: z.string().nullable().optional(), quotes: z.string().nullable().optional() })
    .describe('The snapshots that its rows are of'),
  why: z.string().nullable().describe('Why it does not go on, when it does not'),
})
export type SessionState = z.input<typeof sessionState>

const sessionErrors = [...replayErrors, 'NOT_FOUND', 'CONFLICT'] as const

export const replaySessions = {
  'replay.open': call({
    summary: 'Open a session: rows of both kinds on one clock, as a snapshot or a moment knew them',
    http: { method: 'POST', path: '/v1/replay/sessions' },
    input: z.strictObject({
      data_types: z
        .array(dataType)
        .min(1)
        .max(2)
        .default(['trades'])
        .describe('One kind of rows, or both on one clock'),
      symbols,
      ...selection,
      order: order.default('event'),
      go_live: z.boolean().default(false).describe('Behind the last row of the tables go on with what is live'),
      speed: speed.default(1),
      batch_size: batchSize,
    }),
    output: sessionState,
    errors: sessionErrors,
  }),
  'replay.control': call({
    summary: 'Play, pause, change the speed, seek, step, turn round, loop, or jump to what is live',
    http: { method: 'POST', path: '/v1/replay/sessions/{session}/control' },
    input: z.strictObject({
      session,
      action: z.enum(['play', 'pause', 'speed', 'seek', 'step', 'reverse', 'loop', 'live']),
      speed: speed.optional().describe('For speed and play'),
      to: moment.optional().describe('For seek: the moment; for loop: where it ends'),
      from: moment.optional().describe('For loop: where it begins; a loop without both ends none'),
      unit: z
        .enum(['tick', 'bar', 'commit'])
        .default('tick')
        .describe('For step: rows, bars, or commits of the tables'),
      count: z.int().min(-10_000).max(10_000).default(1).describe('For step: how many; below 0 back'),
      interval: z.enum(['1m', '5m', '15m', '30m', '1h']).default('1m').describe('For steps by bar'),
    }),
    output: sessionState,
    errors: sessionErrors,
  }),
  'replay.follow': stream({
    summary: 'The rows of a session as its clock comes to them; one reader a session, the last one that came',
    http: {
      method: 'GET',
      path: '/v1/replay/sessions/{session}/stream',
      also: { path: '/v1/stream', query: 'replay_session', field: 'session' },
    },
    input: z.strictObject({
      session,
      after: z
        .string()
        .max(200)
        .regex(/^(live:)?[\d.:-]+$/, 'the cursor of a batch of this session')
        .optional()
        .describe('Go on behind the batch with this cursor'),
    }),
    output: z.strictObject({
      trades: batchOf(REPLAYED.trades),
      quotes: batchOf(REPLAYED.quotes),
      clock: instant.nullable().describe('Time on the clock behind the batch'),
      state: z.enum(['paused', 'playing', 'ended']),
      cursor: z.string().describe('The place behind the batch'),
      turns,
      direction: direction.describe('Which way its rows were played: backward they are taken back, the latest first'),
      missed: z.int().describe('Rows that the live view no longer had and the tables do not have yet'),
    }),
    errors: [...sessionErrors, 'OFFSET_OUT_OF_RANGE'],
  }),
  'replay.state': call({
    summary: 'How a session stands',
    http: { method: 'GET', path: '/v1/replay/sessions/{session}' },
    input: z.strictObject({ session }),
    output: sessionState,
    errors: ['NOT_FOUND'],
  }),
  'replay.close': call({
    summary: 'End a session',
    http: { method: 'POST', path: '/v1/replay/sessions/{session}/close' },
    input: z.strictObject({ session }),
    output: z.strictObject({ session, closed: z.boolean() }),
  }),
}
