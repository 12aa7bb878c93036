// What came into the log from the stream, read by a reader of its own.
import type { MessageLog } from '../../../../src/main/log/message-log.ts'
import type { Row } from '../../../../src/contract/columns.ts'
import { readLog } from '../to-log/read-log.ts'

export const TRADES = 'market.crypto.trades.binance'
export const QUOTES = 'market.crypto.quotes.binance'

export async function tradesIn(log: MessageLog): Promise<Row[]> {
  return rowsIn(log, 'trades', TRADES)
}

export async function quotesIn(log: MessageLog): Promise<Row[]> {
  return rowsIn(log, 'quotes', QUOTES)
}

async function rowsIn(log: MessageLog, table: 'trades' | 'quotes', topic: string): Promise<Row[]> {
  if (!(await log.topics()).some(({ name }) => name === topic)) return []
  return (await readLog(log, table, [topic])).map(({ row }) => row)
}

/** Ids of one symbol's rows, in the order in which they lie in the log. */
export function idsOf(rows: readonly Row[], symbol: string): number[] {
  return rows.filter(row => row.symbol === symbol).map(row => Number(row.trade_id ?? row.quote_id))
}

export const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
export const ascending = (ids: readonly number[]) => [...ids].sort((a, b) => a - b)
