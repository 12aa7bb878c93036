// The newest rows of one instrument, from tables and log together, as capabilities.
import type { Handlers } from '../../../contract/capability.ts'
import type { K2 } from '../../../contract/index.ts'
import type { TailTable } from '../../../contract/tables.ts'
import { recentReceipt } from '../receipts/recent-receipt.ts'
import type { QueryTools } from '../tools.ts'
import { parseMinOffsets } from './min-offsets.ts'
import type { ReadHybrid } from './read-hybrid.ts'

export type RecentHandlers = Pick<Handlers<K2>, 'trades.recent' | 'quotes.recent'>
type Recent = RecentHandlers['trades.recent']

const MICROS_PER_MINUTE = 60e6

export function recentHandlers({ clock }: Pick<QueryTools, 'clock'>, readHybrid: ReadHybrid): RecentHandlers {
  const recent =
    (table: TailTable): Recent =>
    async ({ symbol, exchange, window_minutes: minutes, limit, min_offsets, receipt }, { signal }) => {
      const sinceMicros = clock.nowMicros() - minutes * MICROS_PER_MINUTE
      const question = { table, symbols: [symbol], exchange, sinceMicros, limit }
      const answer = await readHybrid(question, { signal, minOffsets: parseMinOffsets(min_offsets) })
      const { data, query } = answer
      return { data, query: receipt ? { ...query, receipt: await recentReceipt(question, false, answer) } : query }
    }
  return { 'trades.recent': recent('trades'), 'quotes.recent': recent('quotes') }
}
