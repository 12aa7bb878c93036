// The exchanges K2 knows: where they are, when they trade, and what a message of theirs need not repeat.
import type { AssetClass } from '../../contract/tables.ts'

/** Times of day on the exchange's own clock, HH:MM. */
export interface Session {
  open: string
  close: string
  closingAuction?: string
}

/** Which of an exchange's own days a time in microseconds falls into: a number that grows with it. */
export type DayOf = (exchange: string, micros: number) => number

export interface Exchange {
  name: string
  /** IANA name; the exchange's day begins at its midnight. */
  zone: string
  /** Nothing where trading never stops. */
  session?: Session
  currency: string
  /** Nothing for an exchange K2 does not know: its topics say it. */
  assetClass?: AssetClass
  /** How many partitions each of its topics of trades and quotes has. */
  partitions: number
}

/** ISO 4217's code for "no currency": better than a guess that looks like knowledge. */
export const NO_CURRENCY = 'XXX'
const KAFKA_DEFAULT_PARTITIONS = 1

const exchanges: Record<string, Exchange> = {
  ASX: {
    name: 'ASX',
    zone: 'Australia/Sydney',
    session: { open: '10:00', close: '16:00', closingAuction: '16:10' },
    currency: 'AUD',
    assetClass: 'equities',
    partitions: 30,
  },
  BINANCE: { name: 'BINANCE', zone: 'UTC', currency: 'USDT', assetClass: 'crypto', partitions: 16 },
}

/** By name without case; one that is not in the table trades around the clock in UTC. */
export function exchangeOf(name: string): Exchange {
  const key = name.toUpperCase()
  if (Object.hasOwn(exchanges, key)) return exchanges[key]
  return { name: key, zone: 'UTC', currency: NO_CURRENCY, partitions: KAFKA_DEFAULT_PARTITIONS }
}
