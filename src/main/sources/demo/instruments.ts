// What the demo trades: shares on the ASX and pairs on Binance, the busiest first, with each venue's own ticks and lots.
import { DECIMAL_SCALE } from '../../market/avro-schemas.ts'
import type { Instrument } from '../../market/encode.ts'
import { exchangeOf } from '../../market/exchanges.ts'

/** Prices, ticks and quantities are whole numbers at scale 8, so that every sum and difference is exact. */
export interface DemoInstrument extends Instrument {
  /** Whether it trades in sessions with auctions or around the clock. */
  hasSession: boolean
  /** What the price wanders about. */
  price: number
  /** Smallest price step below each bound, ascending. */
  ticks: readonly { below: number; tick: number }[]
  /** Smallest quantity step. */
  lot: number
  /** Lots that people like to round to. */
  roundLots: number
  /** Lots of an ordinary order. */
  orderLots: number
  /** Relative standard deviation of the price over one second. */
  volatility: number
}

export const ASX_TICKS = [
  { below: units(0.1), tick: units(0.001) },
  { below: units(2), tick: units(0.005) },
  { below: Infinity, tick: units(0.01) },
]

const SHARE_ORDER_AUD = 5000
const COIN_ORDER_USDT = 900

const shares: [symbol: string, price: number][] = [
  ['BHP', 45.2],
  ['CBA', 132.5],
  ['FMG', 19.8],
  ['CSL', 285.1],
  ['WBC', 33.2],
  ['NAB', 37.4],
  ['RIO', 121.5],
  ['ANZ', 30.1],
  ['WDS', 25.4],
  ['TLS', 3.92],
  ['PLS', 2.98],
  ['MQG', 205.3],
  ['WES', 72.5],
  ['WOW', 31.2],
  ['NST', 16.2],
  ['STO', 6.75],
  ['GMG', 33.6],
  ['TCL', 12.9],
  ['S32', 3.35],
  ['QAN', 7.9],
  ['ALL', 62.4],
  ['QBE', 18.6],
  ['COL', 18.1],
  ['MIN', 38.5],
  ['ORG', 9.8],
  ['XRO', 155.2],
  ['LYC', 6.9],
  ['JHX', 48.1],
  ['SUN', 17.9],
  ['BXB', 17.5],
  ['AGL', 10.6],
  ['IAG', 7.4],
  ['REA', 215.8],
  ['ZIP', 1.985],
  ['LTR', 0.745],
  ['SYR', 0.235],
  ['BRN', 0.215],
  ['IMU', 0.045],
]

const coins: [symbol: string, price: number, tick: number, lot: number][] = [
  ['BTCUSDT', 97_250, 0.01, 0.00001],
  ['ETHUSDT', 3420, 0.01, 0.0001],
  ['SOLUSDT', 195, 0.01, 0.001],
  ['XRPUSDT', 2.245, 0.0001, 0.1],
  ['BNBUSDT', 655, 0.01, 0.001],
  ['DOGEUSDT', 0.1855, 0.00001, 1],
  ['ADAUSDT', 0.742, 0.0001, 0.1],
  ['TRXUSDT', 0.241, 0.0001, 0.1],
  ['AVAXUSDT', 36.8, 0.01, 0.01],
  ['LINKUSDT', 18.4, 0.01, 0.01],
  ['SUIUSDT', 3.45, 0.0001, 0.1],
  ['LTCUSDT', 92.3, 0.01, 0.001],
  ['DOTUSDT', 6.9, 0.001, 0.01],
  ['BCHUSDT', 452.3, 0.1, 0.001],
  ['NEARUSDT', 5.4, 0.001, 0.1],
  ['UNIUSDT', 9.8, 0.001, 0.01],
  ['ATOMUSDT', 6.4, 0.001, 0.01],
  ['ETCUSDT', 26.1, 0.01, 0.01],
  ['XLMUSDT', 0.38, 0.0001, 1],
  ['FILUSDT', 5.1, 0.001, 0.01],
]

export const equities: readonly DemoInstrument[] = shares.map(([symbol, price]) => ({
  ...venue('ASX'),
  symbol,
  price: units(price),
  ticks: ASX_TICKS,
  lot: units(1),
  roundLots: 100,
  orderLots: SHARE_ORDER_AUD / price,
  volatility: 2.5e-4,
}))

export const crypto: readonly DemoInstrument[] = coins.map(([symbol, price, tick, lot]) => ({
  ...venue('BINANCE'),
  symbol,
  price: units(price),
  ticks: [{ below: Infinity, tick: units(tick) }],
  lot: units(lot),
  roundLots: 1,
  orderLots: COIN_ORDER_USDT / price / lot,
  volatility: 1e-4,
}))

/** Smallest price step at this price. */
export function tickAt({ ticks }: DemoInstrument, price: number): number {
  let band = 0
  while (price >= ticks[band].below) band++
  return ticks[band].tick
}

function venue(name: string) {
  const { currency, assetClass, session } = exchangeOf(name)
  return { exchange: name, currency, assetClass: assetClass!, hasSession: session !== undefined }
}

function units(value: number): number {
  return Math.round(value * 10 ** DECIMAL_SCALE)
}
