// What the explorer asks for rows of trades and quotes, as SQL with its values apart.
import { timestampText } from '../../contract/columns.ts'

export interface Statement {
  sql: string
  params: string[]
}

export interface RowsAsk {
  /** Only this one; all when left out. */
  instrument?: { symbol: string; exchange: string }
  /** Exchange time, microseconds since 1970; the start is in, the end is not. */
  fromMicros?: number
  toMicros?: number
  newestFirst: boolean
}

/** Nobody looks through more rows; who needs them counts with SQL, or takes a file. */
export const MOST_ROWS = 250_000

const HEAD = 'exchange_timestamp, symbol, exchange'
const TAIL = 'currency, source_sequence, ingestion_timestamp, _partition, _offset, message_id'
const COLUMNS = {
  trades: `${HEAD}, price, quantity, side, trade_conditions, trade_id, ${TAIL}`,
  quotes: `${HEAD}, bid_quantity, bid_price, ask_price, ask_quantity, quote_id, ${TAIL}`,
}

/** The tables' total order, and it turned round. */
const OLDEST_FIRST = 'exchange_timestamp, source_sequence NULLS LAST, _partition, _offset, message_id'
const NEWEST_FIRST =
  'exchange_timestamp DESC, source_sequence DESC NULLS FIRST, _partition DESC, _offset DESC, message_id DESC'

export function rowsStatement(table: 'trades' | 'quotes', ask: RowsAsk, limit = MOST_ROWS): Statement {
  const { instrument, fromMicros, toMicros, newestFirst } = ask
  const conditions: [sql: string, value: string | undefined][] = [
    ['symbol = ?', instrument?.symbol],
    ['exchange = ?', instrument?.exchange],
    ['exchange_timestamp >= ?', fromMicros === undefined ? undefined : timestampText(fromMicros)],
    ['exchange_timestamp < ?', toMicros === undefined ? undefined : timestampText(toMicros)],
  ]
  const met = conditions.filter((condition): condition is [string, string] => condition[1] !== undefined)
  const where = met.length > 0 ? ` WHERE ${met.map(([sql]) => sql).join(' AND ')}` : ''
  const order = newestFirst ? NEWEST_FIRST : OLDEST_FIRST
  return {
    sql: `SELECT ${COLUMNS[table]} FROM ${table}${where} ORDER BY ${order} LIMIT ${limit}`,
    params: met.map(([, value]) => value),
  }
}
