import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { asofContract } from '../../../../src/contract/asof.ts'
import { rowsOf, timestampText } from '../../../../src/contract/columns.ts'
import { systemClock } from '../../../../src/main/base/clock.ts'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { asofHandlers } from '../../../../src/main/query/asof/handlers.ts'
import { dropStale, inForce } from '../../../../src/main/query/asof/in-force.ts'
import { createBlocks } from '../../../../src/main/query/blocks/blocks.ts'
import { createCursors } from '../../../../src/main/query/cursor.ts'
import { tagSnapshot } from '../../../../src/main/lake/travel/tag-snapshot.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import { ONLY_HEAD } from '../../../support/failing-operations.ts'
import { append, tempLake } from '../../../support/lake.ts'
import { noSession, queryParts } from '../../../support/query.ts'
import { quoteRows, tradeRows, type QuoteRow, type TradeRow } from '../../../support/rows.ts'

type Input = z.input<(typeof asofContract)['asof.join']['input']>

async function openAsof(lake: Lake, clock = systemClock) {
  const { reads, pool } = await queryParts(lake)
  const live = () => Promise.reject(new Error('no live view here'))
  const handlers = asofHandlers(
    { reads, pool, live, clock },
    createBlocks({ reads, pool, maxBytes: 64e6 }),
    createCursors(Buffer.alloc(32, 7), 'asof'),
    noSession,
  )
  const context = { signal: new AbortController().signal, correlationId: 'test', door: 'direct' } as const
  const ask = async (input: Input) => handlers['asof.join'](asofContract['asof.join'].input.parse(input), context)
  const join = async (input: Partial<Input> = {}) => rowsOf((await ask({ symbol: 'BHP', ...input })).data)
  return { ask, join }
}

const at = (time: string) => Date.parse(`2026-03-10T${time}Z`) * 1000
const trade = (time: string, price: string, more: Partial<TradeRow> = {}): TradeRow => ({
  micros: at(time),
  price,
  quantity: '1',
  ...more,
})
const quote = (time: string, bid: string | null, ask: string | null, more: Partial<QuoteRow> = {}): QuoteRow => ({
  micros: at(time),
  bid,
  ask,
  ...more,
})

async function fill(lake: Lake, trades: readonly TradeRow[], quotes: readonly QuoteRow[]) {
  await append(lake, tradeRows(trades))
  if (quotes.length > 0) await append(lake, quoteRows(quotes), { table: 'quotes' })
}

async function openAsofOf(trades: readonly TradeRow[], quotes: readonly QuoteRow[]) {
  const lake = await tempLake()
  await fill(lake, trades, quotes)
  return { lake, ...(await openAsof(lake)) }
}

describe('a trade and the quote in force', () => {
  it('is the last quote at or before it, of the same moment the last in the total order; strict only before', async () => {
    const lake = await tempLake()
    const { join } = await openAsof(lake)
    await fill(
      lake,
      [trade('01:00:00', '10'), trade('01:00:01', '10'), trade('01:00:02', '10')],
      [
        quote('01:00:01', '1', '2', { sequence: 2 }),
        quote('01:00:01', '3', '4', { sequence: 1 }),
        quote('01:00:01.5', '5', '6'),
      ],
    )
    const told = async (input: Partial<Input>) => (await join(input)).map(row => [row.bid_price, row.mid_price])
    expect(await told({})).toEqual([
      [null, null],
      ['1', '1.5'],
      ['5', '5.5'],
    ])
    expect(await told({ strict: true })).toEqual([
      [null, null],
      [null, null],
      ['5', '5.5'],
    ])
  })

  it('has no quote on a side that is null, though there was one before', async () => {
    const lake = await tempLake()
    const { join } = await openAsof(lake)
    await fill(lake, [trade('01:00:02', '10')], [quote('01:00:00', '9', '11'), quote('01:00:01', '9', null)])
    expect(await join()).toMatchObject([
      {
        bid_price: '9',
        ask_price: null,
        ask_quantity: null,
        mid_price: null,
        quote_timestamp: timestampText(at('01:00:01')),
      },
    ])
  })

  it('has one from before the range, however long ago, but none that is older than the tolerance', async () => {
    const lake = await tempLake()
    const { join } = await openAsof(lake)
    await fill(lake, [trade('05:00:00', '10'), trade('05:00:01', '10')], [quote('00:00:00', '9', '11')])
    const range = { start_time: '2026-03-10T05:00:00Z' }
    expect(await join(range)).toMatchObject([{ bid_price: '9' }, { bid_price: '9' }])
    expect(await join({ ...range, tolerance_ms: 18_000_000 })).toMatchObject([{ bid_price: '9' }, { bid_price: null }])
  })

  it("is told with the middle so long after it, and what that was in the aggressor's favour", async () => {
    const lake = await tempLake()
    const { join } = await openAsof(lake)
    const batch = tradeRows([
      trade('01:00:00', '10'),
      trade('01:00:00', '10', { sequence: 1 }),
      trade('01:00:09', '10'),
    ])
    const side = { type: 'enum', words: ['BUY', 'SELL', 'UNKNOWN'], values: Uint8Array.of(1, 0, 2) } as const
    await append(lake, { ...batch, columns: { ...batch.columns, side } })
    await append(lake, quoteRows([quote('01:00:00', '9', '11'), quote('01:00:01', '10', '12.5')]), { table: 'quotes' })
    const rows = await join({ horizons_ms: [500, 1000], end_time: '2026-03-10T01:00:01Z' })
    expect(rows.map(row => [row.side, row.mids, row.markouts])).toEqual([
      ['BUY', { '500': '10', '1000': '11.25' }, { '500': '0', '1000': '1.25' }],
      ['SELL', { '500': '10', '1000': '11.25' }, { '500': '0', '1000': '-1.25' }],
    ])
    expect((await join({ horizons_ms: [0] })).at(-1)).toMatchObject({
      side: 'UNKNOWN',
      mids: { '0': '11.25' },
      markouts: {},
    })
  })

  it('is told with the trades around it, also those beyond the range', async () => {
    const lake = await tempLake()
    const { join } = await openAsof(lake)
    const trades = [
      trade('01:00:00', '10', { quantity: '1' }),
      trade('01:00:01', '20', { quantity: '2' }),
      trade('01:00:02', '30', { quantity: '3' }),
      trade('01:00:03.001', '99', { quantity: '9' }),
    ]
    await fill(lake, trades, [])
    const range = { start_time: '2026-03-10T01:00:01Z', end_time: '2026-03-10T01:00:03Z' }
    const rows = await join({ ...range, window_before_ms: 1000, window_after_ms: 1000 })
    expect(rows.map(row => [row.window_trade_count, row.window_volume, row.window_vwap])).toEqual([
      [3, '6', '23.33333333'],
      [2, '5', '26'],
    ])
    expect(await join(range)).toMatchObject([{ window_volume: null, bid_price: null }, { window_volume: null }])
  })

  it('is among the newest of all instruments asked for, oldest first', async () => {
    const lake = await tempLake()
    const { ask } = await openAsof(lake)
    await fill(
      lake,
      [
        trade('01:00:00', '1'),
        trade('01:00:01', '2', { symbol: 'RIO' }),
        trade('01:00:02', '3'),
        trade('01:00:03', '4'),
      ],
      [quote('00:59:00', '1', '2', { symbol: 'RIO' })],
    )
    const { data, pagination } = await ask({ symbols: ['RIO', 'BHP', 'NONE'], limit: 3 })
    expect(rowsOf(data).map(row => [row.symbol, row.price, row.bid_price])).toEqual([
      ['RIO', '2', '1'],
      ['BHP', '3', null],
      ['BHP', '4', null],
    ])
    expect(pagination).toMatchObject({ limit: 3, has_more: true })
    await expect(ask({ symbol: 'BHP', symbols: ['RIO'] })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('is as both tables were at a snapshot of trades', async () => {
    const lake = await tempLake()
    const { join } = await openAsof(lake)
    const early = await append(lake, tradeRows([trade('01:00:00', '10')]))
    await append(lake, quoteRows([quote('00:59:00', '9', '11')]), { table: 'quotes' })
    expect(await join()).toMatchObject([{ bid_price: '9' }])
    expect(await join({ snapshot_id: early.snapshotId })).toMatchObject([{ price: '10', bid_price: null }])
  })

  it('takes a tag of trades for the moment of its commit', async () => {
    const lake = await tempLake()
    const { join } = await openAsof(lake)
    await append(lake, quoteRows([quote('00:59:00', '9', '11')]), { table: 'quotes' })
    const { snapshotId } = await append(lake, tradeRows([trade('01:00:00', '10')]))
    await tagSnapshot(lake.table('trades'), 'eod', snapshotId)
    await append(lake, quoteRows([quote('00:59:30', '8', '12')]), { table: 'quotes' })
    expect(await join({ snapshot_id: 'eod' })).toMatchObject([{ price: '10', bid_price: '9' }])
    expect(await join()).toMatchObject([{ price: '10', bid_price: '8' }])
  })

  it('refuses a moment of which the quotes have expired, instead of telling that there were none', async () => {
    const lake = await tempLake()
    const { join } = await openAsof(lake)
    await append(lake, quoteRows([quote('00:59:00', '9', '11')]), { table: 'quotes' })
    const { snapshotId } = await append(lake, tradeRows([trade('01:00:00', '10')]))
    await append(lake, quoteRows([quote('00:59:30', '8', '12')]), { table: 'quotes' })
    await expireSnapshots(lake.table('quotes'), { retention: ONLY_HEAD })
    await expect(join({ snapshot_id: snapshotId })).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
  })

  it('knows of a past state no quote from after its commit', async () => {
    const lake = await tempLake()
    const nowMicros = Date.now() * 1000
    const { join } = await openAsof(lake, { ...systemClock, nowMicros: () => nowMicros + 7200e6 })
    await append(lake, quoteRows([{ ...quote('00:59:00', '9', '11'), micros: nowMicros - 60e6 }]), { table: 'quotes' })
    const { snapshotId } = await append(lake, tradeRows([{ ...trade('01:00:00', '10'), micros: nowMicros - 5e6 }]))
    const asked = { horizons_ms: [500, 3_600_000] }
    expect(await join(asked)).toMatchObject([{ mids: { '500': '10', '3600000': '10' } }])
    const [then] = await join({ ...asked, snapshot_id: snapshotId })
    expect(then.mids).toEqual({ '500': '10' })
  })

  it('equals a naive join for any trades, quotes and pieces', { timeout: 60_000 }, async () => {
    const time = fc.integer({ min: 0, max: 40 })
    const price = fc.option(fc.integer({ min: 1, max: 500 }), { freq: 4 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(time, { minLength: 1, maxLength: 30 }),
        fc.array(fc.record({ time, bid: price, ask: price }), { minLength: 1, maxLength: 30 }),
        fc.boolean(),
        fc.option(fc.nat(20), { nil: undefined }),
        async (tradeTimes, quoted, strict, tolerance) => {
          const lake = await tempLake()
          const { join } = await openAsof(lake)
          const second = (n: number) => at('01:00:00') + n * 1e6
          const text = (value: number | null) => (value === null ? null : String(value))
          const quotes = quoted.map((one, sequence) => ({ ...one, sequence })).sort((a, b) => a.time - b.time)
          await fill(
            lake,
            tradeTimes.map((n, sequence) => ({ micros: second(n), price: '1', quantity: '1', sequence })),
            quotes.map(one => ({
              micros: second(one.time),
              bid: text(one.bid),
              ask: text(one.ask),
              sequence: one.sequence,
            })),
          )
          const rows = await join({ strict, ...(tolerance !== undefined && { tolerance_ms: tolerance * 1000 }) })
          const expected = tradeTimes
            .map((n, sequence) => ({ n, sequence }))
            .sort((a, b) => a.n - b.n || a.sequence - b.sequence)
            .map(({ n }) => {
              const found = quotes.findLast(one => (strict ? one.time < n : one.time <= n))
              const isFresh = found && (tolerance === undefined || n - found.time <= tolerance)
              return isFresh
                ? [timestampText(second(found.time)), text(found.bid), text(found.ask)]
                : [null, null, null]
            })
          expect(rows.map(row => [row.quote_timestamp, row.bid_price, row.ask_price])).toEqual(expected)
        },
      ),
      { numRuns: 12 },
    )
  })
})

describe('pages', () => {
  it('give what one large answer gives, also where moments tie and both tables go on meanwhile', async () => {
    const times = ['01:00:00', '01:00:01', '01:00:01', '01:00:01', '01:00:01', '01:00:02', '01:00:03']
    const trades = ['BHP', 'CBA'].flatMap(symbol =>
      times.map((time, sequence) => trade(time, '10', { symbol, sequence })),
    )
    const quotes = [quote('00:59:59', '1', '2'), quote('01:00:02', '3', '4', { symbol: 'CBA' })]
    const { ask } = await openAsofOf(trades, quotes)
    const asked = { symbols: ['BHP', 'CBA'], horizons_ms: [500], window_before_ms: 1_000 }
    const whole = rowsOf((await ask(asked)).data)
    expect(whole).toHaveLength(14)
    for (const limit of [2, 5]) {
      const fresh = await openAsofOf(trades, quotes)
      const walked: object[] = []
      let cursor: string | undefined
      do {
        const { data, pagination } = await fresh.ask({ ...asked, limit, cursor })
        walked.unshift(...rowsOf(data))
        cursor = pagination!.next_cursor ?? undefined
        if (walked.length === limit) await fill(fresh.lake, [trade('01:00:01', '99')], [quote('01:00:00.5', '7', '8')])
      } while (cursor !== undefined)
      expect(walked).toEqual(whole)
    }
  })

  it('go on in the same question only, and no longer where their snapshot has expired', async () => {
    const { ask, lake } = await openAsofOf([trade('01:00:00', '10'), trade('01:00:01', '10')], [])
    const { pagination } = await ask({ symbol: 'BHP', limit: 1 })
    const cursor = pagination!.next_cursor!
    expect((await ask({ symbol: 'BHP', limit: 2, cursor })).data.rowCount).toBe(1)
    await expect(ask({ symbol: 'CBA', limit: 1, cursor })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    await fill(lake, [trade('01:00:02', '10')], [])
    await expireSnapshots(lake.table('trades'), { retention: ONLY_HEAD })
    await expect(ask({ symbol: 'BHP', limit: 1, cursor })).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_FOUND',
      message: expect.stringContaining('that the cursor goes on in has expired') as string,
    })
  })
})

describe('the search', () => {
  it('finds what looking at every quote finds, for any times', () => {
    const times = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 80 }).map(all => all.sort((a, b) => a - b))
    fc.assert(
      fc.property(times, times, fc.boolean(), fc.nat(50), fc.nat(100), (trades, quotes, strict, later, tolerance) => {
        const moments = Float64Array.from(trades)
        const found = inForce(moments, Float64Array.from(quotes), { strict, later })
        const naive = trades.map(t => quotes.findLastIndex(q => (strict ? q < t + later : q <= t + later)))
        expect([...found]).toEqual(naive)
        dropStale(found, moments, Float64Array.from(quotes), tolerance)
        expect([...found]).toEqual(naive.map((row, i) => (row >= 0 && trades[i] - quotes[row] > tolerance ? -1 : row)))
      }),
      { numRuns: 2_000 },
    )
  })
})
