// Receipts: an answer once more, to the letter.
import { z } from 'zod'
import { tradesWithQuotes } from './asof.ts'
import { bars, daySummary, measured } from './bars.ts'
import { call, type Door } from './capability.ts'
import { answer, batchOf, exchange, instant, limit, receipt, symbol, topicOffsets } from './fields.ts'
import { difference, lake } from './lake.ts'
import { symbolRow } from './market.ts'
import { dateRange, someOf } from './reads.ts'
import { anyRows, statement } from './sql.ts'
import { TABLES } from './tables.ts'

/** What a receipt of rows from tables and log together says was asked. */
export const recentQuery = z.strictObject({
  symbol: symbol.optional(),
  exchange: exchange.optional(),
  since: instant,
  limit: limit(1_000, 10_000),
  order: z.enum(['asc', 'desc']),
  told_by: z.enum(['offsets', 'place']),
})
export type RecentQuery = z.infer<typeof recentQuery>

/** What it says of one table. */
const pinnedTable = z.strictObject({
  snapshot: z.string().nullable(),
  /** Of its own time, in microseconds since 1970: nothing from here on. */
  until_micros: z.int().optional(),
  /** From where to where in the log, beyond the snapshot. */
  from: z.array(topicOffsets).optional(),
  to: z.array(topicOffsets).optional(),
})
export type PinnedTable = z.infer<typeof pinnedTable>

/** What a receipt of a statement says was asked: the tables by what it calls them. */
export const sqlQuery = z.strictObject({
  sql: statement.sql,
  params: statement.params,
  limit: limit(1_000, 100_000),
  tables: z.record(z.string(), pinnedTable),
})

/** What a receipt of a difference says was asked: of a replay session where its clock was. */
export const differenceQuery = lake['snapshots.diff'].input
  .omit({ replay_session: true, receipt: true })
  .extend({ until_micros: pinnedTable.shape.until_micros })

/** What it says of any other question: as it was asked, over which state of each table, when, and where it came in. */
export const pinnedQuestion = z.looseObject({
  tables: z.record(z.string(), pinnedTable),
  now_micros: z.int(),
  door: z.enum(['direct', 'port', 'ws', 'http', 'cli'] satisfies Door[]),
})

export const receipts = {
  'receipts.read': call({
    summary: 'What an answer had, again; it is checked against its hash',
    http: { method: 'POST', path: '/v1/receipts' },
    input: receipt,
    output: answer(
      z.union([
        batchOf(...Object.values(TABLES).map(someOf), bars, tradesWithQuotes),
        anyRows,
        z.array(measured),
        z.array(symbolRow),
        daySummary,
        dateRange,
        difference,
      ]),
    ),
    errors: ['NOT_FOUND', 'SNAPSHOT_NOT_FOUND', 'CONFLICT', 'PAYLOAD_TOO_LARGE', 'CORRUPT', 'UNAVAILABLE', 'TIMEOUT'],
  }),
}
