import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import type { barsContract } from '../../../../src/contract/bars.ts'
import type { Client, Context } from '../../../../src/contract/capability.ts'
import { decimalText, rowsOf, type ColumnBatch } from '../../../../src/contract/columns.ts'
import { barsContract as declared } from '../../../../src/contract/bars.ts'
import { Failure } from '../../../../src/contract/failure.ts'
import { systemClock } from '../../../../src/main/base/clock.ts'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { createBlocks } from '../../../../src/main/query/blocks/blocks.ts'
import { barsHandlers } from '../../../../src/main/query/bars/handlers.ts'
import { readBatch } from '../../../../src/main/duck/read-batch.ts'
import { append, tempLake } from '../../../support/lake.ts'
import { noSession, queryParts } from '../../../support/query.ts'
import { quoteRows, tradeRows, type TradeRow } from '../../../support/rows.ts'

const context: Context = { signal: new AbortController().signal, correlationId: 'test', door: 'direct' }

async function openBars(lake: Lake) {
  const { reads, pool } = await queryParts(lake)
  const live = () => Promise.reject(new Failure('UNAVAILABLE', 'There is no live view here.'))
  const handlers = barsHandlers(
    { reads, pool, live, clock: systemClock },
    createBlocks({ reads, pool, maxBytes: 64e6 }),
    noSession,
  )
  const ask = <N extends keyof typeof declared>(name: N, input: z.input<(typeof declared)[N]['input']>) =>
    (handlers[name] as (input: unknown, context: Context) => unknown)(
      declared[name].input.parse(input),
      context,
    ) as ReturnType<Client<typeof barsContract>[N]>
  const bars = async (input: Partial<z.input<(typeof declared)['bars.list']['input']>>) =>
    rowsOf((await ask('bars.list', { symbol: 'BHP', ...input })).data)
  return { ask, bars, reads, pool }
}

const at = (time: string) => Date.parse(`2026-03-10T${time}Z`) * 1000
const trade = (time: string, price: string, quantity = '1', more: Partial<TradeRow> = {}): TradeRow => ({
  micros: at(time),
  price,
  quantity,
  ...more,
})

describe('bars', () => {
  it('have open and close by the total order, not by time alone', async () => {
    const lake = await tempLake()
    const { bars } = await openBars(lake)
    await append(
      lake,
      tradeRows([
        trade('01:00:00', '10', '1', { sequence: 3 }),
        trade('01:00:00', '11', '1', { sequence: 1 }),
        trade('01:00:00', '9', '1', { sequence: 2 }),
      ]),
    )
    const [bar] = await bars({ interval: '1m' })
    expect(bar).toMatchObject({ open_price: '11', high_price: '11', low_price: '9', close_price: '10', trade_count: 3 })
  })

  it('have a volume-weighted price that is exact where doubles and DECIMAL(18,8) are not', async () => {
    const lake = await tempLake()
    const { bars } = await openBars(lake)
    await append(lake, tradeRows([trade('01:00:00', '36.667', '20000'), trade('01:00:01', '0.00000001', '10000')]))
    const [bar] = await bars({ interval: '5m' })
    expect(bar).toMatchObject({ volume: '30000', vwap: '24.44466667' })
  })

  it('begin and end with the range: its start included, its end not', async () => {
    const lake = await tempLake()
    const { bars } = await openBars(lake)
    await append(lake, tradeRows(['01:00:10', '01:00:20', '01:01:00'].map((time, i) => trade(time, String(i + 1)))))
    const found = await bars({ start_time: '2026-03-10T01:00:20Z', end_time: '2026-03-10T01:01:00Z' })
    expect(found.map(bar => [bar.window_start, bar.open_price])).toEqual([['2026-03-10T01:00:00.000000Z', '2']])
  })

  it('are the newest of the range when there are more than the limit, and say so', async () => {
    const lake = await tempLake()
    const { ask, bars } = await openBars(lake)
    await append(lake, tradeRows(Array.from({ length: 30 }, (_, i) => trade(`01:${String(i + 10)}:00`, String(i)))))
    expect((await bars({ limit: 2 })).map(bar => bar.open_price)).toEqual(['28', '29'])
    expect((await ask('bars.list', { symbol: 'BHP', limit: 29 })).pagination).toEqual({ limit: 29, has_more: true })
    expect((await ask('bars.list', { symbol: 'BHP', limit: 30 })).pagination).toEqual({ limit: 30, has_more: false })
  })

  it('leave out windows without trades, or fill them with the last close or with null', async () => {
    const lake = await tempLake()
    const { bars } = await openBars(lake)
    await append(lake, tradeRows([trade('01:01:00', '5', '2'), trade('01:03:30', '7')]))
    const asked = { start_time: '2026-03-10T01:00:00Z', end_time: '2026-03-10T01:05:00Z' }
    const told = async (fill: 'none' | 'previous' | 'null') =>
      (await bars({ ...asked, fill })).map(bar => [
        (bar.window_start as string).slice(14, 16),
        bar.close_price,
        bar.volume,
      ])
    expect(await told('none')).toEqual([
      ['01', '5', '2'],
      ['03', '7', '1'],
    ])
    expect(await told('previous')).toEqual([
      ['00', null, '0'],
      ['01', '5', '2'],
      ['02', '5', '0'],
      ['03', '7', '1'],
      ['04', '7', '0'],
    ])
    expect((await told('null')).map(([, close]) => close)).toEqual([null, '5', null, '7', null])
    expect((await bars({ ...asked, fill: 'previous', limit: 2 })).map(bar => bar.close_price)).toEqual(['7', '7'])
  })

  it("have days of the exchange's own clock", async () => {
    const lake = await tempLake()
    const { bars } = await openBars(lake)
    // 23:30 on the 9th and 04:00 on the 10th in UTC are one session of Sydney's 10th.
    await append(
      lake,
      tradeRows([trade('04:00:00', '2'), { micros: at('00:00:00') - 1_800e6, price: '1', quantity: '1' }]),
    )
    expect(await bars({ interval: '1d' })).toMatchObject([
      {
        window_start: '2026-03-09T13:00:00.000000Z',
        window_end: '2026-03-10T13:00:00.000000Z',
        open_price: '1',
        close_price: '2',
      },
    ])
  })

  it('leave out off-market trades when asked, but not those of an auction', async () => {
    const lake = await tempLake()
    const { bars } = await openBars(lake)
    await append(
      lake,
      tradeRows([
        trade('01:00:00', '10', '1', { conditions: ['OPENING_AUCTION'] }),
        trade('01:00:01', '99', '1', { conditions: ['XT'] }),
        trade('01:00:02', '11'),
      ]),
    )
    expect(await bars({ conditions: 'on_market' })).toMatchObject([{ high_price: '11', trade_count: 2 }])
    expect(await bars({})).toMatchObject([{ high_price: '99', trade_count: 3 }])
  })

  it('take quantities below zero away, and have no average where nothing is left', async () => {
    const lake = await tempLake()
    const { bars } = await openBars(lake)
    await append(
      lake,
      tradeRows([
        trade('01:00:00', '10', '3'),
        trade('01:00:01', '20', '-1'),
        trade('01:01:00', '10', '0'),
        trade('01:02:00', '-37.63', '2'),
      ]),
    )
    expect(await bars({})).toMatchObject([
      { volume: '2', vwap: '5', trade_count: 2 },
      { volume: '0', vwap: null, trade_count: 1 },
      { volume: '2', vwap: '-37.63' },
    ])
  })

  it('ask which exchange where there are two, and answer an unknown symbol with none', async () => {
    const lake = await tempLake()
    const { ask, bars } = await openBars(lake)
    await append(lake, tradeRows([trade('01:00:00', '1'), trade('01:00:00', '2', '1', { exchange: 'CHIX' })]))
    await expect(bars({})).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('ASX and CHIX') as string,
    })
    expect(await bars({ exchange: 'chix' })).toMatchObject([{ exchange: 'CHIX', open_price: '2' }])
    expect(await bars({ symbol: 'NONE' })).toEqual([])
    await expect(
      ask('bars.list', { symbol: 'BHP', start_time: '2026-03-11', end_time: '2026-03-10' }),
    ).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
  })

  it('are none in an empty lake, and are told as of an older snapshot', async () => {
    const lake = await tempLake()
    const { bars } = await openBars(lake)
    expect(await bars({})).toEqual([])
    const first = await append(lake, tradeRows([trade('01:00:00', '1')]))
    await append(lake, tradeRows([trade('01:00:30', '2')]))
    expect(await bars({ snapshot_id: first.snapshotId })).toMatchObject([{ close_price: '1' }])
    expect(await bars({})).toMatchObject([{ close_price: '2' }])
  })

  it(
    'equal fractions by BigInt, and HUGEINT of DuckDB, over any prices and quantities',
    { timeout: 90_000 },
    async () => {
      const value = fc.oneof(
        fc.bigInt({ min: 1n, max: 100_000n }).map(cents => cents * 1_000_000n),
        fc.bigInt({ min: 1n, max: 10n ** 12n }),
        fc.constantFrom(1n, 999_999_999_999_999_999n, 10n ** 17n, 2n ** 53n, 2n ** 53n + 1n),
      )
      const row = fc.record({ second: fc.nat(600), price: value, quantity: value })
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(row, { minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 3 }),
          async commits => {
            const lake = await tempLake()
            const { bars, reads, pool } = await openBars(lake)
            let sequence = 0
            for (const rows of commits)
              await append(
                lake,
                tradeRows(
                  rows.map(({ second, price, quantity }) => ({
                    micros: at('02:00:00') + second * 1e6,
                    price: decimalText(price, 8),
                    quantity: decimalText(quantity, 8),
                    sequence: sequence++,
                  })),
                ),
              )
            const found = await bars({ interval: '1m' })
            const sums = await sumsBySql({ reads, pool })
            expect(found).toHaveLength(sums.length)
            found.forEach((bar, i) => {
              const { open, close, high, low, volume, notional, count } = sums[i]
              expect(bar).toMatchObject({
                open_price: open,
                close_price: close,
                high_price: high,
                low_price: low,
                trade_count: count,
              })
              expect(bar.volume).toBe(decimalText(volume, 8))
              // notional has 16 places, volume 8
              const twice = 2n * (notional % volume)
              let vwap = notional / volume
              if (twice > volume || (twice === volume && vwap % 2n === 1n)) vwap++
              expect(bar.vwap).toBe(decimalText(vwap, 8))
            })
          },
        ),
        { numRuns: 12 },
      )
    },
  )
})

async function sumsBySql({ reads, pool }: Awaited<ReturnType<typeof queryParts>>) {
  const rows = await pool.run(async ({ connection }) => {
    const open = await reads.open(await reads.at('trades'), { filter: [] }, connection)
    const batch: ColumnBatch = await readBatch(
      connection,
      `WITH t AS (SELECT *, epoch_us(exchange_timestamp) // 60000000 AS w,
         row_number() OVER (ORDER BY exchange_timestamp, source_sequence) AS n FROM (${open.sql()}))
       SELECT arg_min(price, n) AS open, arg_max(price, n) AS close, max(price) AS high, min(price) AS low,
         sum((quantity::DECIMAL(38,8) * 100000000)::HUGEINT)::VARCHAR AS volume,
         sum((price::DECIMAL(38,8) * 100000000)::HUGEINT * (quantity::DECIMAL(38,8) * 100000000)::HUGEINT)::VARCHAR AS notional,
         count(*)::INTEGER AS count FROM t GROUP BY w ORDER BY w`,
    )
    open.release()
    return rowsOf(batch)
  })
  return rows.map(({ open, close, high, low, volume, notional, count }) => ({
    open,
    close,
    high,
    low,
    count,
    volume: BigInt(volume as string),
    notional: BigInt(notional as string),
  }))
}

describe("a day's summary", () => {
  it('is of the day of the exchange, and NOT_FOUND without trades', async () => {
    const lake = await tempLake()
    const { ask } = await openBars(lake)
    await append(lake, tradeRows([trade('12:59:59', '2', '3'), trade('13:00:00', '9'), trade('00:00:00', '1')]))
    const { data } = await ask('summary.day', { symbol: 'BHP', date: '2026-03-10' })
    expect(data).toEqual({
      symbol: 'BHP',
      exchange: 'ASX',
      date: '2026-03-10',
      open_price: '1',
      high_price: '2',
      low_price: '1',
      close_price: '2',
      volume: '4',
      trade_count: 2,
      vwap: '1.75',
    })
    await expect(ask('summary.day', { symbol: 'BHP', date: '2026-03-12' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(ask('summary.day', { symbol: 'X', date: '2026-03-10' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('aggregations', () => {
  it('weigh prices by the time they stood, the last one before the range carried in', async () => {
    const lake = await tempLake()
    const { ask } = await openBars(lake)
    await append(lake, tradeRows([trade('00:00:00', '10'), trade('01:00:30', '20'), trade('01:02:00', '30')]))
    const range = { start_time: '2026-03-10T01:00:00Z', end_time: '2026-03-10T01:03:00Z' }
    const { data } = await ask('aggregations.run', { symbols: ['BHP'], metrics: ['twap', 'trade_count'], ...range })
    expect(data).toEqual([
      {
        symbol: 'BHP',
        exchange: 'ASX',
        window_start: '2026-03-10T01:00:00.000000Z',
        window_end: '2026-03-10T01:03:00.000000Z',
        trade_count: 2,
        twap: '21.66666667', // (30 × 10 + 90 × 20 + 60 × 30) / 180
      },
    ])
    const minutes = await ask('aggregations.run', { symbols: ['BHP'], metrics: ['twap'], interval: '1m', ...range })
    expect(minutes.data.map(row => row.twap)).toEqual(['15', '30'])
  })

  it('have the volume at each price', async () => {
    const lake = await tempLake()
    const { ask } = await openBars(lake)
    await append(
      lake,
      tradeRows([trade('01:00:00', '10.5', '3'), trade('01:00:01', '9'), trade('01:00:02', '10.5', '4')]),
    )
    const { data } = await ask('aggregations.run', {
      symbols: ['BHP', 'NONE'],
      metrics: ['volume_profile', 'vwap', 'ohlcv'],
    })
    expect(data).toMatchObject([
      {
        vwap: '10.3125',
        ohlcv: { open_price: '10.5', close_price: '10.5', volume: '8' },
        volume_profile: [
          { price: '9', volume: '1', trade_count: 1 },
          { price: '10.5', volume: '7', trade_count: 2 },
        ],
      },
    ])
  })

  it('have the spread while both sides are quoted: a null side is no quote', async () => {
    const lake = await tempLake()
    const { ask } = await openBars(lake)
    await append(
      lake,
      quoteRows([
        { micros: at('00:59:00'), bid: '10', ask: '12', bidSize: '1', askSize: '3' },
        { micros: at('01:00:20'), bid: '10', ask: null },
        { micros: at('01:00:40'), bid: '11', ask: '12', bidSize: '2', askSize: '2' },
      ]),
      { table: 'quotes' },
    )
    const range = { start_time: '2026-03-10T01:00:00Z', end_time: '2026-03-10T01:01:20Z' }
    const { data } = await ask('aggregations.run', { symbols: ['BHP'], metrics: ['spread'], ...range })
    expect(data[0].spread).toEqual({
      quotes: 2,
      two_sided_seconds: 60,
      average: '1.33333333', // 20 s of 2 and 40 s of 1
      least: '1',
      greatest: '1',
      mid: '11.33333333',
      imbalance: -0.16666667,
    })
  })

  it('refuse more windows than can be answered, with advice', async () => {
    const lake = await tempLake()
    const { ask } = await openBars(lake)
    const rows = Array.from({ length: 10_050 }, (_, i) => ({
      micros: at('01:00:00') + i * 60e6,
      price: '1',
      quantity: '1',
    }))
    await append(lake, tradeRows(rows))
    await expect(
      ask('aggregations.run', { symbols: ['BHP'], metrics: ['vwap'], interval: '1m' }),
    ).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    })
  })
})
