// Trades of one symbol with the quotes in force, as columns of the answer.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import { decimalText } from '../../../contract/columns.ts'
import { takeColumn, viewColumn } from '../../../contract/take-rows.ts'
import { decimals, VWAP_SCALE } from '../bars/bars-batch.ts'
import { addExact, divideHalfEven, eightPlaces, PLACES, type Exact } from '../bars/exact.ts'
import { joinColumns } from '../blocks/combine-columns.ts'
import { sumAround } from './around.ts'
import { dropStale, inForce } from './in-force.ts'

export interface JoinOptions {
  strict: boolean
  toleranceMicros: number
  horizonsMs: readonly number[]
  /** Both sides of the window around each trade; no window when left out. */
  window?: readonly [beforeMicros: number, afterMicros: number]
  /** Of what comes later nobody knows yet which quote is in force. */
  knownUntilMicros: number
}

const QUOTE_COLUMNS = ['bid_price', 'bid_quantity', 'ask_price', 'ask_quantity'] as const

/** Trades `from` up to `to` of `trades`; the others are there for the windows. Both are in the total order. */
export function joinPiece(
  trades: ColumnBatch,
  [from, to]: readonly [number, number],
  quotes: ColumnBatch,
  options: JoinOptions,
): Record<string, Column> {
  const times = (trades.columns.exchange_timestamp.values as Float64Array).subarray(from, to)
  const quoteTimes = quotes.columns.exchange_timestamp.values as Float64Array
  const found = inForce(times, quoteTimes, options)
  dropStale(found, times, quoteTimes, options.toleranceMicros)
  const own = ['exchange_timestamp', 'source_sequence', 'price', 'quantity', 'side'].map(
    name => [name, viewColumn(trades.columns[name], from, to)] as const,
  )
  const told = QUOTE_COLUMNS.map(name => [name, takeOrNull(quotes.columns[name], found)] as const)
  const mids = midsOf(quotes, found)
  return {
    ...Object.fromEntries(own),
    quote_timestamp: takeOrNull(quotes.columns.exchange_timestamp, found),
    ...Object.fromEntries(told),
    mid_price: decimals(mids, PLACES),
    ...horizonColumns(trades, [from, to], quotes, options),
    ...windowColumns(trades, [from, to], options.window),
  }
}

function takeOrNull(column: Column, rows: Int32Array): Column {
  const none = rows.includes(-1)
  if (column.values.length === 0) {
    const values = new Float64Array(rows.length)
    return { ...column, values, nulls: new Uint8Array(rows.length).fill(1) }
  }
  const places = Uint32Array.from(rows, row => Math.max(row, 0))
  const taken = takeColumn(column, places)
  if (!none) return taken
  const nulls = taken.nulls ?? new Uint8Array(rows.length)
  for (let i = 0; i < rows.length; i++) if (rows[i] < 0) nulls[i] = 1
  return { ...taken, nulls }
}

/** With eight places; nothing where a side is not quoted. */
function midsOf({ columns: { bid_price: bid, ask_price: ask } }: ColumnBatch, rows: Int32Array): (Exact | undefined)[] {
  return Array.from(rows, row => {
    if (row < 0 || bid.nulls?.[row] || ask.nulls?.[row]) return undefined
    return divideHalfEven(addExact(eightPlaces(bid, row), eightPlaces(ask, row)), 2, 0)
  })
}

function horizonColumns(
  trades: ColumnBatch,
  [from, to]: readonly [number, number],
  quotes: ColumnBatch,
  { horizonsMs, toleranceMicros, knownUntilMicros }: JoinOptions,
): Record<string, Column> {
  const count = to - from
  if (horizonsMs.length === 0) return { mids: noMaps(count), markouts: noMaps(count) }
  const times = (trades.columns.exchange_timestamp.values as Float64Array).subarray(from, to)
  const quoteTimes = quotes.columns.exchange_timestamp.values as Float64Array
  const byHorizon = horizonsMs.map(ms => {
    const moments = times.map(time => time + ms * 1000)
    const found = inForce(moments, quoteTimes)
    dropStale(found, moments, quoteTimes, toleranceMicros)
    for (let i = 0; i < count; i++) if (moments[i] > knownUntilMicros) found[i] = -1
    return midsOf(quotes, found)
  })
  const mids: Record<string, string>[] = []
  const markouts: Record<string, string>[] = []
  for (let i = 0; i < count; i++) {
    const sign = signOf(trades.columns.side, from + i)
    const price = eightPlaces(trades.columns.price, from + i)
    const known = byHorizon.flatMap((of, k) => {
      const mid = of[i]
      return mid === undefined ? [] : [[String(horizonsMs[k]), mid] as const]
    })
    mids.push(Object.fromEntries(known.map(([ms, mid]) => [ms, decimalText(mid, PLACES)])))
    const signed = (mid: Exact) => (sign === 1 ? addExact(mid, -price) : addExact(price, -mid))
    markouts.push(
      sign === 0 ? {} : Object.fromEntries(known.map(([ms, mid]) => [ms, decimalText(signed(mid), PLACES)])),
    )
  }
  return { mids: mapColumn(mids), markouts: mapColumn(markouts) }
}

function mapColumn(words: readonly Record<string, string>[]): Column {
  return { type: 'map', words, values: Uint32Array.from(words.keys()) }
}

function noMaps(count: number): Column {
  return { type: 'map', words: [null], values: new Uint8Array(count), nulls: new Uint8Array(count).fill(1) }
}

function signOf({ words, values, nulls }: Column, row: number): -1 | 0 | 1 {
  if (nulls?.[row]) return 0
  const side = words![Number(values[row])]
  return side === 'BUY' ? 1 : side === 'SELL' || side === 'SELL_SHORT' ? -1 : 0
}

function windowColumns(
  { columns: { exchange_timestamp, price, quantity } }: ColumnBatch,
  [from, to]: readonly [number, number],
  window: JoinOptions['window'],
): Record<string, Column> {
  if (!window) {
    const nulls = new Uint8Array(to - from).fill(1)
    const none = (type: Column['type']): Column => ({ type, values: new Float64Array(to - from), nulls })
    return { window_trade_count: none('int'), window_volume: none('decimal'), window_vwap: none('decimal') }
  }
  const trades = {
    times: exchange_timestamp.values as Float64Array,
    price: (row: number) => eightPlaces(price, row),
    quantity: (row: number) => eightPlaces(quantity, row),
  }
  const { counts, volumes, notionals } = sumAround(trades, [from, to], window)
  const vwaps = notionals.map((notional, i) => (volumes[i] > 0 ? divideHalfEven(notional, volumes[i], 0) : undefined))
  return {
    window_trade_count: { type: 'int', values: counts },
    window_volume: decimals(volumes, PLACES),
    window_vwap: decimals(vwaps, VWAP_SCALE),
  }
}

/** Columns of several pieces, one after the other. */
export function joinPieces(pieces: readonly Record<string, Column>[]): Record<string, Column> {
  const [first] = pieces
  return Object.fromEntries(Object.keys(first).map(name => [name, joinColumns(pieces.map(piece => piece[name]))]))
}
