// Rows for replays: few columns matter, and those are chosen so that rows tie in as many of them as there are.
import type { Column, ColumnBatch } from '../../src/contract/columns.ts'
import { TAIL_TABLES, type TailTable } from '../../src/contract/tables.ts'

export interface ReplayRow {
  id: string
  micros: number
  symbol?: string
  sequence?: number | null
  partition?: number | null
  offset?: number | null
  arrived?: number
  price?: number
}

export const TOPICS: Readonly<Record<TailTable, string>> = {
  trades: 'market.equities.trades.asx',
  quotes: 'market.equities.quotes.asx',
}

export function replayBatch(table: TailTable, rows: readonly ReplayRow[]): ColumnBatch {
  const coded = (texts: readonly string[]): Partial<Column> => ({
    words: [...texts],
    values: Uint32Array.from(texts.keys()),
  })
  const same = (text: string): Partial<Column> => ({ words: [text], values: new Uint8Array(rows.length) })
  const numbers = (of: (row: ReplayRow) => number | null | undefined): Partial<Column> => {
    const nulls = Uint8Array.from(rows, row => (of(row) == null ? 1 : 0))
    return { values: Float64Array.from(rows, row => of(row) ?? 0), ...(nulls.includes(1) && { nulls }) }
  }
  const prices = { scale: 8, ...numbers(({ price = 10 }) => Math.round(price * 1e8)) }
  const columns: Record<string, Partial<Column>> = {
    message_id: coded(rows.map(({ id }) => id)),
    trade_id: coded(rows.map(({ id }) => id)),
    quote_id: coded(rows.map(({ id }) => id)),
    symbol: coded(rows.map(({ symbol = 'BHP' }) => symbol)),
    exchange: same('ASX'),
    asset_class: same('equities'),
    exchange_timestamp: numbers(({ micros }) => micros),
    price: prices,
    bid_price: prices,
    quantity: { scale: 8, ...numbers(() => 100_000_000) },
    currency: same('AUD'),
    source_sequence: numbers(({ sequence }) => sequence),
    ingestion_timestamp: numbers(({ arrived, micros }) => arrived ?? micros),
    _topic: same(TOPICS[table]),
    _partition: numbers(({ partition }) => partition),
    _offset: numbers(({ offset }) => offset),
  }
  const absent = new Uint8Array(rows.length).fill(1)
  const entries = TAIL_TABLES[table].columns.map(({ name, type }): [string, Column] => {
    const isText = ['list', 'map', 'enum', 'string'].includes(type)
    const none: Partial<Column> = isText
      ? { words: [null], values: new Uint8Array(rows.length), nulls: absent }
      : { values: new Float64Array(rows.length), nulls: absent, ...(type === 'decimal' && { scale: 8 }) }
    return [name, { type, ...(columns[name] ?? none) } as Column]
  })
  return { rowCount: rows.length, columns: Object.fromEntries(entries) }
}
