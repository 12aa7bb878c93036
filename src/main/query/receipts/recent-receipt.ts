// The receipt of an answer from tables and log together: its snapshot, how far it was in the log, and what was asked, with
// the times as they were then.
import { timestampText } from '../../../contract/columns.ts'
import type { Receipt } from '../../../contract/fields.ts'
import type { RecentQuery } from '../../../contract/receipts.ts'
import type { HybridAnswer } from '../hybrid/read-hybrid.ts'
import type { HybridQuestion } from '../hybrid/question.ts'
import { hashRows } from './hash-rows.ts'

/** Null where something is missing in the answer: it would be there another time. */
export async function recentReceipt(
  { table, symbols, exchange, sinceMicros, limit }: HybridQuestion,
  isNewestFirst: boolean,
  { data, query, base, reached }: HybridAnswer,
): Promise<Receipt | null> {
  if (query.partial || !base) return null
  const input: RecentQuery = {
    ...(symbols && { symbol: symbols[0] }),
    ...(exchange !== undefined && { exchange }),
    since: timestampText(sinceMicros),
    limit,
    order: isNewestFirst ? 'desc' : 'asc',
    told_by: base.isCertain ? 'offsets' : 'place',
  }
  return {
    snapshot: base.at.snapshotId ?? null,
    offsets: reached().map(topic => ({ ...topic, next: { ...topic.next } })),
    query: { name: `${table}.recent`, input },
    hash: await hashRows(data),
  }
}
