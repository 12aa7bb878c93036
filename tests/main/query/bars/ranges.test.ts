// Bars and measures over ranges that are open, empty or begin between trades, and what they say of the files read.
import { describe, expect, it, vi } from 'vitest'
import type { z } from 'zod'
import { barsContract as declared } from '../../../../src/contract/bars.ts'
import type { Client, Context } from '../../../../src/contract/capability.ts'
import { rowsOf, timestampText, type ColumnBatch } from '../../../../src/contract/columns.ts'
import { Failure } from '../../../../src/contract/failure.ts'
import { systemClock } from '../../../../src/main/base/clock.ts'
import { compactTable } from '../../../../src/main/lake/maintain/compact-table.ts'
import { barsHandlers } from '../../../../src/main/query/bars/handlers.ts'
import { createBlocks } from '../../../../src/main/query/blocks/blocks.ts'
import { openHybridPlace } from '../../../support/hybrid-place.ts'
import { append, tempLake } from '../../../support/lake.ts'
import { noSession, queryParts } from '../../../support/query.ts'
import { quoteRows, tradeRows, type TradeRow } from '../../../support/rows.ts'

const context: Context = { signal: new AbortController().signal, correlationId: 'test', door: 'direct' }

async function openBars(seen: Parameters<typeof barsHandlers>[2] = noSession) {
  const lake = await tempLake()
  const { reads, pool } = await queryParts(lake)
  const live = () => Promise.reject(new Failure('UNAVAILABLE', 'There is no live view here.'))
  const blocks = createBlocks({ reads, pool, maxBytes: 64e6 })
  const handlers = barsHandlers({ reads, pool, live, clock: systemClock }, blocks, seen)
  const ask = <N extends keyof typeof declared>(name: N, input: z.input<(typeof declared)[N]['input']>) =>
    (handlers[name] as (input: unknown, context: Context) => unknown)(
      declared[name].input.parse(input),
      context,
    ) as ReturnType<Client<typeof declared>[N]>
  /** Minute, close and volume of each bar that is filled with the close before. */
  const filled = async (asked: object) =>
    closesOf((await ask('bars.list', { symbol: 'BHP', fill: 'previous', ...asked })).data)
  return { lake, blocks, ask, filled }
}

function closesOf(data: ColumnBatch) {
  return rowsOf(data).map(bar => [(bar.window_start as string).slice(11, 16), bar.close_price, bar.volume])
}

const instant = (time: string) => `2026-03-10T${time}Z`
const told = (time: string) => `2026-03-10T${time}.000000Z`
const at = (time: string) => Date.parse(instant(time)) * 1000
const trade = (time: string, price: string, more: Partial<TradeRow> = {}): TradeRow => ({
  micros: at(time),
  price,
  quantity: '1',
  ...more,
})

describe('measures without a full range', () => {
  const ALL = ['twap', 'vwap', 'ohlcv', 'volume_profile', 'trade_count', 'spread'] as const

  async function openShared() {
    const place = await openBars()
    const { lake } = place
    const others = { symbol: 'CBA' }
    await append(
      lake,
      tradeRows([
        trade('00:10:00', '1', others),
        trade('01:00:00', '10'),
        trade('01:01:00', '20'),
        trade('05:00:00', '1', others),
      ]),
      { specId: 0 },
    )
    await append(
      lake,
      quoteRows([
        { micros: at('00:05:00'), bid: '1', ask: '2', ...others },
        { micros: at('00:59:00'), bid: '10', ask: '12' },
        { micros: at('01:02:00'), bid: '10', ask: '11' },
        { micros: at('06:00:00'), bid: '1', ask: '2', ...others },
      ]),
      { table: 'quotes', specId: 0 },
    )
    // Each symbol is in a bucket of its own afterwards.
    const compact = async () => {
      for (const table of ['trades', 'quotes'] as const) await compactTable(lake, lake.table(table), { minFiles: 1 })
    }
    return { ...place, compact }
  }

  it('go from the first row of the symbol to its last, whatever else is in its files', async () => {
    const { ask, compact } = await openShared()
    const ofTrades = async () =>
      (await ask('aggregations.run', { symbols: ['BHP'], metrics: ['twap', 'trade_count'] })).data
    const ofBoth = async () => (await ask('aggregations.run', { symbols: ['BHP'], metrics: [...ALL] })).data
    const before = { trades: await ofTrades(), both: await ofBoth() }
    expect(before.trades).toMatchObject([
      { window_start: told('01:00:00'), window_end: '2026-03-10T01:01:00.000001Z', twap: '10.00000017' },
    ])
    expect(before.both).toMatchObject([
      {
        window_start: told('00:59:00'),
        window_end: '2026-03-10T01:02:00.000001Z',
        trade_count: 2,
        twap: '15.00000004', // a minute of each, and one microsecond
        vwap: '15',
        spread: { quotes: 2, two_sided_seconds: 180.000001 },
      },
    ])
    await compact()
    expect({ trades: await ofTrades(), both: await ofBoth() }).toEqual(before)
  })

  it('are those of the whole, however many pieces it is read in', async () => {
    const { lake, blocks, ask } = await openBars()
    const on = (day: string, price: string, quantity: string) => ({
      ...{ micros: Date.parse(`${day}T01:00:00Z`) * 1000, price, quantity },
    })
    const rows = [on('2010-03-10', '10', '1'), on('2014-03-10', '40.5', '2'), on('2026-03-10', '20', '3')]
    for (const row of rows) await append(lake, tradeRows([row]), { specId: 0 })
    const read = vi.spyOn(blocks, 'read')
    const { data } = await ask('aggregations.run', { symbols: ['BHP'], metrics: [...ALL] })
    expect(read.mock.calls.length).toBeGreaterThan(2)
    expect(data).toMatchObject([
      {
        ...{ window_start: '2010-03-10T01:00:00.000000Z', window_end: '2026-03-10T01:00:00.000001Z', trade_count: 3 },
        ...{ vwap: '25.16666667', twap: '32.875' },
        ohlcv: { open_price: '10', high_price: '40.5', low_price: '10', close_price: '20', volume: '6' },
        volume_profile: [{ price: '10' }, { price: '20', volume: '3' }, { price: '40.5', trade_count: 1 }],
      },
    ])
  })

  it('end with the last row where only a start is asked, and begin with the first where only an end is', async () => {
    const { ask } = await openShared()
    const ofRange = async (range: object) =>
      (await ask('aggregations.run', { symbols: ['BHP'], metrics: ['twap', 'trade_count'], ...range })).data
    expect(await ofRange({ start_time: instant('01:00:30') })).toMatchObject([
      { window_start: told('01:00:30'), window_end: '2026-03-10T01:01:00.000001Z', trade_count: 1 },
    ])
    expect(await ofRange({ end_time: instant('01:02:00') })).toMatchObject([
      { window_start: told('01:00:00'), window_end: told('01:02:00'), trade_count: 2, twap: '15' },
    ])
    // What is carried in is no row of the range, and has no end of its own.
    expect(await ofRange({ start_time: instant('01:30:00') })).toEqual([])
    expect(await ofRange({ start_time: instant('01:30:00'), end_time: instant('01:31:00') })).toMatchObject([
      { window_start: told('01:30:00'), window_end: told('01:31:00'), trade_count: 0, twap: '20' },
    ])
  })
})

describe('the spread of a symbol without trades', () => {
  it('is told beside what is measured of trades, in the order that was asked', async () => {
    const { lake, ask } = await openBars()
    const quote = (symbol: string) => ({ micros: at('01:00:00'), bid: '10', ask: '12', symbol })
    await append(lake, tradeRows([trade('01:00:00', '10')]))
    await append(lake, quoteRows([quote('BHP'), quote('CBA')]), { table: 'quotes' })
    const of = async (metrics: ('spread' | 'vwap')[]) =>
      (await ask('aggregations.run', { symbols: ['NONE', 'CBA', 'BHP'], metrics })).data
    expect(await of(['spread', 'vwap'])).toMatchObject([
      { symbol: 'CBA', exchange: 'ASX', vwap: null, spread: { quotes: 1, average: '2' } },
      { symbol: 'BHP', exchange: 'ASX', vwap: '10', spread: { quotes: 1, average: '2' } },
    ])
    expect((await of(['vwap'])).map(({ symbol }) => symbol)).toEqual(['BHP'])
  })
})

describe('windows filled with the close before', () => {
  const range = { start_time: instant('01:00:00'), end_time: instant('01:03:00') }

  it('begin with the close from before the range, also where the range has no trades', async () => {
    const { lake, filled } = await openBars()
    await append(lake, tradeRows([trade('00:58:00', '4'), trade('00:59:00', '5.25'), trade('01:01:30', '7')]))
    expect(await filled(range)).toEqual([
      ['01:00', '5.25', '0'],
      ['01:01', '7', '1'],
      ['01:02', '7', '0'],
    ])
    const empty = { start_time: instant('00:59:30'), end_time: instant('01:01:00') }
    expect(await filled(empty)).toEqual([
      ['00:59', '5.25', '0'],
      ['01:00', '5.25', '0'],
    ])
    expect(await filled({ ...empty, limit: 1 })).toEqual([['01:00', '5.25', '0']])
    expect(await filled({ ...empty, fill: 'none' })).toEqual([])
    expect(await filled({ start_time: instant('00:50:00'), end_time: instant('00:57:00') })).toEqual([])
    expect(await filled({ start_time: instant('01:02:00'), end_time: instant('01:02:00') })).toEqual([])
  })

  it('carry in nothing that the conditions leave out', async () => {
    const { lake, filled } = await openBars()
    await append(lake, tradeRows([trade('00:58:00', '4'), trade('00:59:00', '99', { conditions: ['XT'] })]))
    const short = { ...range, end_time: instant('01:01:00') }
    expect(await filled(short)).toEqual([['01:00', '99', '0']])
    expect(await filled({ ...short, conditions: 'on_market' })).toEqual([['01:00', '4', '0']])
  })

  it('carry in what an older snapshot has, and tell no window that a replay session has not come to', async () => {
    let untilMicros = Infinity
    const { lake, filled } = await openBars(() => () => ({ past: {}, untilMicros }))
    const first = await append(lake, tradeRows([trade('00:58:00', '4')]))
    await append(lake, tradeRows([trade('00:59:00', '5')]))
    const short = { ...range, end_time: instant('01:01:00') }
    expect(await filled({ ...short, snapshot_id: first.snapshotId })).toEqual([['01:00', '4', '0']])
    const session = { ...range, replay_session: '5a0d1d6e-6f0e-4c5b-9a0e-2b1f0f6b7c11' }
    untilMicros = at('01:01:30')
    expect(await filled(session)).toEqual([['01:00', '5', '0']])
    untilMicros = at('00:58:30')
    expect(await filled(session)).toEqual([])
  })

  it('carry in a trade that is in the log and not in the tables yet', async () => {
    const place = await openHybridPlace()
    const { micros: now } = place.clock
    const minute = Math.floor(now / 60e6) * 60e6
    const plain = { symbol: 'BHP', sequence: null, logMicros: now }
    place.write(0, [
      { ...plain, id: '1', micros: minute - 300e6, price: 100_000_000n },
      { ...plain, id: '2', micros: minute - 240e6, price: 200_000_000n },
    ])
    place.readTo()
    const blocks = createBlocks({ ...place.tools, maxBytes: 64e6 })
    const asked = {
      ...{ symbol: 'BHP', fill: 'previous' as const, live: true },
      start_time: timestampText(minute - 120e6),
      end_time: timestampText(minute),
    }
    const ask = async () => {
      const input = declared['bars.list'].input.parse(asked)
      return barsHandlers(place.tools, blocks, noSession)['bars.list'](input, context)
    }
    for (const committed of [1, 2]) {
      await place.commitTo([committed, 0])
      const { data, query } = await ask()
      expect(rowsOf(data).map(bar => bar.close_price)).toEqual(['2', '2'])
      expect(query.sources).toMatchObject({ tail: { rows: 0 } })
    }
  })
})

describe('the files of an answer', () => {
  it('are all of the table, those that the range leaves out, and those that were read', async () => {
    const { lake, ask } = await openBars()
    const days = ['01', '02', '03', '04', '05', '06', '07', '08', '09', '10']
    for (const day of days) {
      const micros = Date.parse(`2026-03-${day}T01:00:00Z`) * 1000
      await append(lake, tradeRows(['BHP', 'CBA'].map(symbol => ({ micros, price: day, quantity: '1', symbol }))), {
        specId: 0,
      })
    }
    const lastDay = { start_time: instant('00:00:00'), end_time: '2026-03-11T00:00:00Z' }
    const counts = { total: 10, pruned: 9, read: 1 }
    const ofBars = async (asked: object) => (await ask('bars.list', { symbol: 'BHP', ...asked })).query.files
    expect(await ofBars(lastDay)).toEqual(counts)
    expect(await ofBars({})).toEqual({ total: 10, pruned: 0, read: 10 })
    // Reading stops when there are enough, and goes on for what is carried in.
    expect((await ofBars({ limit: 1 }))?.read).toBeLessThan(4)
    expect(await ofBars({ ...lastDay, fill: 'previous' })).toEqual({ total: 10, pruned: 8, read: 2 })
    expect(await ofBars({ symbol: 'NONE' })).toMatchObject({ total: 10 })
    expect((await ask('summary.day', { symbol: 'BHP', date: '2026-03-10' })).query.files).toEqual(counts)
    const measured = { symbols: ['BHP', 'CBA'], metrics: ['vwap' as const] }
    expect((await ask('aggregations.run', { ...measured, ...lastDay })).query.files).toEqual(counts)
    expect((await ask('aggregations.run', measured)).query.files).toEqual({ total: 10, pruned: 0, read: 10 })
  })
})
