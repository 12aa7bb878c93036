// The simulated market: pure and deterministic. The same seed, start and density give the same messages, byte for byte,
// however many are asked for at a time.
import { createArrivals, drawPlace, drawWait, instruments, type Arrivals } from './arrivals.ts'
import { canTrade, createBook, requote, tradeAtQuote, tradeInAuction, type Book } from './book.ts'
import { QUOTE, TRADE, type MessageColumns } from './columns.ts'
import { createRandom, type Random } from './random.ts'
import { countMessage, type Numbering } from './numbering.ts'
import { activityAt, isAuctionDue, isOpen, periodAt } from './session.ts'

export interface MarketOptions {
  seed: number
  /** Market time of the start, whole microseconds since 1970. */
  startMicros: number
  /** Messages per second of market time, trades and quotes together. */
  density: number
}

export interface Market {
  startMicros: number
  /** Market time of the last message since the start: a small number, so that fractions of a microsecond survive. */
  elapsedMicros: number
  arrivals: Arrivals
  books: readonly Book[]
  random: Random
}

/** A trade's conditions when it is an auction's; the quote does not bind such a print. */
export const OPENING_AUCTION: readonly string[] = ['OPENING_AUCTION']
export const CLOSING_AUCTION: readonly string[] = ['CLOSING_AUCTION']

/** One message in four is a trade: bursts are one in six messages and 0.35 × 1/6 + 0.23 × 5/6 = 0.25. */
const TRADES_IN_BURST = 0.35
const TRADES_IN_CALM = 0.23
/** What a message takes from the exchange to us. */
const LATENCY_MICROS = { least: 80, spread: 500 }

export function createMarket({ seed, startMicros, density }: MarketOptions): Market {
  const random = createRandom(seed)
  const books = instruments.map(instrument => createBook(instrument, random))
  return { startMicros, elapsedMicros: 0, arrivals: createArrivals(density, random), books, random }
}

/** Fills the columns from row 0 until they are full or the next message would be later than `untilMicros`; gives the count. */
export function fillMessages(market: Market, columns: MessageColumns, untilMicros = Infinity): number {
  const { arrivals } = market
  const untilElapsed = untilMicros - market.startMicros
  let row = 0
  while (row < columns.capacity && market.elapsedMicros + arrivals.waitMicros <= untilElapsed) {
    putMessage(market, columns, row++)
  }
  columns.count = row
  return row
}

/** Market time of the last message. */
export function marketMicros(market: Market): number {
  return market.startMicros + Math.floor(market.elapsedMicros)
}

export function nextMessageMicros(market: Market): number {
  return market.startMicros + market.elapsedMicros + market.arrivals.waitMicros
}

/** Market time jumps ahead; what would have happened meanwhile does not. It never goes back. */
export function skipTo(market: Market, micros: number): void {
  const skipped = micros - market.startMicros - market.elapsedMicros
  if (skipped <= 0) return
  market.elapsedMicros += skipped
  market.arrivals.waitMicros = Math.max(0, market.arrivals.waitMicros - skipped)
}

function putMessage(market: Market, columns: MessageColumns, row: number): void {
  const { arrivals, books, random } = market
  const { burst } = arrivals
  const now = market.elapsedMicros + arrivals.waitMicros
  market.elapsedMicros = now
  const activity = activityAt(now)
  const place = drawPlace(arrivals, activity, random)
  const book = books[place]
  book.trend = place === burst.place ? burst.direction : 0

  const micros = marketMicros(market)
  columns.instruments[row] = place
  columns.exchangeTimestamps[row] = micros
  columns.ingestionTimestamps[row] = micros + LATENCY_MICROS.least + Math.floor(random() * LATENCY_MICROS.spread)

  const period = book.hasSession ? periodAt(now) : 0
  if (canTrade(book) && isAuctionDue(period, book.printedIn)) {
    tradeInAuction(book, activity, random)
    putTrade(book, isOpen(period) ? OPENING_AUCTION : CLOSING_AUCTION, random, columns, row)
    book.printedIn = period
  } else if (
    canTrade(book) &&
    isOpen(period) &&
    random() < (burst.direction === 0 ? TRADES_IN_CALM : TRADES_IN_BURST)
  ) {
    tradeAtQuote(book, book.hasSession ? activity : 1, random)
    putTrade(book, null, random, columns, row)
  } else {
    requote(book, now, random)
    putQuote(book, random, columns, row)
  }
  drawWait(arrivals, random)
}

function putTrade(
  book: Book,
  conditions: readonly string[] | null,
  random: Random,
  columns: MessageColumns,
  row: number,
): void {
  columns.kinds[row] = TRADE
  columns.prices[row] = book.lastPrice
  columns.quantities[row] = book.lastQuantity
  columns.sides[row] = book.lastSide
  columns.conditions[row] = conditions
  putNumbers(book.trades, random, columns, row)
}

function putQuote(book: Book, random: Random, columns: MessageColumns, row: number): void {
  columns.kinds[row] = QUOTE
  columns.bidPrices[row] = book.bid
  columns.bidQuantities[row] = book.bidLeft
  columns.askPrices[row] = book.ask
  columns.askQuantities[row] = book.askLeft
  putNumbers(book.quotes, random, columns, row)
}

function putNumbers(numbering: Numbering, random: Random, columns: MessageColumns, row: number): void {
  countMessage(numbering, random)
  columns.ids[row] = numbering.id
  columns.sourceSequences[row] = numbering.sequence
}
