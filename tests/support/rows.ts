// Trades and quotes as tests write them down, as columns of the tables.
import type { Column, ColumnBatch } from '../../src/contract/columns.ts'
import { quotes, trades, type TableSpec } from '../../src/contract/tables.ts'

export interface TradeRow {
  micros: number
  price: string
  quantity: string
  symbol?: string
  exchange?: string
  sequence?: number
  conditions?: readonly string[]
}

export interface QuoteRow {
  micros: number
  bid: string | null
  ask: string | null
  bidSize?: string
  askSize?: string
  symbol?: string
  exchange?: string
  sequence?: number
}

export function tradeRows(rows: readonly TradeRow[]): ColumnBatch {
  return batchOf(trades, rows, {
    message_id: texts(rows.map((_, i) => `m${String(i).padStart(6, '0')}`)),
    trade_id: texts(rows.map((_, i) => `t${i}`)),
    price: decimals(rows.map(({ price }) => price)),
    quantity: decimals(rows.map(({ quantity }) => quantity)),
    trade_conditions: {
      type: 'list',
      words: rows.map(({ conditions = [] }) => conditions),
      values: Uint32Array.from(rows.keys()),
      nulls: Uint8Array.from(rows, ({ conditions }) => (conditions ? 0 : 1)),
    },
  })
}

export function quoteRows(rows: readonly QuoteRow[]): ColumnBatch {
  return batchOf(quotes, rows, {
    message_id: texts(rows.map((_, i) => `m${String(i).padStart(6, '0')}`)),
    quote_id: texts(rows.map((_, i) => `q${i}`)),
    bid_price: decimals(rows.map(({ bid }) => bid)),
    bid_quantity: decimals(rows.map(({ bid, bidSize = '1' }) => (bid === null ? null : bidSize))),
    ask_price: decimals(rows.map(({ ask }) => ask)),
    ask_quantity: decimals(rows.map(({ ask, askSize = '1' }) => (ask === null ? null : askSize))),
  })
}

function batchOf(
  { columns }: TableSpec,
  rows: readonly (TradeRow | QuoteRow)[],
  own: Record<string, Column>,
): ColumnBatch {
  const same = (word: string) => texts(rows.map(() => word))
  const times: Column = { type: 'timestamp', values: Float64Array.from(rows, ({ micros }) => micros) }
  const given: Record<string, Column> = {
    symbol: texts(rows.map(({ symbol = 'BHP' }) => symbol)),
    exchange: texts(rows.map(({ exchange = 'ASX' }) => exchange)),
    asset_class: same('equities'),
    exchange_timestamp: times,
    currency: same('AUD'),
    source_sequence: {
      type: 'long',
      values: Float64Array.from(rows, ({ sequence = 0 }) => sequence),
      nulls: Uint8Array.from(rows, ({ sequence }) => (sequence === undefined ? 1 : 0)),
    },
    ingestion_timestamp: times,
    ...own,
  }
  const nulls = new Uint8Array(rows.length).fill(1)
  const entries = columns.map(({ name, type }): [string, Column] => {
    const hasWords = ['string', 'enum', 'list', 'map', 'bytes'].includes(type)
    const empty = hasWords
      ? { words: [null], values: new Uint8Array(rows.length) }
      : { values: new Float64Array(rows.length) }
    return [name, given[name] ?? { type, nulls, ...empty }]
  })
  return { rowCount: rows.length, columns: Object.fromEntries(entries) }
}

function texts(words: readonly string[]): Column {
  return { type: 'string', words, values: Uint32Array.from(words.keys()) }
}

function decimals(values: readonly (string | null)[]): Column {
  const unscaled = values.map(value => {
    const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(value ?? '0')!
    return BigInt(sign + whole + fraction.padEnd(8, '0'))
  })
  const column: Column = { type: 'decimal', scale: 8, values: BigInt64Array.from(unscaled) }
  return values.includes(null)
    ? { ...column, nulls: Uint8Array.from(values, value => (value === null ? 1 : 0)) }
    : column
}
