// When things happen on one day of one name, before anything is known about prices: pre-open, opening auction, orders and
// quotes in the U of a day with bursts, a halt, the closing auction and what is reported afterwards.
import { zipfPlaces, type Random } from '../demo/random.ts'
import { CLOSES_AT, type SampleDay, type SampleName } from './names.ts'

/**
 * - indication: one side of the book before the open, or of a thin one
 * - auction: one price for all who meet in it; the first quote follows
 * - order: meets the other side of the book · midpoint: meets its like between bid and ask
 * - crossing: arranged elsewhere and reported, at any price
 */
export type EventKind = 'indication' | 'crossing' | 'resume' | 'auction' | 'requote' | 'midpoint' | 'order'

export interface PlannedEvent {
  kind: EventKind
  /** Milliseconds after midnight. */
  ms: number
  /** Trades it makes, all in this millisecond. */
  trades: number
  /** The way an order of a burst goes, 1 or -1, or 0. */
  trend: number
}

const PREOPEN = { fromMs: 25_200_000, untilMs: 35_940_000 }
const REPORTED_FROM_MS = 28_500_000
const REPORTED_UNTIL_MS = 61_200_000
/** The auction of the close is at 16:10, at a random moment of half a minute. */
const CLOSING_AUCTION_MS = CLOSES_AT + 600_000
const AUCTION_SPREAD_MS = 30_000
const OPENING_SPREAD_MS = 15_000

/** Shares of a day's trades. */
const OPENING_SHARE = 0.006
const CLOSING_SHARE = 0.013
const CROSSING_SHARE = 0.0012
const MIDPOINT_CHANCE = 0.06
/** Of orders: they follow the one before within two seconds and go its way. */
const BURST_CHANCE = 0.55
const BURST_MS = 2000

export function planDay(name: SampleName, day: SampleDay, random: Random): PlannedEvent[] {
  const session = createSession(name, day, random)
  const events: PlannedEvent[] = []
  const put = (kind: EventKind, ms: number, trades = 0, trend = 0) => void events.push({ kind, ms, trades, trend })
  let left = day.trades
  const take = (share: number) => {
    const count = Math.min(left, Math.round(day.trades * share * (0.75 + random() * 0.5)))
    left -= count
    return count
  }

  const indications = 1 + Math.floor(random() * 4)
  for (let i = 0; i < indications; i++)
    put('indication', PREOPEN.fromMs + Math.floor(random() * (PREOPEN.untilMs - PREOPEN.fromMs)))
  for (let crossings = take(CROSSING_SHARE); crossings > 0; crossings--) put('crossing', drawReported(random), 1)
  put('auction', session.openMs, take(OPENING_SHARE))
  if (session.closeMs === CLOSES_AT)
    put('auction', CLOSING_AUCTION_MS + Math.floor(random() * AUCTION_SPREAD_MS), take(CLOSING_SHARE))
  if (day.halt && day.halt.untilMs < session.closeMs) put('resume', day.halt.untilMs, take(OPENING_SHARE))

  const orders = planOrders(session, left, name.isThin, random)
  events.push(...orders)
  for (let quotes = day.quotes - orders.length - indications; quotes > 0; quotes--)
    put(name.isThin && random() < 0.06 ? 'indication' : 'requote', session.drawMs(random))
  // Stable: what is planned for the same millisecond stays in the order in which it was planned.
  return events.sort((a, b) => a.ms - b.ms)
}

interface Session {
  openMs: number
  closeMs: number
  drawMs: (random: Random) => number
  isOpenAt: (ms: number) => boolean
}

function createSession({ opensAt }: SampleName, { halt }: SampleDay, random: Random): Session {
  const openMs = opensAt + Math.floor(random() * OPENING_SPREAD_MS)
  const closeMs = halt ? (halt.untilMs < CLOSES_AT ? CLOSES_AT : halt.fromMs) : CLOSES_AT
  const isOpenAt = (ms: number) => ms > openMs && ms < closeMs && !(halt && ms >= halt.fromMs && ms <= halt.untilMs)
  function drawMs(draw: Random): number {
    for (;;) {
      const place = draw()
      const ms = openMs + 1 + Math.floor(place * (closeMs - openMs - 1))
      if (draw() * 1.9 < activityAt(place) && isOpenAt(ms)) return ms
    }
  }
  return { openMs, closeMs, drawMs, isOpenAt }
}

/** The U of a trading day: 1.9 at its ends, 0.55 in the middle; `place` goes from 0 to 1. */
function activityAt(place: number): number {
  const fromMiddle = place * 2 - 1
  return 0.55 + 1.35 * fromMiddle * fromMiddle
}

/** Orders until the trades are used up. */
function planOrders(session: Session, trades: number, isThin: boolean, random: Random): PlannedEvent[] {
  const orders: PlannedEvent[] = []
  let left = trades
  let ms = 0
  let trend = 0
  while (left > 0) {
    const next = ms + Math.floor(random() * random() * BURST_MS)
    const inBurst = !isThin && orders.length > 0 && random() < BURST_CHANCE && session.isOpenAt(next)
    if (!inBurst) trend = random() < 0.5 ? -1 : 1
    ms = inBurst ? next : session.drawMs(random)
    const count = Math.min(left, drawTrades(random))
    const kind = random() < MIDPOINT_CHANCE && !isThin ? 'midpoint' : 'order'
    orders.push({ kind, ms, trades: kind === 'midpoint' ? 1 : count, trend: inBurst ? trend : 0 })
    left -= orders[orders.length - 1].trades
  }
  return orders
}

const fewTrades = zipfPlaces(16)

/** How many resting orders an order meets: mostly one to five, once in a hundred up to ninety. */
function drawTrades(random: Random): number {
  if (random() < 0.01) return 20 + Math.floor(random() * 70)
  const place = fewTrades[Math.floor(random() * fewTrades.length)]
  return random() < 0.45 ? 1 : 1 + Math.floor(place / 2)
}

/** Three in ten before the open, three after the close, the rest in between. */
function drawReported(random: Random): number {
  const chance = random()
  const [from, until] =
    chance < 0.3
      ? [REPORTED_FROM_MS, PREOPEN.untilMs]
      : chance < 0.6
        ? [CLOSING_AUCTION_MS + AUCTION_SPREAD_MS, REPORTED_UNTIL_MS]
        : [PREOPEN.untilMs + 1_200_000, CLOSES_AT]
  return from + Math.floor(random() * (until - from))
}
