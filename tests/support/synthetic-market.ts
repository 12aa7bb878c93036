// Seeded random trades and quotes at a chosen rate: load for the page, a test instrument and no market.
import type { Column, ColumnBatch } from '../../src/contract/columns.ts'

interface Listing {
  symbol: string
  exchange: string
  assetClass: 'equities' | 'crypto'
  companyName: string | null
  /** Times 10^8. */
  tick: number
  /** In ticks. */
  price: number
  quantityStep: number
}

/** What is kept of each row; everything else in a batch follows from it. */
interface Log {
  time: number[]
  listing: number[]
  price: number[]
  quantity: number[]
  /** Trades: the side; quotes: the spread in ticks. */
  extra: number[]
  arrivedAtMs: number[]
}

export interface SyntheticMarket {
  readonly listings: readonly Listing[]
  trades: Log
  quotes: Log
  /** Adds what happened in this time. */
  advance(elapsedMs: number, tradesPerSecond: number): void
  batch(table: 'trades' | 'quotes', from: number, to: number, symbols?: readonly string[]): ColumnBatch
}

const SCALE = 8
const SIDES = ['BUY', 'SELL', 'SELL_SHORT', 'UNKNOWN']
const CONDITIONS = [[], ['XT'], ['CX'], ['NX', 'SP']]
const SIDE_OF = [0, 0, 0, 1, 1, 1, 2, 3]

const ASX =
  'BHP RIO CBA ANZ NAB WBC CSL WES MQG FMG WOW TLS GMG TCL WDS STO ALL REA QBE COL SUN BXB XRO JHX S32 PLS MIN ORG AMC NST EVN IAG'
const CRYPTO = 'BTCUSDT ETHUSDT SOLUSDT XRPUSDT ADAUSDT DOGEUSDT AVAXUSDT LINKUSDT DOTUSDT LTCUSDT UNIUSDT ATOMUSDT'
const COMPANIES: Record<string, string> = {
  BHP: 'BHP Group Limited',
  RIO: 'Rio Tinto Limited',
  CBA: 'Commonwealth Bank of Australia',
  CSL: 'CSL Limited',
}

export function createSyntheticMarket(seed = 1): SyntheticMarket {
  const random = mulberry32(seed)
  const listings = [
    ...ASX.split(' ').map((symbol, at) =>
      listing(symbol, 'ASX', 'equities', at % 6 === 5 ? 500_000 : 1_000_000, 3000 + at * 211, 1),
    ),
    ...CRYPTO.split(' ').map((symbol, at) =>
      listing(symbol, 'BINANCE', 'crypto', at < 3 ? 1_000_000 : 10_000, Math.round(6_420_000 / 2 ** at), 0.00001),
    ),
  ]
  const trades = emptyLog()
  const quotes = emptyLog()
  let owedTrades = 0

  function advance(elapsedMs: number, tradesPerSecond: number): void {
    owedTrades += (elapsedMs / 1000) * tradesPerSecond
    const count = Math.floor(owedTrades)
    owedTrades -= count
    const nowMs = Date.now()
    const startMicros = (nowMs - elapsedMs) * 1000
    for (let n = 0; n < count; n++) {
      // Cubed, so that the first listings trade far more than the last.
      const at = Math.floor(random() ** 3 * listings.length)
      const traded = listings[at]
      const micros = Math.floor(startMicros + ((n + 1) / count) * elapsedMs * 1000)
      const drift = random()
      if (drift < 0.15) traded.price++
      else if (drift > 0.85) traded.price = Math.max(10, traded.price - 1)
      const spread = random() < 0.7 ? 1 : 1 + Math.floor(random() * 3)
      const side = SIDE_OF[Math.floor(random() * SIDE_OF.length)]
      const quantity = Math.ceil(random() ** 4 * 5000) * traded.quantityStep
      push(quotes, micros - 1, at, traded.price, Math.ceil(random() * 9000) * traded.quantityStep, spread, nowMs)
      push(trades, micros, at, traded.price + (side === 0 ? spread : 0), quantity, side, nowMs)
    }
  }

  function batch(table: 'trades' | 'quotes', from: number, to: number, symbols?: readonly string[]): ColumnBatch {
    const log = table === 'trades' ? trades : quotes
    const rows: number[] = []
    for (let row = from; row < to; row++) {
      if (!symbols || symbols.includes(listings[log.listing[row]].symbol)) rows.push(row)
    }
    return table === 'trades' ? tradeColumns(log, rows, listings) : quoteColumns(log, rows, listings)
  }
  return { listings, trades, quotes, advance, batch }
}

function listing(
  symbol: string,
  exchange: string,
  assetClass: Listing['assetClass'],
  tick: number,
  price: number,
  quantityStep: number,
): Listing {
  return { symbol, exchange, assetClass, companyName: COMPANIES[symbol] ?? null, tick, price, quantityStep }
}

function emptyLog(): Log {
  return { time: [], listing: [], price: [], quantity: [], extra: [], arrivedAtMs: [] }
}

function push(log: Log, time: number, at: number, price: number, quantity: number, extra: number, nowMs: number): void {
  log.time.push(time)
  log.listing.push(at)
  log.price.push(price)
  log.quantity.push(quantity)
  log.extra.push(extra)
  log.arrivedAtMs.push(nowMs)
}

/** All columns of the table, the wide ones too: the page is measured on what a server really sends. */
function tradeColumns(log: Log, rows: readonly number[], listings: readonly Listing[]): ColumnBatch {
  const of = (row: number) => listings[log.listing[row]]
  return {
    rowCount: rows.length,
    columns: {
      ...commonColumns(log, rows, listings),
      trade_id: strings(rows, row => `T${row}`),
      price: decimals(rows, row => log.price[row] * of(row).tick),
      quantity: decimals(rows, row => Math.round(log.quantity[row] * 10 ** SCALE)),
      side: { type: 'enum', values: Uint8Array.from(rows, row => log.extra[row]), words: SIDES },
      trade_conditions: {
        type: 'list',
        values: Uint8Array.from(rows, row => (row % 9 === 0 ? (row / 9) % 4 : 0)),
        words: CONDITIONS,
      },
    },
  }
}

function quoteColumns(log: Log, rows: readonly number[], listings: readonly Listing[]): ColumnBatch {
  const of = (row: number) => listings[log.listing[row]]
  // Every hundredth book is one-sided.
  const nulls = Uint8Array.from(rows, row => (row % 100 === 99 ? 1 : 0))
  return {
    rowCount: rows.length,
    columns: {
      ...commonColumns(log, rows, listings),
      quote_id: strings(rows, row => `Q${row}`),
      bid_price: { ...decimals(rows, row => log.price[row] * of(row).tick), nulls },
      bid_quantity: { ...decimals(rows, row => Math.round(log.quantity[row] * 10 ** SCALE)), nulls },
      ask_price: decimals(rows, row => (log.price[row] + log.extra[row]) * of(row).tick),
      ask_quantity: decimals(rows, row =>
        Math.round(
          Math.ceil(log.quantity[row] / of(row).quantityStep / (1 + (row % 3))) * of(row).quantityStep * 10 ** SCALE,
        ),
      ),
    },
  }
}

function commonColumns(log: Log, rows: readonly number[], listings: readonly Listing[]): Record<string, Column> {
  const of = (row: number) => listings[log.listing[row]]
  const doubles = (value: (row: number) => number) => Float64Array.from(rows, value)
  return {
    message_id: strings(
      rows,
      row => `${of(row).exchange}:${Math.floor(log.time[row] / 1000)}:${of(row).symbol}:${row}`,
    ),
    symbol: {
      type: 'string',
      values: Uint16Array.from(rows, row => log.listing[row]),
      words: listings.map(({ symbol }) => symbol),
    },
    exchange: {
      type: 'string',
      values: Uint8Array.from(rows, row => (of(row).exchange === 'ASX' ? 0 : 1)),
      words: ['ASX', 'BINANCE'],
    },
    exchange_timestamp: { type: 'timestamp', values: doubles(row => log.time[row]) },
    ingestion_timestamp: { type: 'timestamp', values: doubles(row => log.arrivedAtMs[row] * 1000) },
    source_sequence: { type: 'long', values: doubles(row => row) },
    _offset: { type: 'long', values: doubles(row => row) },
  }
}

function strings(rows: readonly number[], text: (row: number) => string): Column {
  return { type: 'string', values: Uint32Array.from(rows, (_, at) => at), words: rows.map(text) }
}

function decimals(rows: readonly number[], unscaled: (row: number) => number): Column {
  return { type: 'decimal', scale: SCALE, values: Float64Array.from(rows, unscaled) }
}

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
