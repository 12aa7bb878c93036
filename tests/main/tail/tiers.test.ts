// Which symbols matter most, over real tails: a follower that is given the least tells the tier of what it is not given.
import { describe, expect, it, onTestFinished } from 'vitest'
import type { TailTable } from '../../../src/contract/tables.ts'
import { createEmbeddedLog } from '../../../src/main/log/embedded.ts'
import { tailHandlers } from '../../../src/main/tail/handlers.ts'
import type { SymbolTiers } from '../../../src/main/tail/tiers.ts'
import { logBatch, type SampleRow } from '../../support/market-messages.ts'
import { manualClock, MINUTE, SECOND, START } from '../../support/tail.ts'

const HOUR = 60 * MINUTE
const YEAR = 365 * 24 * HOUR
const SYMBOLS = ['BHP', 'RIO', 'CBA']

/** Four tiers, of one instrument each but the last; that of an instrument is known once it has two rows. */
function openTails(tiers: SymbolTiers = { by: 'volume', sizes: [1, 2, 3] }) {
  const clock = manualClock()
  const log = createEmbeddedLog({ maxBytes: 1e6 })
  const shed: number[] = []
  const engine = tailHandlers({
    ...{ log, clock, tiers, settings: { minutes: 5, maxPerSymbol: 100, maxMb: 16 } },
    ...{ logger: { info: () => {}, warn: () => {} }, level: () => 4, onShed: ({ tier }) => void shed.push(tier) },
  })
  onTestFinished(async () => {
    await engine.close()
    await log.close()
  })
  let id = 0
  function append(table: TailTable, rows: readonly Omit<SampleRow, 'micros'>[], micros = clock.micros) {
    const numbered = rows.map((row, i) => ({ micros, logMicros: clock.micros, id: id + i, ...row }))
    engine.tails[table].append(logBatch(table, numbered, { offset: id }))
    id += rows.length
  }
  function trade(symbol: string, quantities: readonly number[], micros?: number) {
    const rows = quantities.map(quantity => ({ symbol, quantity }))
    append('trades', rows, micros)
  }
  /** Two of each symbol, of these quantities. */
  function tradeEach(quantities: readonly number[]) {
    SYMBOLS.forEach((symbol, i) => trade(symbol, [quantities[i], quantities[i]]))
  }
  function quote(symbol: string, count: number, exchange = 'ASX') {
    append('quotes', new Array<Omit<SampleRow, 'micros'>>(count).fill({ symbol, exchange }))
  }
  async function tierOf(table: TailTable, symbol: string, exchange = 'ASX'): Promise<number | undefined> {
    const abort = new AbortController()
    const query = { symbols: [symbol], exchange, backlog: 2 }
    await engine.tails[table].follow(query, abort.signal)[Symbol.asyncIterator]().next()
    return shed.pop()
  }
  async function tradesTiers() {
    const found: (number | undefined)[] = []
    for (const symbol of SYMBOLS) found.push(await tierOf('trades', symbol))
    return found
  }
  return { clock, trade, tradeEach, quote, tierOf, tradesTiers }
}

describe('tiers by volume', () => {
  it('put few large trades before many small ones, and are ranked anew every ten seconds', async () => {
    const { clock, trade, tradesTiers } = openTails()
    trade('BHP', [1, 1, 1, 1, 1])
    trade('RIO', [10, 10])
    trade('CBA', [2, 2, 2])
    expect(await tradesTiers()).toEqual([3, 1, 2])
    trade('BHP', [100])
    clock.micros += 10 * SECOND - 1000
    expect(await tradesTiers()).toEqual([3, 1, 2])
    clock.micros += 1000
    expect(await tradesTiers()).toEqual([1, 2, 3])
  })

  it('forget what was traded more than a day ago', async () => {
    const { clock, trade, tradeEach, tradesTiers } = openTails()
    trade('BHP', [500, 500])
    clock.micros += HOUR
    trade('RIO', [100, 100])
    clock.micros += 22 * HOUR
    tradeEach([1, 2, 3])
    expect(await tradesTiers()).toEqual([1, 2, 3])
    clock.micros += HOUR
    tradeEach([1, 2, 3])
    expect(await tradesTiers()).toEqual([3, 1, 2])
    clock.micros += HOUR
    tradeEach([1, 2, 3])
    expect(await tradesTiers()).toEqual([3, 2, 1])
  })

  it('forget it too where nothing came for days', async () => {
    const { clock, tradeEach, tradesTiers } = openTails()
    tradeEach([500, 0, 0])
    clock.micros += 48 * HOUR
    tradeEach([1, 2, 3])
    expect(await tradesTiers()).toEqual([3, 2, 1])
  })

  it('count a row that is late, or of a time to come, when it came and no longer', async () => {
    const { clock, trade, tradeEach, tradesTiers } = openTails()
    trade('BHP', [300, 300])
    trade('RIO', [400, 400], START - YEAR)
    trade('CBA', [500, 500], START + 100 * YEAR)
    expect(await tradesTiers()).toEqual([3, 2, 1])
    clock.micros += 24 * HOUR
    tradeEach([3, 2, 1])
    expect(await tradesTiers()).toEqual([1, 2, 3])
  })

  it('have the rest behind, by the messages held', async () => {
    const { trade, tradesTiers } = openTails()
    trade('BHP', [0, 0])
    trade('RIO', [0, 0, 0])
    trade('CBA', [1, 1])
    expect(await tradesTiers()).toEqual([3, 2, 1])
  })

  it('are those of the trades for quotes, at the same exchange, and what was not traded stands behind', async () => {
    const { trade, quote, tierOf } = openTails()
    trade('CBA', [300, 300])
    trade('BHP', [200, 200])
    quote('WES', 9)
    quote('BHP', 5, 'CXA')
    quote('BHP', 2)
    expect(await tierOf('trades', 'BHP')).toBe(2)
    expect(await tierOf('quotes', 'BHP')).toBe(2)
    expect(await tierOf('quotes', 'WES')).toBe(3)
    expect(await tierOf('quotes', 'BHP', 'CXA')).toBe(4)
  })
})

it('tiers by list are what the lists say, the first one counts, and all others are the last', async () => {
  const { tradeEach, tradesTiers } = openTails({ by: 'list', tiers: [['BHP'], ['RIO', 'BHP']] })
  tradeEach([1, 2, 3])
  expect(await tradesTiers()).toEqual([1, 2, 3])
})
