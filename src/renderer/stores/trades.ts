// Trades as they arrive, in a ring: all of them, which also moves last prices and the timeline, or those of one instrument.
import type { ColumnBatch, Word } from '../../contract/columns.ts'
import { SIDES, type Side } from '../../contract/tables.ts'
import { countTimes, type Density } from './density.ts'
import { createFeed, readInto, type Feed } from './feed.ts'
import { followTail, type TailReader } from './follow-tail.ts'
import {
  compareDecimals,
  DOWN,
  instrumentOfRow,
  takeTrade,
  UP,
  type Instrument,
  type Instruments,
} from './instruments.ts'
import type { Link } from './link.ts'
import { appendRows, createRing, type Ring } from './ring.ts'

export type TradeRing = Ring<'price' | 'quantity', 'instrument' | 'side' | 'conditions' | 'direction'>

export interface TradeFeed extends Feed {
  ring: TradeRing
  close(): void
}

/** 65,536 trades: at 10,000 a second the last six seconds, of a quiet market the whole day; 2.5 MB. */
const HELD_TRADES = 1 << 16
const ALL_BACKLOG = 5000
const ONE_BACKLOG = 2000
const NO_SIDE = SIDES.length

/** Texts of trade conditions by their code in the ring, shared by all feeds. */
export const conditionTexts: string[] = ['']
const conditionCodes = new Map<string, number>([['', 0]])

const SIDE_TEXTS: Record<Side, string> = { BUY: 'Buy', SELL: 'Sell', SELL_SHORT: 'Short', UNKNOWN: '–' }

export function sideText(code: number): string {
  return code < SIDES.length ? SIDE_TEXTS[SIDES[code]] : ''
}

/** All trades; what they tell of their instruments and of the market's density is kept as they come in. */
export function followAllTrades(link: Link, instruments: Instruments, density: Density): TradeFeed {
  const feed = openRing()
  const reader = readInto(feed, rows => {
    const { price, exchange_timestamp: at } = rows.columns
    const instrumentOf = instrumentOfRow(instruments, rows)
    countTimes(density, at.values, rows.rowCount)
    const isLive = feed.received > 0
    append(feed.ring, rows, instrumentOf, row => {
      const instrument = instrumentOf(row)
      if (isLive) instrument.trades++
      return takeTrade(instrument, price, row, Number(at.values[row]))
    })
  })
  const close = followTail(link, { data_type: 'trades', backlog: ALL_BACKLOG }, reader)
  return Object.assign(feed, { close })
}

/** One instrument's, further back than the ring of all would hold them. */
export function followTradesOf(link: Link, instruments: Instruments, { symbol, exchange }: Instrument): TradeFeed {
  const { feed, reader } = createTradeFeed(instruments)
  const request = { data_type: 'trades' as const, symbols: [symbol], exchange, backlog: ONE_BACKLOG }
  return Object.assign(feed, { close: followTail(link, request, reader) })
}

/** A feed for whoever has rows: of the tail, of a moment in the past, of a replay. Last prices of the list stay as they are. */
export function createTradeFeed(instruments: Instruments): { feed: TradeFeed; reader: TailReader } {
  const feed = Object.assign(openRing(), { close: () => {} })
  const last = new Map<Instrument, { value: number | bigint; scale: number }>()
  const reader = readInto(feed, rows => {
    const { values, scale = 0 } = rows.columns.price
    const instrumentOf = instrumentOfRow(instruments, rows)
    append(feed.ring, rows, instrumentOf, row => {
      const instrument = instrumentOf(row)
      const before = last.get(instrument)
      const change = before ? compareDecimals(values[row], scale, before.value, before.scale) : 0
      last.set(instrument, { value: values[row], scale })
      return change > 0 ? UP : change < 0 ? DOWN : 0
    })
  })
  return { feed, reader }
}

function openRing(): Feed & { ring: TradeRing } {
  const codes = ['instrument', 'side', 'conditions', 'direction'] as const
  return Object.assign(createFeed(), { ring: createRing(HELD_TRADES, ['price', 'quantity'] as const, codes) })
}

function append(
  ring: TradeRing,
  rows: ColumnBatch,
  instrumentOf: (row: number) => Instrument,
  direction: (row: number) => number,
): void {
  const { side, trade_conditions: conditions } = rows.columns
  const sideOf = side.words!.map(word => SIDES.findIndex(known => known === word))
  const conditionOf = conditions.words!.map(conditionCode)
  appendRows(ring, rows, {
    instrument: row => instrumentOf(row).id,
    side: row => (side.nulls?.[row] ? NO_SIDE : sideOf[Number(side.values[row])]),
    conditions: row => (conditions.nulls?.[row] ? 0 : conditionOf[Number(conditions.values[row])]),
    direction,
  })
}

function conditionCode(word: Word): number {
  const text = Array.isArray(word) ? word.join(' ') : ''
  const known = conditionCodes.get(text)
  if (known !== undefined) return known
  conditionCodes.set(text, conditionTexts.length)
  return conditionTexts.push(text) - 1
}
