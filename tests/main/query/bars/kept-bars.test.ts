// Bars of a block are kept: whatever part of it is asked for, in whatever order, they are those of its rows.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Column } from '../../../../src/contract/columns.ts'
import { viewRows } from '../../../../src/contract/take-rows.ts'
import { firstNotBelow } from '../../../../src/main/market/row-order.ts'
import { addBars, type Bar, type TradeRun } from '../../../../src/main/query/bars/add-bars.ts'
import { barsOf } from '../../../../src/main/query/bars/read-bars.ts'
import { windowsOf } from '../../../../src/main/query/bars/windows.ts'
import { OFF_MARKET, type Run } from '../../../../src/main/query/blocks/blocks.ts'

const ROWS = 4_000
const START = Date.parse('2026-03-10T00:00:00Z') * 1000

/** A trade every three seconds or so, a price that wanders, pauses now and then, every seventh row off market. */
function block(seed: number): Map<string, Column> {
  let state = seed + 1
  const random = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below
  let micros = START
  let price = 3_000
  const rows = Array.from({ length: ROWS }, () => {
    micros += random(200) === 0 ? 600e6 : random(6e6)
    price += random(21) - 10
    return { micros, price, quantity: 1 + random(500) }
  })
  return new Map<string, Column>([
    ['exchange_timestamp', { type: 'timestamp', values: Float64Array.from(rows, row => row.micros) }],
    ['price', { type: 'decimal', scale: 2, values: Int32Array.from(rows, row => row.price) }],
    ['quantity', { type: 'decimal', scale: 0, values: Int32Array.from(rows, row => row.quantity) }],
    [OFF_MARKET, { type: 'boolean', values: Uint8Array.from(rows, (_, row) => (row % 7 === 0 ? 1 : 0)) }],
  ])
}

const timesOf = (columns: ReadonlyMap<string, Column>) => columns.get('exchange_timestamp')!.values as Float64Array

/** Rows as a question for a range of time has them. */
function runOf(columns: Map<string, Column>, from: number, to: number, names: readonly string[]): Run {
  const all = { rowCount: ROWS, columns: Object.fromEntries(names.map(name => [name, columns.get(name)!])) }
  return { ...viewRows(all, from, to), of: { columns, from } }
}

/** Row by row, without anything kept. */
function plainBars(runs: readonly Run[], interval: '1m' | '5m' | '1h'): Bar[] {
  const bars: Bar[] = []
  for (const { columns } of runs) {
    const run: TradeRun = {
      times: columns.exchange_timestamp.values as Float64Array,
      prices: columns.price.values,
      quantities: columns.quantity.values,
      ...(OFF_MARKET in columns && { left: columns[OFF_MARKET].values }),
    }
    addBars(bars, run, windowsOf(interval, 'UTC'))
  }
  return bars
}

describe('bars of a block', () => {
  const range = fc.tuple(fc.nat(ROWS), fc.nat(ROWS)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
  const asked = fc.record({
    range: fc.oneof(range, fc.constantFrom([0, ROWS] as const, [1, ROWS] as const, [0, ROWS - 1] as const)),
    interval: fc.constantFrom('1m', '5m', '1h'),
    hasLeft: fc.boolean(),
  })

  it('are those of its rows, whatever part is asked for, one question after the other', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.array(asked, { minLength: 1, maxLength: 12 }), (seed, questions) => {
        const columns = block(seed)
        for (const { range, interval, hasLeft } of questions) {
          const names = ['exchange_timestamp', 'price', 'quantity', ...(hasLeft ? [OFF_MARKET] : [])]
          // A question's ends are times, so rows of one time are all in it or all not.
          const times = timesOf(columns)
          const rowOf = (row: number) => (row === ROWS ? ROWS : firstNotBelow(times, times[row]))
          const [from, to] = [rowOf(range[0]), rowOf(range[1])]
          const runs = [runOf(columns, from, to, names)]
          expect(barsOf(runs, windowsOf(interval, 'UTC')).bars).toEqual(plainBars(runs, interval))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('go on in the next run without changing what is kept', () => {
    const columns = block(7)
    const names = ['exchange_timestamp', 'price', 'quantity']
    const last = timesOf(columns)[ROWS - 1]
    const fresh: Run = {
      rowCount: 1,
      columns: {
        exchange_timestamp: { type: 'timestamp', values: Float64Array.of(last + 1) },
        price: { type: 'decimal', scale: 2, values: Int32Array.of(99_999) },
        quantity: { type: 'decimal', scale: 0, values: Int32Array.of(1_000) },
      },
    }
    const whole = runOf(columns, 0, ROWS, names)
    const windowAt = windowsOf('1h', 'UTC')
    const alone = barsOf([whole], windowAt).bars.at(-1)!
    const together = barsOf([whole, fresh], windowAt).bars.at(-1)!
    expect(together).toMatchObject({ start: alone.start, high: 99_999, close: 99_999, count: alone.count + 1 })
    expect(barsOf([whole], windowAt).bars.at(-1)).toEqual(alone)
    expect(barsOf([whole], windowAt).bars[0], 'made once').toBe(barsOf([whole], windowAt).bars[0])
  })

  it('are not kept in another scale than their own', () => {
    const columns = block(3)
    const names = ['exchange_timestamp', 'price', 'quantity']
    const whole = runOf(columns, 0, ROWS, names)
    const finer: Run = {
      rowCount: 1,
      columns: {
        exchange_timestamp: { type: 'timestamp', values: Float64Array.of(timesOf(columns)[ROWS - 1] + 3_600e6) },
        price: { type: 'decimal', scale: 4, values: Int32Array.of(300_001) },
        quantity: { type: 'decimal', scale: 0, values: Int32Array.of(1) },
      },
    }
    const windowAt = windowsOf('1m', 'UTC')
    const before = barsOf([whole], windowAt)
    const mixed = barsOf([whole, finer], windowAt)
    expect(mixed.priceScale).toBe(4)
    expect(mixed.bars[0].open).toBe((before.bars[0].open as number) * 100)
    expect(barsOf([whole], windowAt)).toEqual(before)
  })
})
