// Rows as the text of a file, in the two forms that K2 reads.
//   asx-raw  CRLF, no header, wall time of Sydney: Date,Time,Price,Volume,Qualifier,Venue,BuyerID · Date,Time,Bid,Ask,BidVol,AskVol
//   k2       LF, with a header, times with their offset, no quote on a side as an empty field
import { decimalText } from '../../../contract/columns.ts'
import { SIDES } from '../../../contract/tables.ts'
import { DECIMAL_SCALE } from '../../market/avro-schemas.ts'
import { DAYS, SAMPLE_NAMES, type SampleName } from './names.ts'
import type { QuoteRows, TradeRows } from './rows.ts'

const CRLF = '\r\n'
const SYDNEY_IN_MARCH = '+11:00'

/** MM/DD/YYYY. */
const rawDays = DAYS.map(day => `${day.slice(5, 7)}/${day.slice(8)}/${day.slice(0, 4)}`)

export function rawTrades({ days, times, prices, shares, qualifiers, venues, buyers }: TradeRows): string {
  const lines = days.map((day, i) => {
    const when = `${rawDays[day]},${timeText(times[i])}`
    return `${when},${rawPrice(prices[i])},${shares[i]},${qualifiers[i]},${venues[i]},${buyers[i]}${CRLF}`
  })
  return lines.join('')
}

export function rawQuotes({ days, times, bids, asks, bidShares, askShares }: QuoteRows): string {
  const lines = days.map((day, i) => {
    const when = `${rawDays[day]},${timeText(times[i])}`
    return `${when},${rawPrice(bids[i])},${rawPrice(asks[i])},${bidShares[i]},${askShares[i]}${CRLF}`
  })
  return lines.join('')
}

const K2_TRADES = 'symbol,exchange_timestamp,price,quantity,side,sequence_number,trade_id,company_id,qualifiers,venue\n'
const K2_QUOTES = 'symbol,exchange_timestamp,bid_price,ask_price,bid_size,ask_size,sequence_number\n'

export function k2Trades({ symbol, companyId }: SampleName, rows: TradeRows): string {
  const { days, times, prices, shares, sides, sequences, ids, qualifiers, venues } = rows
  const lines = days.map((day, i) => {
    const traded = `${priceText(prices[i])},${shares[i]},${SIDES[sides[i]]}`
    const marks = `${sequences[i]},${ids[i]},${companyId},${qualifiers[i]},${venues[i]}`
    return `${symbol},${isoText(day, times[i])},${traded},${marks}\n`
  })
  return K2_TRADES + lines.join('')
}

export function k2Quotes({ symbol }: SampleName, rows: QuoteRows): string {
  const { days, times, bids, asks, bidShares, askShares, sequences } = rows
  const orNone = (text: string | number, price: number) => (price === 0 ? '' : text)
  const lines = days.map((day, i) => {
    const prices = `${orNone(priceText(bids[i]), bids[i])},${orNone(priceText(asks[i]), asks[i])}`
    const sizes = `${orNone(bidShares[i], bids[i])},${orNone(askShares[i], asks[i])}`
    return `${symbol},${isoText(day, times[i])},${prices},${sizes},${sequences[i]}\n`
  })
  return K2_QUOTES + lines.join('')
}

/** Nothing is known of a delisting. */
export function companyInfo(): string {
  const lines = SAMPLE_NAMES.map(
    ({ companyId, symbol, companyName, isin, listed }) => `${companyId},${symbol},${companyName},${isin},${listed},\n`,
  )
  return `company_id,symbol,company_name,ISIN,start_date,end_date\n${lines.join('')}`
}

function isoText(day: number, ms: number): string {
  return `${DAYS[day]}T${timeText(ms)}${SYDNEY_IN_MARCH}`
}

/** HH:MM:SS.mmm */
function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23)
}

function priceText(price: number): string {
  return decimalText(price, DECIMAL_SCALE)
}

/** With a decimal always, as a program that prints doubles writes it. */
function rawPrice(price: number): string {
  const text = priceText(price)
  return text.includes('.') ? text : `${text}.0`
}
