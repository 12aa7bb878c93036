// Bars and measures over ranges that are open, empty or begin between trades, and what they say of the files read.
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { barsContract as declared } from '../../../../src/contract/bars.ts'
import type { Client, Context } from '../../../../src/contract/capability.ts'
import { Failure } from '../../../../src/contract/failure.ts'
import { systemClock } from '../../../../src/main/base/clock.ts'
import { compactTable } from '../../../../src/main/lake/maintain/compact-table.ts'
import { barsHandlers } from '../../../../src/main/query/bars/handlers.ts'
import { createBlocks } from '../../../../src/main/query/blocks/blocks.ts'
import { append, tempLake } from '../../../support/lake.ts'
import { noSession, queryParts } from '../../../support/query.ts'
import { quoteRows, tradeRows, type TradeRow } from '../../../support/rows.ts'

const context: Context = { signal: new AbortController().signal, correlationId: 'test', door: 'direct' }

async function openBars() {
  const lake = await tempLake()
  const { reads, pool } = await queryParts(lake)
  const live = () => Promise.reject(new Failure('UNAVAILABLE', 'There is no live view here.'))
  const blocks = createBlocks({ reads, pool, maxBytes: 64e6 })
  const handlers = barsHandlers({ reads, pool, live, clock: systemClock }, blocks, noSession)
  const ask = <N extends keyof typeof declared>(name: N, input: z.input<(typeof declared)[N]['input']>) =>
    (handlers[name] as (input: unknown, context: Context) => unknown)(
      declared[name].input.parse(input),
      context,
    ) as ReturnType<Client<typeof declared>[N]>
  return { lake, ask }
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
