// The four names of the sample: what they are called, what they trade at, and how much of what happens on which day.
// Prices, trades and quotes are invented; tickers, names and ISINs are real ones.
import { DECIMAL_SCALE } from '../../market/avro-schemas.ts'
import { exchangeOf } from '../../market/exchanges.ts'
import { ASX_TICKS, type DemoInstrument } from '../demo/instruments.ts'

/** Five trading days; Sydney is at UTC+11 throughout. The 13th and 14th can only be read as days, not as months. */
export const DAYS = ['2014-03-10', '2014-03-11', '2014-03-12', '2014-03-13', '2014-03-14'] as const

export interface SampleDay {
  trades: number
  /** About so many. */
  quotes: number
  /** What the price is drawn to in the course of the day. */
  price: number
  halt?: Halt
}

/** From a time on nothing is traded or quoted: until another, after which the price has moved, or for the day. */
export interface Halt {
  fromMs: number
  untilMs: number
  move: number
}

export interface SampleName {
  companyId: number
  symbol: string
  companyName: string
  isin: string
  listed: string
  form: 'asx-raw' | 'k2'
  /** Milliseconds after midnight; the ASX opens in groups by the first letter. */
  opensAt: number
  /** Quoted with one side empty now and then, as what hardly trades is. */
  isThin: boolean
  instrument: DemoInstrument
  days: readonly SampleDay[]
}

const exact = (value: number) => Math.round(value * 10 ** DECIMAL_SCALE)
const timeMs = (hours: number, minutes: number, seconds = 0) => ((hours * 60 + minutes) * 60 + seconds) * 1000
export const CLOSES_AT = timeMs(16, 0)

/** `orderShares` is an ordinary order, which meets two or three others; `volatility` is over one second. */
function share(symbol: string, orderShares: number, volatility: number, ticks = ASX_TICKS): DemoInstrument {
  const { name, currency, assetClass } = exchangeOf('ASX')
  return {
    symbol,
    exchange: name,
    currency,
    assetClass: assetClass!,
    hasSession: true,
    price: NaN,
    ticks,
    lot: exact(1),
    roundLots: 100,
    orderLots: orderShares,
    volatility,
  }
}

type DayRow = [trades: number, quotes: number, price: number, halt?: Halt]
const daysOf = (rows: DayRow[]): SampleDay[] =>
  rows.map(([trades, quotes, price, halt]) => ({ trades, quotes, price: exact(price), ...(halt && { halt }) }))

export const SAMPLE_NAMES: readonly SampleName[] = [
  {
    companyId: 7078,
    symbol: 'BHP',
    companyName: 'BHP Billiton Limited',
    isin: 'AU000000BHP4',
    listed: '1962-01-31',
    form: 'asx-raw',
    opensAt: timeMs(10, 0),
    isThin: false,
    instrument: share('BHP', 1100, 3.5e-5),
    days: daysOf([
      [22_814, 19_400, 36.4],
      [18_206, 15_800, 36.72],
      [20_655, 17_900, 35.95],
      [17_342, 14_700, 36.2],
      [19_470, 16_900, 35.5],
    ]),
  },
  {
    companyId: 7458,
    symbol: 'RIO',
    companyName: 'Rio Tinto Limited',
    isin: 'AU000000RIO1',
    listed: '1962-01-31',
    form: 'asx-raw',
    opensAt: timeMs(10, 6, 45),
    isThin: false,
    instrument: share('RIO', 290, 4e-5),
    days: daysOf([
      [23_907, 19_200, 63.9],
      [19_118, 16_100, 64.45],
      [22_740, 17_300, 62.7, { fromMs: timeMs(11, 32, 10), untilMs: timeMs(11, 52, 10), move: -0.021 }],
      [17_985, 14_500, 62.95],
      [18_430, 15_900, 61.8],
    ]),
  },
  {
    companyId: 7181,
    symbol: 'DVN',
    companyName: 'Devine Limited',
    isin: 'AU000000DVN6',
    listed: '1993-12-09',
    form: 'k2',
    opensAt: timeMs(10, 2, 15),
    isThin: true,
    instrument: share('DVN', 7000, 8e-5),
    days: daysOf([
      [58, 410, 0.79],
      [41, 330, 0.8],
      [79, 520, 0.785],
      [12, 60, 0.785, { fromMs: timeMs(10, 41, 5), untilMs: timeMs(24, 0), move: 0 }],
      [41, 380, 0.83],
    ]),
  },
  {
    companyId: 3153,
    symbol: 'MWR',
    companyName: 'MGM Wireless Limited',
    isin: 'AU000000MWR6',
    listed: '2003-11-19',
    form: 'asx-raw',
    opensAt: timeMs(10, 4, 30),
    isThin: true,
    instrument: share('MWR', 1800, 1e-4, [{ below: Infinity, tick: exact(0.02) }]),
    days: daysOf([
      [3, 64, 1.72],
      [0, 38, 1.72],
      [4, 71, 1.68],
      [1, 43, 1.7],
      [2, 52, 1.66],
    ]),
  },
]
