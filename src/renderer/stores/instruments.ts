// Everything that trades, by symbol and exchange: last price, direction, how busy. Filled by the trades as they arrive
// and by the list of symbols, whichever names an instrument first.
import type { Column, ColumnBatch } from '../../contract/columns.ts'

/** 0 where a price is the same as the one before, or the first. */
export type Direction = 0 | 1 | 2
export const UP = 1
export const DOWN = 2

export interface Instrument {
  readonly id: number
  readonly symbol: string
  readonly exchange: string
  /** `BHP.ASX`: what it is called where symbols of several exchanges meet. */
  readonly name: string
  companyName: string | null
  /** Trades that K2 has counted, as the list of symbols says. */
  listedTrades: number
  /** The same as a moment in the past knew it; undefined while live, and where nothing was known of it. */
  tradesThen?: number
  /** Decimals that its trades have needed so far: its prices are all shown with as many. */
  decimals: number
  last: number | bigint | null
  lastScale: number
  lastTime: number
  /** Of the last trade that changed the price. */
  direction: Direction
  /** Trades that came while this window looked on. */
  trades: number
  /** Smoothed over about three seconds. */
  tradesPerSecond: number
}

export interface Instruments {
  all: Instrument[]
  find(symbol: string, exchange: string): Instrument
  named(name: string): Instrument | undefined
  /** Call about once a second. */
  measureActivity(elapsedMs: number): void
}

export function createInstruments(): Instruments {
  const all: Instrument[] = []
  const byName = new Map<string, Instrument>()
  const counted: number[] = []

  function find(symbol: string, exchange: string): Instrument {
    const name = `${symbol}.${exchange}`
    const known = byName.get(name)
    if (known) return known
    const instrument = newInstrument(all.length, symbol, exchange, name)
    byName.set(name, instrument)
    all.push(instrument)
    counted.push(0)
    return instrument
  }

  function measureActivity(elapsedMs: number): void {
    const weight = 1 - Math.exp(-elapsedMs / 3000)
    for (const instrument of all) {
      const now = ((instrument.trades - counted[instrument.id]) * 1000) / elapsedMs
      counted[instrument.id] = instrument.trades
      instrument.tradesPerSecond += (now - instrument.tradesPerSecond) * weight
    }
  }
  return { all, find, named: name => byName.get(name), measureActivity }
}

function newInstrument(id: number, symbol: string, exchange: string, name: string): Instrument {
  return {
    id,
    symbol,
    exchange,
    name,
    companyName: null,
    listedTrades: 0,
    decimals: 0,
    last: null,
    lastScale: 0,
    lastTime: 0,
    direction: 0,
    trades: 0,
    tradesPerSecond: 0,
  }
}

/** The instrument of each row of a batch; each pair of words is looked up once a batch. */
export function instrumentOfRow(instruments: Instruments, { columns }: ColumnBatch): (row: number) => Instrument {
  const { symbol, exchange } = columns
  const exchanges = exchange.words!.length
  const found: Instrument[] = []
  return row => {
    const symbolCode = Number(symbol.values[row])
    const exchangeCode = Number(exchange.values[row])
    return (found[symbolCode * exchanges + exchangeCode] ??= instruments.find(
      symbol.words![symbolCode] as string,
      exchange.words![exchangeCode] as string,
    ))
  }
}

/** Takes one trade in; gives its direction from the one before. */
export function takeTrade(instrument: Instrument, price: Column, row: number, time: number): Direction {
  const scale = price.scale ?? 0
  const value = price.values[row]
  const change = instrument.last === null ? 0 : compareDecimals(value, scale, instrument.last, instrument.lastScale)
  const direction = change > 0 ? UP : change < 0 ? DOWN : 0
  if (direction !== 0) instrument.direction = direction
  instrument.last = value
  instrument.lastScale = scale
  instrument.lastTime = time
  instrument.decimals = decimalsNeeded(value, scale, instrument.decimals)
  return direction
}

export function compareDecimals(a: number | bigint, aScale: number, b: number | bigint, bScale: number): number {
  if (aScale === bScale) return a > b ? 1 : a < b ? -1 : 0
  const difference = Number(a) / 10 ** aScale - Number(b) / 10 ** bScale
  return Math.sign(difference)
}

/** How many decimals show this number exactly, `atLeast` or more. */
export function decimalsNeeded(unscaled: number | bigint, scale: number, atLeast: number): number {
  let decimals = Math.min(atLeast, scale)
  if (typeof unscaled === 'bigint') {
    while (decimals < scale && unscaled % 10n ** BigInt(scale - decimals) !== 0n) decimals++
  } else {
    while (decimals < scale && unscaled % 10 ** (scale - decimals) !== 0) decimals++
  }
  return Math.max(decimals, atLeast)
}
