// What Binance's stream says: trades, best quotes, answers to what was asked of it. Anything else is not understood.
//   {"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","t":1,"p":"9.5","q":"2","T":1700000000000,"m":true}}
//   {"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"9.5","B":"1","a":"9.6","A":"2"}}
import { BadValue } from '../../base/values/bad-value.ts'
import { parseDecimal } from '../../base/values/parse-number.ts'

export interface Trade {
  kind: 'trade'
  symbol: string
  id: number
  micros: number
  price: number | bigint
  quantity: number | bigint
  /** Whether the buyer's order was in the book already, so that the seller was the aggressor. */
  isBuyerMaker: boolean
  /** The orders' ids, where Binance still tells them. */
  buyerOrder?: string
  sellerOrder?: string
}

/** The best prices of a book; a side that is empty has NaN. It has no time of its own. */
export interface Quote {
  kind: 'quote'
  symbol: string
  id: number
  bidPrice: number | bigint
  bidQuantity: number | bigint
  askPrice: number | bigint
  askQuantity: number | bigint
}

export type Event =
  | Trade
  | Quote
  /** To a subscription; `problem` when it was refused. */
  | { kind: 'answer'; problem?: string }
  /** The server will close the connection soon. */
  | { kind: 'shutdown' }

export type Misunderstanding = 'bad_json' | 'unknown_event' | 'bad_value'

export class NotUnderstood extends Error {
  readonly reason: Misunderstanding

  constructor(reason: Misunderstanding, message: string) {
    super(message)
    this.reason = reason
  }
}

type Json = Readonly<Record<string, unknown>>

/** Up to here a time is in milliseconds, beyond in microseconds: the year 5138 in the one, 1973 in the other. */
const LARGEST_MILLIS = 1e14

export function readEvent(text: string): Event {
  const message = parse(text)
  if (message === undefined) throw new NotUnderstood('bad_json', 'it is no JSON object')
  if ('result' in message || 'error' in message) return readAnswer(message)
  const data = isObject(message.data) ? message.data : message
  if ('code' in data && 'msg' in data) return { kind: 'answer', problem: String(data.msg) }
  if (data.e === 'serverShutdown') return { kind: 'shutdown' }
  if (data.e === 'trade') return readTrade(data)
  if ((data.e === undefined || data.e === 'bookTicker') && 'u' in data && 'b' in data && 'a' in data)
    return readQuote(data)
  throw new NotUnderstood('unknown_event', `it is neither a trade nor a best quote`)
}

function readAnswer({ error }: Json): Event {
  if (error === undefined || error === null) return { kind: 'answer' }
  return { kind: 'answer', problem: isObject(error) ? String(error.msg) : JSON.stringify(error) }
}

function readTrade(data: Json): Trade {
  const { b, a, m } = data
  if (typeof m !== 'boolean') throw badValue('m', m, 'is not true or false')
  return {
    kind: 'trade',
    symbol: symbolIn(data),
    id: wholeIn(data, 't'),
    micros: microsOf(wholeIn(data, 'T')),
    price: decimalIn(data, 'p'),
    quantity: decimalIn(data, 'q'),
    isBuyerMaker: m,
    ...(Number.isSafeInteger(b) && { buyerOrder: String(b) }),
    ...(Number.isSafeInteger(a) && { sellerOrder: String(a) }),
  }
}

function readQuote(data: Json): Quote {
  const bidPrice = decimalIn(data, 'b')
  const askPrice = decimalIn(data, 'a')
  const [hasBid, hasAsk] = [Number(bidPrice) !== 0, Number(askPrice) !== 0]
  return {
    kind: 'quote',
    symbol: symbolIn(data),
    id: wholeIn(data, 'u'),
    bidPrice: hasBid ? bidPrice : NaN,
    bidQuantity: hasBid ? decimalIn(data, 'B') : NaN,
    askPrice: hasAsk ? askPrice : NaN,
    askQuantity: hasAsk ? decimalIn(data, 'A') : NaN,
  }
}

export function microsOf(time: number): number {
  return time < LARGEST_MILLIS ? time * 1000 : time
}

/** Numbers in texts, so that no double is ever in between. */
export function decimalIn(data: Json, name: string): number | bigint {
  const value = data[name]
  if (typeof value !== 'string') throw badValue(name, value, 'is not a text')
  const bytes = Buffer.from(value, 'latin1')
  try {
    return parseDecimal(bytes, 0, bytes.length)
  } catch (error) {
    if (error instanceof BadValue) throw badValue(name, value, error.message)
    throw error
  }
}

/** Beyond 2^53 JSON itself is no longer exact. */
export function wholeIn(data: Json, name: string): number {
  const value = data[name]
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw badValue(name, value, 'is not a whole number')
  return value as number
}

function symbolIn({ s }: Json): string {
  if (typeof s !== 'string' || !/^[\p{L}\p{N}._-]{1,64}$/u.test(s)) throw badValue('s', s, 'is not a symbol')
  return s
}

function badValue(name: string, value: unknown, what: string): NotUnderstood {
  const shown = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60)
  return new NotUnderstood('bad_value', `${name} ${shown} ${what}`)
}

function parse(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
