// What a tail keeps, what it lets go, and what it does with messages that are none.
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import type { LogBatch } from '../../../src/main/market/log-batch.ts'
import type { Undecodable } from '../../../src/main/tail/append.ts'
import { batchOf as asBatch, logBatch, messageOf, type SampleRow } from '../../support/market-messages.ts'
import { idsOf, manualClock, MINUTE, openTail, SECOND, START } from '../../support/tail.ts'

const trade = (id: number, changes: Partial<SampleRow> = {}): SampleRow => ({
  symbol: 'BHP',
  id,
  micros: START + id,
  ...changes,
})
const trades = (count: number, changes: Partial<SampleRow> = {}) =>
  logBatch(
    'trades',
    Array.from({ length: count }, (_, id) => trade(id, changes)),
  )
const bhp = { symbol: 'BHP', exchange: 'ASX', windowMinutes: 60, limit: 10_000 }

/** Any bytes as messages of one partition. */
function batchOf(messages: readonly Buffer[]): LogBatch {
  const ends = new Uint32Array(messages.length)
  messages.reduce((end, message, i) => (ends[i] = end + message.length), 0)
  const timestamps = new Float64Array(messages.length).fill(START)
  const place = { topic: 'market.equities.trades.asx', partition: 4, offset: 0 }
  return asBatch({ count: messages.length, values: Buffer.concat(messages), ends, timestamps }, place)
}

describe('a tail lets go of', () => {
  it('what the log took in longer ago than its minutes', () => {
    const clock = manualClock()
    const tail = openTail({ clock, minutes: 2 })
    for (let k = 0; k < 10; k++) {
      clock.micros = START + k * 30 * SECOND
      tail.append(logBatch('trades', [trade(k, { micros: clock.micros })], { offset: k }))
    }
    expect(idsOf(tail.recent(bhp))).toEqual([5, 6, 7, 8, 9])
    const { total, held, oldestMicros, newestMicros, places } = tail.counts()
    expect({ total, held }).toEqual({ total: 10, held: 5 })
    expect(newestMicros! - oldestMicros!).toBe(2 * MINUTE)
    const place = { topic: 'market.equities.trades.asx', partition: 0, firstOffset: 5, wholeFrom: 5, nextOffset: 10 }
    expect(places).toMatchObject([place])
  })

  it('that at least every ten seconds, also when nothing arrives and nobody asks', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const clock = manualClock()
    const tail = openTail({ clock, minutes: 1 })
    tail.append(trades(100))
    clock.micros += 2 * MINUTE
    expect(tail.counts().held).toBe(100)
    vi.advanceTimersByTime(10_000)
    expect(tail.counts()).toMatchObject({ held: 0, total: 100 })
    expect(tail.counts().newestMicros).toBeUndefined()
  })

  it('the rows of a symbol beyond its share, for every question', () => {
    const tail = openTail({ clock: manualClock(), maxPerSymbol: 30 })
    tail.append(trades(100))
    tail.append(trades(5, { symbol: 'RIO' }))
    expect(idsOf(tail.recent(bhp))).toEqual(Array.from({ length: 30 }, (_, i) => 70 + i))
    expect(tail.recent({ ...bhp, symbol: 'RIO' }).rowCount).toBe(5)
  })

  it('the oldest rows when its memory is full, again and again, and never takes more', () => {
    const maxMegabytes = 0.5
    const tail = openTail({ clock: manualClock(), maxMegabytes })
    for (let k = 0; k < 200; k++) {
      const rows = Array.from({ length: 100 }, (_, i) => trade(k * 100 + i))
      tail.append(logBatch('trades', rows, { offset: k * 100 }))
      expect(tail.counts().bytes).toBeLessThanOrEqual(maxMegabytes * 1024 * 1024)
    }
    const { held, total } = tail.counts()
    expect(total).toBe(20_000)
    expect(held).toBeGreaterThan(2000)
    const all = idsOf(tail.recent({ ...bhp, limit: 100_000 }))
    expect(all).toEqual(Array.from({ length: Math.min(held, 10_000) }, (_, i) => 20_000 - Math.min(held, 10_000) + i))
  })

  it('memory is bounded whatever the size of messages', () => {
    const sizes = fc.array(fc.oneof(fc.nat(200), fc.nat(20_000), fc.nat(300_000)), { minLength: 10, maxLength: 60 })
    const property = fc.property(sizes, all => {
      const tail = openTail({ clock: manualClock(), maxMegabytes: 1 })
      all.forEach((size, id) => tail.append(logBatch('trades', [trade(id, { conditions: ['x'.repeat(size)] })])))
      expect(tail.counts().bytes).toBeLessThanOrEqual(1024 * 1024)
      const newest = rowsOf(tail.recent({ ...bhp, limit: 1 }))[0]
      expect(newest.trade_conditions).toEqual(['x'.repeat(all.at(-1)!)])
    })
    fc.assert(property, { numRuns: 50 })
  })
})

describe('a tail counts', () => {
  it('what it has seen of every instrument, also when the rows are gone', () => {
    const clock = manualClock()
    const tail = openTail({ clock, minutes: 1 })
    tail.append(trades(3))
    tail.append(logBatch('trades', [trade(9, { symbol: 'BTCUSDT', exchange: 'binance', assetClass: 'crypto' })]))
    clock.micros += 2 * MINUTE
    tail.trim()
    expect(tail.symbols()).toEqual([
      { symbol: 'BHP', exchange: 'ASX', assetClass: 'equities', firstMicros: START, lastMicros: START + 2, count: 3 },
      {
        symbol: 'BTCUSDT',
        exchange: 'BINANCE',
        assetClass: 'crypto',
        firstMicros: START + 9,
        lastMicros: START + 9,
        count: 1,
      },
    ])
  })

  it('what comes in a second', () => {
    const clock = manualClock()
    const tail = openTail({ clock })
    for (let k = 0; k < 50; k++) {
      clock.micros += 0.1 * SECOND
      tail.append(trades(20))
    }
    expect(tail.counts().ratePerSecond).toBeCloseTo(200, -1)
  })
})

describe('messages that are none', () => {
  it('are told of with their place, and their neighbours go on', () => {
    const told: Undecodable[] = []
    const tail = openTail({ clock: manualClock(), onUndecodable: message => told.push(message) })
    const whole = [1, 2, 3].map(id => messageOf('trades', trade(id)))
    const quote = messageOf('quotes', trade(4))
    tail.append(
      batchOf([Buffer.from('{}'), whole[0], Buffer.alloc(0), whole[1], quote, whole[2].subarray(0, -1), whole[2]]),
    )
    expect(idsOf(tail.recent(bhp))).toEqual([1, 2, 3])
    expect(rowsOf(tail.recent(bhp)).map(({ _offset }) => _offset)).toEqual(['1', '3', '6'])
    const place = { topic: 'market.equities.trades.asx', partition: 4 }
    expect(told).toMatchObject([
      { ...place, offset: 0, reason: expect.stringContaining('wire format') as string },
      { ...place, offset: 2, reason: expect.stringContaining('wire format') as string },
      { ...place, offset: 4, reason: expect.stringContaining('field trade_id is not in it') as string },
      { ...place, offset: 5, reason: expect.stringMatching(/vendor_data|bytes/) as string },
    ])
    expect(tail.counts()).toMatchObject({ undecodable: 4, held: 3 })
  })

  it('are also those too large for the memory there is', () => {
    const told: Undecodable[] = []
    const tail = openTail({ clock: manualClock(), maxMegabytes: 0.1, onUndecodable: message => told.push(message) })
    const large = trade(2, { conditions: ['x'.repeat(60_000)] })
    tail.append(logBatch('trades', [trade(1), large, trade(3)]))
    expect(idsOf(tail.recent(bhp))).toEqual([1, 3])
    expect(told).toMatchObject([{ offset: 1, reason: expect.stringContaining("half of the tail's memory") as string }])
  })

  it('never stop a tail, ten thousand times damaged at random, nor cost a good one', () => {
    const good = messageOf('trades', trade(1, { conditions: ['XT'], vendorData: { venue: 'X' }, sequence: 5 }))
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 })
    const bad = fc.tuple(damage, fc.nat(good.length)).map(([bytes, size]) => {
      const message = Buffer.from(size % 4 === 0 ? good.subarray(0, size) : good)
      for (const [at, byte] of bytes) if (at < message.length) message[at] = byte
      return message
    })
    const tail = openTail({ clock: manualClock(), maxPerSymbol: 100_000 })
    let messages = 0
    const startedMs = performance.now()
    fc.assert(
      fc.property(fc.array(bad, { minLength: 100, maxLength: 100 }), damaged => {
        tail.append(batchOf(damaged.flatMap(message => [message, good])))
        messages += damaged.length
      }),
      { numRuns: 100, endOnFailure: true },
    )
    const { total, undecodable } = tail.counts()
    expect(total + undecodable).toBe(messages * 2)
    expect(undecodable).toBeGreaterThan(messages / 10)
    // What was accepted can be read in full, the good ones among it.
    const read = tail.symbols().map(({ symbol, exchange }) => tail.recent({ ...bhp, symbol, exchange, limit: 60_000 }))
    expect(read.flatMap(idsOf).filter(id => id === 1).length).toBeGreaterThanOrEqual(messages)
    expect(performance.now() - startedMs).toBeLessThan(10_000)
  })
})
