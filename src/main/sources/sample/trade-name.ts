// One name's five days: the plan of each day acted out on a book, which gives the prices, the sizes and the quotes.
import { SIDES } from '../../../contract/tables.ts'
import { canTrade, createBook, requote, tradeAtQuote, tradeInAuction, type Book } from '../demo/book.ts'
import { tickAt } from '../demo/instruments.ts'
import { countMessage, createNumbering } from '../demo/numbering.ts'
import { createRandom, drawSize, drawStep, zipfPlaces, type Random } from '../demo/random.ts'
import { CLOSES_AT, type SampleDay, type SampleName } from './names.ts'
import { planDay, type PlannedEvent } from './plan-day.ts'
import { createQuoteRows, createTradeRows, type QuoteRows, type TradeRows } from './rows.ts'

export interface TradedName {
  trades: TradeRows
  quotes: QuoteRows
}

interface State {
  name: SampleName
  random: Random
  book: Book
  day: number
  trades: TradeRows
  quotes: QuoteRows
  tradeNumbers: Book['trades']
  quoteNumbers: Book['trades']
}

const UNKNOWN = SIDES.indexOf('UNKNOWN')
const BUY = SIDES.indexOf('BUY')
const VENUES = { book: 'A', midpoint: 'P', reported: 'X' }
const OVERNIGHT = 0.004
/** Ordinary orders in each trade of an auction; about a sixth of a day's shares trade in the last one. */
const AUCTION_ORDERS = { opening: 2, closing: 3.5 }
/** A resting order is no smaller than this part of an ordinary one, on average over those that meet one order. */
const SMALLEST_PART = 1 / 12
/** Of a tick, by which taking a whole side moves what a name is worth. */
const IMPACT = 0.25
const THOUSANDTH = 1e5

const brokers = [
  '112',
  '254',
  '306',
  '119',
  '421',
  '298',
  '175',
  '340',
  '227',
  '156',
  '413',
  '382',
  '205',
  '267',
  '331',
]
const brokerPlaces = zipfPlaces(brokers.length)

export function tradeName(name: SampleName, seed: number): TradedName {
  const random = createRandom(seed + name.companyId)
  const numbers = { tradeNumbers: createNumbering(random), quoteNumbers: createNumbering(random) }
  const { trades, quotes } = { trades: createTradeRows(), quotes: createQuoteRows() }
  let lastFair = NaN
  name.days.forEach((sampleDay, day) => {
    const book = createBook({ ...name.instrument, price: sampleDay.price }, random)
    if (day > 0) book.fair = lastFair * (1 + drawStep(random) * OVERNIGHT)
    const state = { name, random, book, day, trades, quotes, ...numbers }
    actOut(state, planDay(name, sampleDay, random), sampleDay)
    lastFair = book.fair
  })
  return { trades, quotes }
}

function actOut(state: State, events: readonly PlannedEvent[], { halt }: SampleDay): void {
  const { book, random } = state
  events.forEach((event, i) => {
    const { ms, kind } = event
    if (kind === 'indication') putIndication(state, ms)
    else if (kind === 'crossing') putCrossing(state, ms)
    else if (kind === 'requote') putNewQuote(state, ms)
    else if (kind === 'order') putOrder(state, event)
    else if (kind === 'midpoint') putMidpoint(state, ms)
    else {
      if (kind === 'resume' && halt) moveTo(book, book.fair * (1 + halt.move))
      putAuction(state, event)
    }
    if (kind === 'order' || ((kind === 'auction' || kind === 'resume') && ms < CLOSES_AT)) {
      const nextMs = i + 1 < events.length ? events[i + 1].ms : Infinity
      putQuoteAfter(state, Math.min(ms + 1 + Math.floor(random() * 4), nextMs), kind !== 'order')
    }
  })
}

/** A new price that is here to stay. */
function moveTo(book: Book, fair: number): void {
  book.fair = fair
  book.instrument = { ...book.instrument, price: fair }
}

/** Walks the book until its trades are made. */
function putOrder(state: State, { ms, trades, trend }: PlannedEvent): void {
  const { book, random } = state
  const { lot, orderLots } = book.instrument
  book.trend = trend
  let left = trades
  while (left > 0) {
    if (!canTrade(book)) putNewQuote(state, ms)
    tradeAtQuote(book, 0.5 + trades / 6, random)
    const count = Math.min(left, Math.ceil(book.lastQuantity / lot / (orderLots * SMALLEST_PART)))
    if (!canTrade(book)) {
      const tick = tickAt(book.instrument, book.fair)
      book.fair += (book.lastSide === BUY ? tick : -tick) * IMPACT
    }
    const buyer = drawBroker(random)
    // The buyer is one when a buyer came to the book, and any number when a seller did.
    for (const shares of splitShares(book.lastQuantity / lot, count, random))
      putTrade(state, ms, book.lastPrice, shares, {
        buyer: book.lastSide === BUY ? buyer : drawBroker(random),
        side: book.lastSide,
      })
    left -= count
  }
}

function putMidpoint(state: State, ms: number): void {
  const { book, random } = state
  if (!canTrade(book)) putNewQuote(state, ms)
  const shares = Math.max(Math.floor(book.instrument.orderLots * drawSize(random)), 1)
  putTrade(state, ms, (book.bid + book.ask) / 2, shares, { venue: VENUES.midpoint, buyer: drawBroker(random) })
}

function putAuction(state: State, { ms, trades }: PlannedEvent): void {
  const { book, random } = state
  if (trades === 0) return
  tradeInAuction(book, trades, random)
  const orders = trades * (ms < CLOSES_AT ? AUCTION_ORDERS.opening : AUCTION_ORDERS.closing)
  // Of many orders, so steadier than the size of one.
  const size = (drawSize(random) + drawSize(random) + drawSize(random)) / 3
  for (const shares of splitShares(Math.floor(book.instrument.orderLots * orders * size), trades, random))
    putTrade(state, ms, book.lastPrice, shares, { buyer: drawBroker(random) })
}

/** At an average somebody was promised, so to the tenth of a cent; its size is round. */
function putCrossing(state: State, ms: number): void {
  const { book, random } = state
  const price = Math.round((book.fair * (1 + drawStep(random) * 0.003)) / THOUSANDTH) * THOUSANDTH
  const shares = Math.max(Math.round((book.instrument.orderLots * 12 * drawSize(random)) / 1000), 1) * 1000
  const qualifier = ms < 36e6 || ms > CLOSES_AT ? '3' : random() < 0.7 ? '7' : '11'
  putTrade(state, ms, price, shares, { qualifier, venue: VENUES.reported })
}

interface TradeMarks {
  qualifier?: string
  venue?: string
  buyer?: string
  side?: number
}

function putTrade(state: State, ms: number, price: number, shares: number, marks: TradeMarks): void {
  const { trades, tradeNumbers, random } = state
  countMessage(tradeNumbers, random)
  trades.days.push(state.day)
  trades.times.push(ms)
  trades.prices.push(price)
  trades.shares.push(shares)
  trades.qualifiers.push(marks.qualifier ?? '')
  trades.venues.push(marks.venue ?? VENUES.book)
  trades.buyers.push(marks.buyer ?? '')
  trades.sides.push(marks.side ?? UNKNOWN)
  trades.ids.push(tradeNumbers.id)
  trades.sequences.push(tradeNumbers.sequence)
}

/** Until both sides are there: what is traded all day is not left without a quote. */
function putNewQuote(state: State, ms: number): void {
  do requote(state.book, ms * 1000, state.random)
  while (!canTrade(state.book))
  putQuote(state, ms, state.book)
}

/** What the order has left, or a new quote when it has left nothing. */
function putQuoteAfter(state: State, ms: number, isNew: boolean): void {
  if (isNew || !canTrade(state.book)) putNewQuote(state, ms)
  else putQuote(state, ms, state.book)
}

type Quoted = Pick<Book, 'bid' | 'ask' | 'bidLeft' | 'askLeft'>
const EMPTY = { bid: 0, ask: 0, bidLeft: 0, askLeft: 0 }

/** One side only, some ticks from where it is thought to trade. */
function putIndication(state: State, ms: number): void {
  const { book, random, name } = state
  const tick = tickAt(book.instrument, book.fair)
  const ticksOff = (1 + Math.floor(random() * 5)) * tick
  const left = Math.max(Math.floor(name.instrument.orderLots * drawSize(random)), 1) * book.instrument.lot
  const below = Math.floor((book.fair - ticksOff) / tick) * tick
  const above = Math.ceil((book.fair + ticksOff) / tick) * tick
  putQuote(
    state,
    ms,
    random() < 0.6 ? { ...EMPTY, bid: below, bidLeft: left } : { ...EMPTY, ask: above, askLeft: left },
  )
}

function putQuote({ quotes, quoteNumbers, random, day, book }: State, ms: number, quoted: Quoted): void {
  countMessage(quoteNumbers, random)
  quotes.days.push(day)
  quotes.times.push(ms)
  quotes.bids.push(quoted.bid)
  quotes.asks.push(quoted.ask)
  quotes.bidShares.push(quoted.bidLeft / book.instrument.lot)
  quotes.askShares.push(quoted.askLeft / book.instrument.lot)
  quotes.sequences.push(quoteNumbers.sequence)
}

/** Parts of at least one share; many are round, and many as large as the one before, as machines send them. */
function splitShares(shares: number, count: number, random: Random): number[] {
  const parts: number[] = []
  let left = Math.max(shares, count)
  for (let others = count - 1; others > 0; others--) {
    const most = left - others
    const drawn = Math.floor((left / (others + 1)) * drawSize(random))
    const isRound = drawn > 200 && random() < 0.4
    const isRepeat = parts.length > 0 && random() < 0.12
    const wanted = isRepeat ? parts[parts.length - 1] : isRound ? drawn - (drawn % 100) : drawn
    parts.push(Math.min(Math.max(wanted, 1), most))
    left -= parts[parts.length - 1]
  }
  parts.push(left)
  return parts
}

function drawBroker(random: Random): string {
  return brokers[brokerPlaces[Math.floor(random() * brokerPlaces.length)]]
}
