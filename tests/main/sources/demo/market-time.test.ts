// The simulated market in time: it keeps its pace, has days with auctions, and is lively.
import { beforeAll, describe, expect, it } from 'vitest'
import { instruments, setDensity } from '../../../../src/main/sources/demo/arrivals.ts'
import { createMessageColumns } from '../../../../src/main/sources/demo/columns.ts'
import {
  CLOSING_AUCTION,
  fillMessages,
  marketMicros,
  nextMessageMicros,
  OPENING_AUCTION,
  skipTo,
} from '../../../../src/main/sources/demo/market.ts'
import { CALL_MICROS, DAY_MICROS, OPEN_MICROS } from '../../../../src/main/sources/demo/session.ts'
import { forEachMessage, marketOf, START } from './messages.ts'

const DAY_SECONDS = DAY_MICROS / 1e6
const OPEN_SECONDS = OPEN_MICROS / 1e6
const CALL_SECONDS = CALL_MICROS / 1e6

describe('runs in time', () => {
  it.each([0.5, 2000, 2_000_000])('with %d messages a market second, in order', density => {
    const count = 200_000
    const market = marketOf({ density })
    let before = START
    forEachMessage(market, count, ({ columns, row }) => {
      const time = columns.exchangeTimestamps[row]
      if (time < before || columns.ingestionTimestamps[row] <= time) expect.fail(`${time} after ${before}`)
      before = time
    })
    expect((marketMicros(market) - START) / 1e6 / (count / density)).toBeCloseTo(1, 1)
  })

  it('makes only the messages that are due', () => {
    const market = marketOf({ density: 1000 })
    const columns = createMessageColumns(5000)
    const until = START + 2e6
    expect(fillMessages(market, columns, until) / 2000).toBeCloseTo(1, 0)
    expect(columns.exchangeTimestamps[columns.count - 1]).toBeLessThanOrEqual(until)
    expect(nextMessageMicros(market)).toBeGreaterThan(until)
    expect(fillMessages(market, columns, until)).toBe(0)
  })

  it('skips ahead without making up what it missed, and never goes back', () => {
    const market = marketOf({ density: 1000 })
    skipTo(market, START + 3600e6)
    skipTo(market, START)
    const columns = createMessageColumns(5000)
    expect(fillMessages(market, columns, START + 3601e6)).toBeLessThan(1500)
    expect(columns.exchangeTimestamps[0]).toBeGreaterThanOrEqual(START + 3600e6)
  })

  it('does not sit out a long wait when it is told to hurry', () => {
    const market = marketOf({ density: 0.001 })
    setDensity(market.arrivals, 1000)
    expect(nextMessageMicros(market) - START).toBeLessThan(10_000)
  })

  it('moves prices by the time that passes, not by the messages that are sent', () => {
    const spread = (density: number) => {
      const mids: number[] = []
      for (let seed = 1; seed <= 20; seed++) {
        const market = marketOf({ density, seed })
        const book = market.books[0]
        const before = book.fair
        fillMessages(market, createMessageColumns(density * 10), START + 10e6)
        mids.push(book.fair / before - 1)
      }
      return Math.sqrt(mids.reduce((sum, move) => sum + move * move, 0) / mids.length)
    }
    expect(spread(5000) / spread(100)).toBeGreaterThan(0.3)
    expect(spread(5000) / spread(100)).toBeLessThan(3)
  })
})

describe('has days', () => {
  const counts = { equities: new Float64Array(10), crypto: new Float64Array(10) }
  const volume = new Float64Array(10)
  const auctions = { opening: new Map<string, number>(), closing: new Map<string, number>() }
  const afterClose = { trades: 0, quotes: 0, crypto: 0 }

  beforeAll(() => {
    forEachMessage(marketOf({ density: 300 }), 300 * DAY_SECONDS * 1.02, message => {
      const { instrument, isTrade, seconds, columns, row } = message
      if (seconds >= DAY_SECONDS) return
      const kind = instrument.assetClass as 'equities' | 'crypto'
      const conditions = columns.conditions[row]
      const tenth = Math.floor((seconds / OPEN_SECONDS) * 10)
      if (tenth < 10) counts[kind][tenth]++
      if (tenth < 10 && isTrade && kind === 'equities' && conditions === null) volume[tenth] += columns.quantities[row]
      if (isTrade && conditions !== null) {
        const prints = conditions === OPENING_AUCTION ? auctions.opening : auctions.closing
        if (prints.has(instrument.symbol)) expect.fail(`${instrument.symbol} has two auctions of a kind`)
        prints.set(instrument.symbol, seconds)
      }
      if (seconds < OPEN_SECONDS) return
      if (kind === 'crypto') afterClose.crypto++
      else if (!isTrade) afterClose.quotes++
      else if (conditions !== CLOSING_AUCTION) afterClose.trades++
    })
  })
  const shares = instruments.filter(({ assetClass }) => assetClass === 'equities').map(({ symbol }) => symbol)

  it('that open with an auction in every share, its first print', () => {
    expect([...auctions.opening.keys()].sort()).toEqual([...shares].sort())
    expect(Math.max(...auctions.opening.values())).toBeLessThan(OPEN_SECONDS / 10)
  })

  it('that close with an auction after a call without trades', () => {
    const times = [...auctions.closing.values()]
    expect(times.length).toBeGreaterThan(shares.length * 0.8)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(OPEN_SECONDS + CALL_SECONDS)
    expect(afterClose.trades).toBe(0)
    expect(afterClose.quotes).toBeGreaterThan(100)
  })

  it('with more volume at open and close than in the middle', () => {
    const middle = (volume[4] + volume[5]) / 2
    expect(volume[0] / middle).toBeGreaterThan(2)
    expect(volume[9] / middle).toBeGreaterThan(2)
    expect(counts.equities[0] / counts.equities[5]).toBeGreaterThan(1.2)
  })

  it('that crypto does not know', () => {
    expect(afterClose.crypto).toBeGreaterThan(100)
    expect(Math.min(...counts.crypto)).toBeGreaterThan(Math.max(...counts.crypto) / 4)
  })

  it('one after the other', () => {
    const market = marketOf({ density: 300 })
    skipTo(market, START + 7.2e9 - 20e6)
    const openings: number[] = []
    forEachMessage(market, 12_000, ({ isTrade, seconds, columns, row }) => {
      if (isTrade && columns.conditions[row] === OPENING_AUCTION && seconds > 7200) openings.push(seconds)
    })
    expect(openings.length).toBeGreaterThan(shares.length * 0.8)
  })
})

describe('is lively', () => {
  it('trades at least 40 symbols on two venues, a few of them much more than the rest', () => {
    const counts = new Map<string, number>()
    forEachMessage(marketOf(), 200_000, ({ instrument }) => {
      counts.set(instrument.symbol, (counts.get(instrument.symbol) ?? 0) + 1)
    })
    expect(counts.size).toBe(instruments.length)
    expect(instruments.length).toBeGreaterThanOrEqual(40)
    expect(new Set(instruments.map(({ exchange }) => exchange))).toEqual(new Set(['ASX', 'BINANCE']))
    const of = (symbol: string) => counts.get(symbol)!
    expect(of('BHP') / of('CBA')).toBeGreaterThan(1.4)
    expect(of('BHP') / of('IMU')).toBeGreaterThan(15)
    expect(of('BTCUSDT') / of('FILUSDT')).toBeGreaterThan(8)
  })

  it('has bursts, in which even a quiet symbol has most of the messages and time runs faster', () => {
    const window = 40
    const recent: string[] = []
    const times: number[] = []
    let bursts = 0
    let fastest = Infinity
    forEachMessage(marketOf({ density: 1000 }), 100_000, ({ instrument, seconds }) => {
      recent.push(instrument.symbol)
      times.push(seconds)
      if (recent.length < window) return
      if (recent.filter(symbol => symbol === 'QAN').length > window / 2) {
        bursts++
        fastest = Math.min(fastest, seconds - times[times.length - window])
      }
      recent.shift()
    })
    expect(bursts).toBeGreaterThan(0)
    expect(fastest).toBeLessThan((window / 1000) * 0.5)
  })

  it('still has believable prices after a week', () => {
    const market = marketOf({ density: 1 })
    forEachMessage(market, 600_000, ({ instrument, isTrade, columns, row }) => {
      if (isTrade && Math.abs(columns.prices[row] / instrument.price - 1) > 0.35)
        expect.fail(`${instrument.symbol} at ${columns.prices[row]}`)
    })
  })
})
