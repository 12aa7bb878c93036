// Quotes of one instrument as they arrive, and the tick its prices move in.
import { createFeed, readInto, type Feed } from './feed.ts'
import { followTail, type TailReader } from './follow-tail.ts'
import { decimalsNeeded, type Instrument } from './instruments.ts'
import type { Link } from './link.ts'
import { appendRows, createRing, type Ring } from './ring.ts'

export type QuoteRing = Ring<'bid_price' | 'bid_quantity' | 'ask_price' | 'ask_quantity', never>

export interface QuoteFeed extends Feed {
  ring: QuoteRing
  instrument: Instrument
  /** Decimals its quotes have needed so far. */
  decimals: number
  /** The largest step that all quoted prices so far are multiples of, times 10^tickScale; 0 before the first. */
  tick: number
  tickScale: number
  close(): void
}

const HELD_QUOTES = 1 << 13
const BACKLOG = 500

export function followQuotesOf(link: Link, instrument: Instrument): QuoteFeed {
  const { symbol, exchange } = instrument
  const { feed, reader } = createQuoteFeed(instrument)
  const request = { data_type: 'quotes' as const, symbols: [symbol], exchange, backlog: BACKLOG }
  return Object.assign(feed, { close: followTail(link, request, reader) })
}

/** A feed for whoever has this instrument's rows: of the tail, of a moment in the past, of a replay. */
export function createQuoteFeed(instrument: Instrument): { feed: QuoteFeed; reader: TailReader } {
  const names = ['bid_price', 'bid_quantity', 'ask_price', 'ask_quantity'] as const
  const ring: QuoteRing = createRing(HELD_QUOTES, names, [])
  const feed = Object.assign(createFeed(), { ring, instrument, decimals: 0, tick: 0, tickScale: 0, close: () => {} })
  const reader = readInto(feed, rows => {
    appendRows(ring, rows, {})
    for (const { values, nulls, scale = 0 } of [rows.columns.bid_price, rows.columns.ask_price]) {
      for (let row = 0; row < rows.rowCount; row++) {
        if (nulls?.[row]) continue
        feed.decimals = decimalsNeeded(values[row], scale, feed.decimals)
        learnTick(feed, values[row], scale)
      }
    }
  })
  return { feed, reader }
}

/** The contract does not name ticks; the greatest common divisor of what is quoted settles on it within a few quotes. */
export function learnTick(known: { tick: number; tickScale: number }, unscaled: number | bigint, scale: number): void {
  const value = Math.abs(Number(unscaled))
  if (value === 0 || !Number.isSafeInteger(value)) return
  if (scale !== known.tickScale) {
    const factor = 10 ** (scale - known.tickScale)
    known.tick = known.tick === 0 ? 0 : Math.round(known.tick * factor)
    known.tickScale = scale
  }
  if (known.tick !== 0 && value % known.tick === 0) return
  known.tick = greatestCommonDivisor(value, known.tick)
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b]
  return a
}
