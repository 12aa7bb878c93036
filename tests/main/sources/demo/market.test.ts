// The simulated market repeats exactly, and its messages cohere.
import { describe, expect, it } from 'vitest'
import { SIDES } from '../../../../src/contract/tables.ts'
import { instruments } from '../../../../src/main/sources/demo/arrivals.ts'
import { tickAt } from '../../../../src/main/sources/demo/instruments.ts'
import { forEachMessage, hashMessages, marketOf, quoteAt, type Quote } from './messages.ts'

describe('repeats', () => {
  it('byte for byte with the same seed, start and density, however many messages are made at a time', () => {
    const expected = hashMessages(marketOf(), 20_000, 20_000)
    expect(Object.keys(expected)).toEqual([
      'market.equities.trades.asx',
      'market.crypto.trades.binance',
      'market.equities.quotes.asx',
      'market.crypto.quotes.binance',
    ])
    for (const atATime of [1, 7, 256]) expect(hashMessages(marketOf(), 20_000, atATime)).toEqual(expected)
  })

  it('on every machine: these are the hashes of the default seed', () => {
    expect(hashMessages(marketOf({ seed: 2026 }), 20_000, 256)).toMatchInlineSnapshot(`
      {
        "market.crypto.quotes.binance": [
          "5c2d88666612c878c9ebd62294e08e62484e0e865d12e90909cdeadb4261b844",
          "37b884d8113f039bd21ed4380def1079e86201f9de50aee19d621371dbfaf0df",
        ],
        "market.crypto.trades.binance": [
          "d1cd0b9c62ae1a989f1ba5213da9f68033a5bf640a759182db9a412a73f8da6d",
          "ad60db58cbed57cc4a5d4ab5405625f16c95fbfa41b2139073558b2017d009a5",
        ],
        "market.equities.quotes.asx": [
          "cf8cefb0fda420a9f08fc6857e5d9569c717d4a6c41db9bd3461988547ee08cb",
          "709e184df57c187f8439b11832ac3244a71315f34a56c6a691ce60dcef4189ec",
        ],
        "market.equities.trades.asx": [
          "35cb5ceb83ca5877845eba73eec3aa12e21bcac744d61e074c0b81818ff5b856",
          "e190d9c4d8e1b6c1606c1008ab810c5c202e4327f13eee34867f4f794e67fd4e",
        ],
      }
    `)
  })

  it('not with another seed', () => {
    expect(hashMessages(marketOf({ seed: 2 }), 1000, 1000)).not.toEqual(hashMessages(marketOf({ seed: 3 }), 1000, 1000))
  })
})

describe('coheres', () => {
  it('trades at or inside the quote in force, taking no more than it offered, auctions excepted', () => {
    let trades = 0
    let inside = 0
    forEachMessage(marketOf({ density: 500 }), 1_000_000, ({ isTrade, columns, row, inForce }) => {
      if (!isTrade || columns.conditions[row] !== null) return
      const { bid, ask, bidQuantity, askQuantity } = inForce!
      const price = columns.prices[row]
      const isBuy = SIDES[columns.sides[row]] === 'BUY'
      trades++
      if (price > bid && price < ask) inside++
      else if (
        isBuy
          ? price !== ask || columns.quantities[row] > askQuantity
          : price !== bid || columns.quantities[row] > bidQuantity
      )
        expect.fail(`a ${SIDES[columns.sides[row]]} at ${price} when ${bid} × ${ask} was quoted`)
    })
    expect(trades).toBeGreaterThan(200_000)
    expect(inside / trades).toBeGreaterThan(0.005)
    expect(inside / trades).toBeLessThan(0.1)
  })

  it('takes from one quote no more than it offered on a side, over all trades until the next', () => {
    const taken = new Map<string, number>()
    forEachMessage(marketOf({ density: 500 }), 300_000, ({ instrument, isTrade, columns, row, inForce }) => {
      const keys = { BUY: `${instrument.symbol} ask`, SELL: `${instrument.symbol} bid` }
      if (!isTrade) for (const key of Object.values(keys)) taken.delete(key)
      else if (columns.conditions[row] === null && [inForce!.bid, inForce!.ask].includes(columns.prices[row])) {
        const isBuy = columns.prices[row] === inForce!.ask
        const key = isBuy ? keys.BUY : keys.SELL
        const sum = (taken.get(key) ?? 0) + columns.quantities[row]
        taken.set(key, sum)
        if (sum > (isBuy ? inForce!.askQuantity : inForce!.bidQuantity)) expect.fail(`${key} gave ${sum}`)
      }
    })
  })

  it('never crosses a quote, and leaves a side empty only now and then', () => {
    let quotes = 0
    let oneSided = 0
    forEachMessage(marketOf(), 1_000_000, ({ isTrade, columns, row }) => {
      if (isTrade) return
      const { bid, ask, bidQuantity, askQuantity } = quoteAt(columns, row)
      quotes++
      if (Number.isNaN(bid) || Number.isNaN(ask)) oneSided++
      else if (bid >= ask) expect.fail(`${bid} × ${ask}`)
      if (Number.isNaN(bid) !== Number.isNaN(bidQuantity) || Number.isNaN(ask) !== Number.isNaN(askQuantity))
        expect.fail('a price without its quantity')
    })
    expect(oneSided).toBeGreaterThan(0)
    expect(oneSided / quotes).toBeLessThan(0.01)
  })

  it('quotes again only when something has changed', () => {
    let repeats = 0
    let quotes = 0
    forEachMessage(marketOf({ density: 500 }), 300_000, ({ isTrade, columns, row, inForce }) => {
      if (isTrade) return
      quotes++
      const next = quoteAt(columns, row)
      if (inForce && (Object.keys(next) as (keyof Quote)[]).every(key => Object.is(next[key], inForce[key]))) repeats++
    })
    expect(repeats / quotes).toBeLessThan(0.005)
  })

  it('keeps to the ticks and lots of each venue, in numbers that are exact', () => {
    const isMultiple = (value: number, of: number) => Number.isSafeInteger(value) && value > 0 && value % of === 0
    forEachMessage(marketOf({ density: 20 }), 200_000, ({ instrument, isTrade, columns, row }) => {
      const { bid, ask, bidQuantity, askQuantity } = quoteAt(columns, row)
      const prices = isTrade ? [columns.prices[row]] : [bid, ask]
      const quantities = isTrade ? [columns.quantities[row]] : [bidQuantity, askQuantity]
      for (const price of prices)
        if (!Number.isNaN(price) && !isMultiple(price, tickAt(instrument, price)))
          expect.fail(`${instrument.symbol} at ${price}`)
      for (const quantity of quantities)
        if (!Number.isNaN(quantity) && !isMultiple(quantity, instrument.lot))
          expect.fail(`${quantity} of ${instrument.symbol}`)
    })
  })

  it.each([
    [0.045, 0.001],
    [0.1, 0.005],
    [1.995, 0.005],
    [2, 0.01],
    [300, 0.01],
  ])('has a tick of the ASX: at %d it is %d', (price, tick) => {
    const bhp = instruments.find(({ symbol }) => symbol === 'BHP')!
    expect(tickAt(bhp, Math.round(price * 1e8))).toBe(Math.round(tick * 1e8))
  })

  it('makes one trade to about three quotes, and buys about as often as it sells', () => {
    const counts = { trades: 0, quotes: 0, BUY: 0, SELL: 0, UNKNOWN: 0, SELL_SHORT: 0 }
    forEachMessage(marketOf(), 500_000, ({ isTrade, columns, row }) => {
      counts[isTrade ? 'trades' : 'quotes']++
      if (isTrade) counts[SIDES[columns.sides[row]]]++
    })
    expect(counts.quotes / counts.trades).toBeGreaterThan(2.5)
    expect(counts.quotes / counts.trades).toBeLessThan(3.6)
    expect(counts.BUY / counts.SELL).toBeGreaterThan(0.9)
    expect(counts.BUY / counts.SELL).toBeLessThan(1.1)
    expect(counts.UNKNOWN).toBeLessThan(100)
  })

  it('numbers the messages of each symbol and kind upwards, leaving some out about once in 50,000', () => {
    const last = new Map<string, { sequence: number; id: number }>()
    let gaps = 0
    forEachMessage(marketOf(), 1_000_000, ({ instrument, isTrade, columns, row }) => {
      const key = `${instrument.symbol} ${isTrade}`
      const before = last.get(key) ?? { sequence: 0, id: columns.ids[row] - 1 }
      const sequence = columns.sourceSequences[row]
      if (sequence <= before.sequence || sequence > before.sequence + 4)
        expect.fail(`${key}: ${sequence} after ${before.sequence}`)
      if (columns.ids[row] !== before.id + 1) expect.fail(`${key}: id ${columns.ids[row]} after ${before.id}`)
      if (sequence !== before.sequence + 1) gaps++
      last.set(key, { sequence, id: columns.ids[row] })
    })
    expect(gaps).toBeGreaterThan(10)
    expect(gaps).toBeLessThan(40)
  })
})
