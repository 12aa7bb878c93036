// Receipts: an answer once more, to the letter.
import { z } from 'zod'
import { call } from './capability.ts'
import { answer, batchOf, exchange, instant, limit, receipt, symbol } from './fields.ts'
import { someOf } from './reads.ts'
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

export const receipts = {
  'receipts.read': call({
    summary: 'The rows that an answer had, again; they are checked against its hash',
    http: { method: 'POST', path: '/v1/receipts' },
    input: receipt,
    output: answer(batchOf(...Object.values(TABLES).map(someOf))),
    errors: ['SNAPSHOT_NOT_FOUND', 'CONFLICT', 'PAYLOAD_TOO_LARGE', 'CORRUPT', 'UNAVAILABLE', 'TIMEOUT'],
  }),
}
