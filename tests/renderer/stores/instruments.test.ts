// What is known of each instrument, learnt from trades and quotes as they pass.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Column } from '../../../src/contract/columns.ts'
import { countIn, countTimes, createDensity } from '../../../src/renderer/stores/density.ts'
import { createInstruments, decimalsNeeded, DOWN, takeTrade, UP } from '../../../src/renderer/stores/instruments.ts'
import { learnTick } from '../../../src/renderer/stores/quotes.ts'
import { orderSymbols } from '../../../src/renderer/panes/symbols/order-symbols.ts'

const prices = (values: number[] | bigint[], scale: number): Column => ({
  type: 'decimal',
  scale,
  values:
    typeof values[0] === 'bigint' ? BigInt64Array.from(values as bigint[]) : Float64Array.from(values as number[]),
})

describe('an instrument', () => {
  it('goes up and down by its own trades, and keeps its direction while the price stays', () => {
    const bhp = createInstruments().find('BHP', 'ASX')
    const price = prices([3618, 3619, 3619, 3617], 2)
    expect([0, 1, 2, 3].map(row => takeTrade(bhp, price, row, row))).toEqual([0, UP, 0, DOWN])
    expect(bhp).toMatchObject({ last: 3617, lastScale: 2, direction: DOWN, decimals: 2 })
  })

  it('compares prices that come with different scales', () => {
    const bhp = createInstruments().find('BHP', 'ASX')
    takeTrade(bhp, prices([3618], 2), 0, 0)
    expect(takeTrade(bhp, prices([36_185], 3), 0, 0)).toBe(UP)
    expect(takeTrade(bhp, prices([3_618_000_000n], 8), 0, 0)).toBe(DOWN)
  })

  it('shows as many decimals as its prices have needed so far', () => {
    const bhp = createInstruments().find('BHP', 'ASX')
    const price = prices([3_600_000_000, 3_618_000_000, 3_618_500_000, 3_600_000_000], 8)
    expect([0, 1, 2, 3].map(row => (takeTrade(bhp, price, row, 0), bhp.decimals))).toEqual([0, 2, 3, 3])
  })

  it('is one by symbol and exchange', () => {
    const instruments = createInstruments()
    expect(instruments.find('BHP', 'ASX')).toBe(instruments.named('BHP.ASX'))
    expect(instruments.find('BHP', 'LSE').name).toBe('BHP.LSE')
    expect(instruments.all).toHaveLength(2)
  })

  it('is as active as it trades, smoothed', () => {
    const instruments = createInstruments()
    const bhp = instruments.find('BHP', 'ASX')
    for (let second = 0; second < 20; second++) {
      bhp.trades += 50
      instruments.measureActivity(1000)
    }
    expect(bhp.tradesPerSecond).toBeCloseTo(50, 0)
    instruments.measureActivity(30_000)
    expect(bhp.tradesPerSecond).toBeLessThan(0.01)
  })
})

it('needs as many decimals as the number has, whatever its size', () => {
  expect(decimalsNeeded(3_618_500_000, 8, 2)).toBe(3)
  expect(decimalsNeeded(3_618_500_000n, 8, 0)).toBe(3)
  expect(decimalsNeeded(0, 8, 0)).toBe(0)
  expect(decimalsNeeded(5, 0, 2)).toBe(2)
})

describe('a tick', () => {
  it('is the step that all quotes are multiples of', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 5, 10, 100),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 2 }),
        (tick, n) => {
          const known = { tick: 0, tickScale: 0 }
          for (const steps of [...n, 1]) learnTick(known, steps * tick * 100_000, 8)
          expect(known).toEqual({ tick: tick * 100_000, tickScale: 8 })
        },
      ),
    )
  })

  it('survives a change of scale', () => {
    const known = { tick: 0, tickScale: 0 }
    learnTick(known, 3618, 2)
    learnTick(known, 3_619_000_000, 8)
    expect(known.tick / 10 ** known.tickScale).toBeCloseTo(0.01)
  })
})

describe('the density of the last hour', () => {
  it('counts trades by second, in whatever order they come', () => {
    const density = createDensity()
    countTimes(density, [10.2e6, 12e6, 10.9e6, 11.5e6, 10e6], 5)
    expect([9, 10, 11, 12, 13].map(second => countIn(density, second))).toEqual([0, 3, 1, 1, 0])
    expect(density).toMatchObject({ edge: 12e6, since: 12 })
  })

  it('knows since when it has seen all, which a late trade does not change', () => {
    const density = createDensity()
    countTimes(density, [], 0)
    expect(density.since).toBe(Infinity)
    countTimes(density, [1000.5e6, 1002.5e6], 2)
    countTimes(density, [900e6, 1010e6], 2)
    expect(density).toMatchObject({ edge: 1010e6, since: 1002 })
    expect(countIn(density, 900)).toBe(1)
  })

  it('forgets what is older than it holds, and does not take it in again', () => {
    const density = createDensity()
    countTimes(density, [100e6, 3700e6, 100e6], 3)
    expect(countIn(density, 100)).toBe(0)
    expect(countIn(density, 3700)).toBe(1)
  })
})

describe('the order of symbols', () => {
  const instruments = createInstruments()
  const [rio, bhp, btc] = [
    instruments.find('RIO', 'ASX'),
    instruments.find('BHP', 'ASX'),
    instruments.find('BTC', 'BINANCE'),
  ]
  bhp.companyName = 'BHP Group Limited'
  const names = (filter: string, order: 'symbol' | 'activity') =>
    orderSymbols(instruments.all, filter, order).map(({ symbol }) => symbol)

  it('is by venue and symbol, or the busiest first', () => {
    Object.assign(rio, { tradesPerSecond: 2 })
    Object.assign(btc, { tradesPerSecond: 50 })
    expect(names('', 'symbol')).toEqual(['BHP', 'RIO', 'BTC'])
    expect(names('', 'activity')).toEqual(['BTC', 'RIO', 'BHP'])
  })

  it('finds by symbol, venue and company, every word', () => {
    expect(names('asx', 'symbol')).toEqual(['BHP', 'RIO'])
    expect(names('group bhp', 'symbol')).toEqual(['BHP'])
    expect(names('xyz', 'symbol')).toEqual([])
  })
})
