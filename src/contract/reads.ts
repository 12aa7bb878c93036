// Rows of the tables as they are or were: trades and quotes by instrument and time, any table at a snapshot.
import { z } from 'zod'
import { call } from './capability.ts'
import {
  answer,
  batchOf,
  cursor,
  endTime,
  exchange,
  instant,
  limit,
  pastState,
  standing,
  startTime,
  symbol,
  windowMinutes,
} from './fields.ts'
import { table } from './lake.ts'
import { quotes, SIDES, TABLES, trades, type TableSpec } from './tables.ts'

const order = z
  .enum(['desc', 'asc', 'sequence'])
  .default('desc')
  .describe('desc: newest first; asc: oldest first; sequence: by the number the source gave')

const listInput = z.strictObject({
  symbol: symbol.optional(),
  exchange: exchange.optional(),
  start_time: startTime.optional(),
  end_time: endTime.optional(),
  order,
  limit: limit(100, 10_000),
  cursor: cursor.optional(),
  window_minutes: windowMinutes
    .unwrap()
    .optional()
    .describe(
      'The newest rows of so many minutes until now, from tables and log together; without times, cursor and state',
    ),
  ...standing,
})

/** A bound on a decimal(18,8). */
const decimal = z.union([
  z.string().regex(/^-?\d{1,10}(\.\d{1,8})?$/, 'a decimal of at most 10 integer digits and 8 places'),
  z.number().gt(-1e10).lt(1e10),
])

const OF_QUOTES = 'of quotes, those pass of which one side does'
const filters = {
  symbols: z.array(symbol).max(100).optional().describe('Only these; all when empty'),
  exchanges: z.array(exchange).max(100).optional().describe('Only these, matched without case; all when empty'),
  start_time: startTime.optional(),
  end_time: endTime.optional(),
  min_price: decimal.optional().describe(`Price, this or higher; ${OF_QUOTES}`),
  max_price: decimal.optional().describe(`Price, this or lower; ${OF_QUOTES}`),
  min_quantity: decimal.optional().describe(`Quantity, this or larger; ${OF_QUOTES}`),
}
const sides = z.array(z.enum(SIDES)).max(SIDES.length).optional().describe('Only these; all when empty')
const page = {
  order,
  limit: limit(1_000, 100_000),
  offset: z.int().min(0).max(10_000_000).optional().describe('How many rows to pass over; a cursor is faster'),
  cursor: cursor.optional(),
}
const fieldsOf = ({ columns }: TableSpec) =>
  z
    .array(z.enum(columns.map(({ name }) => name) as [string]))
    .max(columns.length)
    .optional()
    .describe('Columns to answer, in this order; all when empty')

/** Rows that may have some of their columns only. */
export const someOf = ({ name, columns }: TableSpec): TableSpec => ({ name: `some_${name}`, columns, mayLack: true })

export const dateRange = z.strictObject({
  data_type: z.enum(['trades', 'quotes']),
  start_date: z.iso.date().nullable().describe('Day of the first row, in UTC; null when there is none'),
  end_date: z.iso.date().nullable().describe('Day of the last row'),
  first: instant.nullable().describe('Exchange time of the first row'),
  last: instant.nullable().describe('Exchange time of the last row'),
  rows: z.int(),
})

const errors = ['SNAPSHOT_NOT_FOUND', 'PAYLOAD_TOO_LARGE', 'CORRUPT', 'UNAVAILABLE', 'TIMEOUT'] as const

export const reads = {
  'trades.list': call({
    summary: 'Trades of the tables, newest first',
    http: { method: 'GET', path: '/v1/trades' },
    cli: { command: 'query trades', defaults: { limit: 20 } },
    input: listInput,
    output: answer(batchOf(trades)),
    errors,
  }),
  'quotes.list': call({
    summary: 'Quotes of the tables, newest first',
    http: { method: 'GET', path: '/v1/quotes' },
    cli: { command: 'query quotes', defaults: { limit: 20 } },
    input: listInput,
    output: answer(batchOf(quotes)),
    errors,
  }),
  'trades.query': call({
    summary: 'Trades of many instruments, by price, quantity and side, with the columns that are wanted',
    http: { method: 'POST', path: '/v1/trades/query' },
    file: 'trades.export',
    input: z.strictObject({ ...filters, sides, fields: fieldsOf(trades), ...page, ...standing }),
    output: answer(batchOf(someOf(trades))),
    errors,
  }),
  'quotes.query': call({
    summary: 'Quotes of many instruments, by price and quantity, with the columns that are wanted',
    http: { method: 'POST', path: '/v1/quotes/query' },
    file: 'quotes.export',
    input: z.strictObject({ ...filters, fields: fieldsOf(quotes), ...page, ...standing }),
    output: answer(batchOf(someOf(quotes))),
    errors,
  }),
  'snapshots.query': call({
    summary: 'Rows of any table as it was at a snapshot; one of another table means the moment it was committed',
    http: { method: 'POST', path: '/v1/snapshots/{id}/query' },
    file: 'snapshots.export',
    input: z.strictObject({
      id: pastState.snapshot_id.unwrap().describe('The snapshot: its id, or a tag'),
      table: table.default('trades'),
      ...filters,
      sides,
      fields: z.array(z.string().min(1).max(64)).max(32).optional().describe('Columns to answer; all when empty'),
      ...page,
      replay_session: standing.replay_session,
      receipt: standing.receipt,
    }),
    output: answer(batchOf(...Object.values(TABLES).map(someOf))),
    errors,
  }),
  'dates.range': call({
    summary: 'From when to when the tables have trades or quotes',
    http: { method: 'GET', path: '/v1/date-range' },
    cli: { command: 'query date-range' },
    input: z.strictObject({
      data_type: z.enum(['trades', 'quotes']).default('trades').describe('Kind of data'),
      symbol: symbol.optional(),
      exchange: exchange.optional(),
      ...standing,
    }),
    output: answer(dateRange),
    errors,
  }),
}
