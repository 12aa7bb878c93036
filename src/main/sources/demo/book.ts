// One instrument's market: a fair price that wanders, the quote in force around it, and trades that eat into that quote.
// Prices and quantities are whole numbers at scale 8; only the fair price lies between ticks.
import { SIDES } from '../../../contract/tables.ts'
import { tickAt, type DemoInstrument } from './instruments.ts'
import { createNumbering, type Numbering } from './numbering.ts'
import { drawSize, drawStep, type Random } from './random.ts'

export interface Book {
  instrument: DemoInstrument
  hasSession: boolean
  fair: number
  /** The way a burst pushes it: 1, -1, or 0 without one. */
  trend: number
  /** Market time of the quote in force, microseconds since the start. */
  quotedAt: number
  /** The quote in force; NaN on a side that is empty. */
  bid: number
  ask: number
  /** What trades have left of its quantities. */
  bidLeft: number
  askLeft: number
  /** Period of the last auction. */
  printedIn: number
  lastPrice: number
  lastQuantity: number
  /** Place in SIDES. */
  lastSide: number
  trades: Numbering
  quotes: Numbering
}

const BUY = SIDES.indexOf('BUY')
const SELL = SIDES.indexOf('SELL')
const UNKNOWN = SIDES.indexOf('UNKNOWN')

/** How fast the fair price is drawn back, so that a demo left on for weeks still shows believable prices. */
const REVERSION_SECONDS = 7200
/** After a longer pause the price moves as after this one: it must not leap. */
const LONGEST_STEP_SECONDS = 60
const BURST_VOLATILITY = 3
/** A tick so large a part of the price leaves no room between bid and ask. */
const COARSE_TICK = 0.005
/** How much more is quoted than an ordinary order takes. */
const QUOTED_ORDERS = 4
const AUCTION_ORDERS = 30

export function createBook(instrument: DemoInstrument, random: Random): Book {
  return {
    instrument,
    hasSession: instrument.hasSession,
    fair: instrument.price * (1 + drawStep(random) * 0.005),
    trend: 0,
    quotedAt: 0,
    bid: NaN,
    ask: NaN,
    bidLeft: NaN,
    askLeft: NaN,
    printedIn: instrument.hasSession ? -1 : 0,
    lastPrice: NaN,
    lastQuantity: NaN,
    lastSide: UNKNOWN,
    trades: createNumbering(random),
    quotes: createNumbering(random),
  }
}

/** Both sides have something left; otherwise the next message must be a quote. */
export function canTrade(book: Book): boolean {
  return book.bidLeft > 0 && book.askLeft > 0
}

/** Moves the fair price over the time since the last quote and puts a new one around it, never crossed. */
export function requote(book: Book, elapsedMicros: number, random: Random): void {
  const { instrument } = book
  moveFair(book, (elapsedMicros - book.quotedAt) / 1e6, random)
  book.quotedAt = elapsedMicros
  const tick = tickAt(instrument, book.fair)
  const width = tick > book.fair * COARSE_TICK ? 1 : drawWidth(random)
  const bid = Math.max(Math.floor((book.fair - ((width - 1) * tick) / 2) / tick) * tick, tick)
  const ask = raise(instrument, bid, width)
  // One side at the most stays as it was: a quote without a change would not be sent.
  const isBidKept = random() < 0.5
  book.bidLeft = restock(instrument, isBidKept && bid === book.bid, book.bidLeft, random)
  book.askLeft = restock(instrument, !isBidKept && ask === book.ask, book.askLeft, random)
  book.bid = Number.isNaN(book.bidLeft) ? NaN : bid
  book.ask = Number.isNaN(book.askLeft) ? NaN : ask
}

/** A step of the size that the time allows, however often it is asked for: volatility does not grow with the rate of messages. */
function moveFair(book: Book, elapsedSeconds: number, random: Random): void {
  const { price, volatility } = book.instrument
  const seconds = Math.min(elapsedSeconds, LONGEST_STEP_SECONDS)
  let step = drawStep(random) * volatility * Math.sqrt(seconds)
  if (book.trend !== 0) step = (random() < 0.5 ? Math.abs(step) * book.trend : step) * BURST_VOLATILITY
  book.fair += book.fair * step + (price - book.fair) * (seconds / REVERSION_SECONDS)
}

/** Ticks from bid to ask: mostly one. */
function drawWidth(random: Random): number {
  const chance = random()
  if (chance < 0.75) return 1
  return chance < 0.95 ? 2 : 3
}

/** What a side offers now; nothing for a moment, now and then, when trades have emptied it. */
function restock(instrument: DemoInstrument, isKept: boolean, left: number, random: Random): number {
  if (left === 0 && random() < 0.02) return NaN
  return isKept && left > 0 ? left : drawQuantity(instrument, QUOTED_ORDERS, random)
}

/** Prints at the quote in force, or inside where there is room, and takes what it trades from the quote's side. */
export function tradeAtQuote(book: Book, orders: number, random: Random): void {
  const { instrument, bid, ask } = book
  const buys = random() < 0.5 + 0.3 * book.trend
  const wanted = drawQuantity(instrument, orders, random)
  const inside = bid + tickAt(instrument, bid)
  book.lastSide = buys ? BUY : SELL
  if (inside < ask && random() < 0.1) {
    book.lastPrice = inside
    book.lastQuantity = wanted
  } else if (buys) {
    book.lastPrice = ask
    book.lastQuantity = Math.min(wanted, book.askLeft)
    book.askLeft -= book.lastQuantity
  } else {
    book.lastPrice = bid
    book.lastQuantity = Math.min(wanted, book.bidLeft)
    book.bidLeft -= book.lastQuantity
  }
}

/** One big print at the tick nearest to the fair price; nobody is the aggressor and the quote does not bind it. */
export function tradeInAuction(book: Book, orders: number, random: Random): void {
  const tick = tickAt(book.instrument, book.fair)
  book.lastPrice = Math.max(Math.round(book.fair / tick), 1) * tick
  book.lastQuantity = drawQuantity(book.instrument, orders * AUCTION_ORDERS, random)
  book.lastSide = UNKNOWN
}

/** Whole lots, at least one; half of the larger quantities are round. */
function drawQuantity({ orderLots, roundLots, lot }: DemoInstrument, orders: number, random: Random): number {
  const lots = Math.max(Math.floor(orderLots * orders * drawSize(random)), 1)
  const isRound = lots >= 2 * roundLots && random() < 0.5
  return (isRound ? lots - (lots % roundLots) : lots) * lot
}

function raise(instrument: DemoInstrument, price: number, ticks: number): number {
  let raised = price
  for (let i = 0; i < ticks; i++) raised += tickAt(instrument, raised)
  return raised
}
