// Rows of several topics stand as the tables have them, down to the last key: what ties in all others goes by message_id.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowsOf, type ColumnBatch } from '../../../src/contract/columns.ts'
import type { TailTable } from '../../../src/contract/tables.ts'
import { compareCells, TOTAL_ORDER } from '../../../src/main/market/row-order.ts'
import { logBatch, type SampleRow } from '../../support/market-messages.ts'
import { manualClock, openTail, START } from '../../support/tail.ts'

const TOPICS = ['equities.{}.asx', 'equities.{}.cxa', 'crypto.{}.binance']
const topicsOf = (table: TailTable) => TOPICS.map(topic => `market.${topic.replace('{}', table)}`)

function compareInTable({ columns }: ColumnBatch, i: number, j: number): number {
  return TOTAL_ORDER.reduce((found, name) => found || compareCells(columns[name], i, columns[name], j), 0)
}

/** That no row of an answer should stand before the one it follows. */
function expectInOrder(batch: ColumnBatch): void {
  for (let row = 1; row < batch.rowCount; row++) expect(compareInTable(batch, row - 1, row)).toBeLessThanOrEqual(0)
}

describe('rows that tie in time, number, partition and offset', () => {
  it('stand by their message_id, not by the names of their topics', () => {
    const tail = openTail({ clock: manualClock() })
    const [asx, , binance] = topicsOf('trades')
    const trade = { micros: START, sequence: null, id: 1 }
    tail.append(logBatch('trades', [{ ...trade, symbol: 'BTCUSDT', exchange: 'BINANCE' }], { topic: binance }))
    tail.append(logBatch('trades', [{ ...trade, symbol: 'BHP', exchange: 'ASX' }], { topic: asx }))
    const { rows } = tail.rowsFrom([], tail.pin(), {}, 10)
    expect(rowsOf(rows).map(row => row.symbol)).toEqual(['BHP', 'BTCUSDT'])
    expect(rowsOf(tail.rowsFrom([], tail.pin(), {}, 1).rows)[0].symbol).toBe('BTCUSDT')
  })

  it('stand by the code points of it, which differ from the order of UTF-16', () => {
    const tail = openTail({ clock: manualClock() })
    const ids = ['\u{1F600}', '\uFF61', 'a']
    ids.forEach((id, i) =>
      tail.append(logBatch('trades', [{ symbol: 'BHP', micros: START, id }], { topic: topicsOf('trades')[i] })),
    )
    const recent = tail.recent({ symbol: 'BHP', exchange: 'ASX', windowMinutes: 60, limit: 10 })
    expect(rowsOf(recent).map(row => row.trade_id)).toEqual([...ids].reverse())
  })
})

const row = fc.record({
  topic: fc.nat(2),
  partition: fc.nat(1),
  later: fc.nat(1),
  sequence: fc.constantFrom(null, 1),
  symbol: fc.constantFrom('BHP', 'CBA'),
  exchange: fc.constantFrom('ASX', 'BINANCE'),
  id: fc.constantFrom('1', '10', '2', '\uFF61', '\u{1F600}'),
})

describe.each(['trades', 'quotes'] as const)('answers of %s', table => {
  it('are in the order of the tables, whatever came when from which topic', () => {
    const topics = topicsOf(table)
    fc.assert(
      fc.property(fc.array(row, { maxLength: 24 }), fc.integer({ min: 1, max: 24 }), (rows, limit) => {
        const tail = openTail({ dataType: table, clock: manualClock() })
        const offsets = new Map<string, number>()
        for (const { topic, partition, later, ...rest } of rows) {
          const place = `${topic} ${partition}`
          const offset = offsets.get(place) ?? 0
          offsets.set(place, offset + 1)
          const sample: SampleRow = { ...rest, micros: START + later }
          tail.append(logBatch(table, [sample], { topic: topics[topic], partition, offset }))
        }
        const ask = (filter: object, most: number) => tail.rowsFrom([], tail.pin(), filter, most).rows
        const all = ask({}, 100)
        expect(all.rowCount).toBe(rows.length)
        expectInOrder(all)
        expectInOrder(ask({ symbols: ['BHP', 'CBA'] }, 100))
        expect(rowsOf(ask({}, limit))).toEqual(rowsOf(all).slice(-limit))
        for (const symbol of ['BHP', 'CBA'])
          expectInOrder(tail.recent({ symbol, exchange: 'ASX', windowMinutes: 60, limit }))
        tail.close()
      }),
    )
  })
})
