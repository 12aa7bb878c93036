// What the grid's cells say, and the CSV that is copied from them.
import { describe, expect, it } from 'vitest'
import type { Column, ColumnBatch } from '../../../src/contract/columns.ts'
import { createCellText, csvText } from '../../../src/renderer/grid/cell-text.ts'

const UTC = { id: 'UTC', label: 'UTC' }
const SYDNEY = { id: 'Australia/Sydney', label: 'Sydney time' }
const batchOf = (columns: Record<string, Column>, rowCount: number): ColumnBatch => ({ rowCount, columns })
const column = (type: Column['type'], values: number[], more: Partial<Column> = {}): Column => ({
  type,
  values: Float64Array.from(values),
  ...more,
})
const words = (type: Column['type'], ...each: Column['words'] & unknown[]): Column =>
  column(
    type,
    each.map((_, code) => code),
    { words: each },
  )

describe('a cell', () => {
  it('has prices of one instrument with as many decimals as any has needed, and those of others with theirs', () => {
    const batch = batchOf(
      {
        symbol: column('string', [0, 1, 0], { words: ['BHP', 'BTC'] }),
        price: column('decimal', [3618000000, 9654302510000, 3618500000], { scale: 8 }),
      },
      3,
    )
    const text = createCellText(UTC, '–')
    expect(text('price', { batch, row: 2 })).toBe('36.185')
    expect(text('price', { batch, row: 0 })).toBe('36.180')
    expect(text('price', { batch, row: 1 })).toBe('96,543.0251')
  })

  it('keeps decimals beyond what a double holds', () => {
    const price: Column = { type: 'decimal', scale: 8, values: BigInt64Array.of(999999999999999999n) }
    expect(createCellText(UTC, '–')('price', { batch: batchOf({ price }, 1), row: 0 })).toBe('9,999,999,999.99999999')
  })

  it('has times in the zone with their microseconds, and nothing where there is no value', () => {
    const at = column('timestamp', [1_394_410_200_123_456, 0], { nulls: Uint8Array.of(0, 1) })
    const batch = batchOf({ at }, 2)
    expect(createCellText(UTC, '–')('at', { batch, row: 0 })).toBe('2014-03-10 00:10:00.123456')
    expect(createCellText(SYDNEY, '–')('at', { batch, row: 0 })).toBe('2014-03-10 11:10:00.123456')
    expect(createCellText(UTC, 'NULL')('at', { batch, row: 1 })).toBe('NULL')
  })

  it('groups what counts, and not what names', () => {
    const batch = batchOf({ trades: column('long', [203114]), _offset: column('long', [203114]) }, 1)
    const text = createCellText(UTC, '–')
    expect([text('trades', { batch, row: 0 }), text('_offset', { batch, row: 0 })]).toEqual(['203,114', '203114'])
  })
})

describe('CSV', () => {
  it('has a head, plain numbers, times in UTC, quotes only where they are needed, and empty cells for nothing', () => {
    const batch = batchOf(
      {
        at: column('timestamp', [1_394_410_200_123_456, 0, 0]),
        price: column('decimal', [123456, 1, 1], { scale: 2 }),
        note: words('string', 'plain', 'a, "b"', 'two\nlines'),
        conditions: words('list', ['XT', 'CX'], [], ['SP']),
        side: column('enum', [0, 0, 0], { words: ['BUY'], nulls: Uint8Array.of(0, 1, 0) }),
      },
      3,
    )
    const rows = [0, 1, 2].map(row => ({ batch, row }))
    const epoch = '1970-01-01T00:00:00.000000Z'
    expect(csvText(['at', 'price', 'note', 'conditions', 'side'], rows).split('\r\n')).toEqual([
      'at,price,note,conditions,side',
      '2014-03-10T00:10:00.123456Z,1234.56,plain,XT CX,BUY',
      `${epoch},0.01,"a, ""b""",,`,
      `${epoch},0.01,"two\nlines",SP,BUY`,
      '',
    ])
  })
})
