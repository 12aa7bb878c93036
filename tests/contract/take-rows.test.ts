import { expect, test } from 'vitest'
import { rowsOf, type ColumnBatch } from '../../src/contract/columns.ts'
import { reversedRows, takeRows, takeValues, viewRows } from '../../src/contract/take-rows.ts'

const batch: ColumnBatch = {
  rowCount: 4,
  columns: {
    symbol: { type: 'string', values: new Uint16Array([1, 0, 1, 0]), words: ['BHP', 'CSL'] },
    price: { type: 'decimal', scale: 2, values: new BigInt64Array([1n, 2n, 3n, 4n]) },
    size: { type: 'long', values: new Float64Array([10, 20, 30, 40]), nulls: new Uint8Array([0, 0, 1, 0]) },
  },
}
const rows = rowsOf(batch)

test('rows are given in the order asked for, again and again', () => {
  expect(rowsOf(takeRows(batch, Uint32Array.of(3, 0, 0, 2)))).toEqual([rows[3], rows[0], rows[0], rows[2]])
})

test('no rows are no rows', () => {
  expect(takeRows(batch, new Uint32Array(0))).toMatchObject({ rowCount: 0 })
})

test('a view shares the memory of what it shows', () => {
  const view = viewRows(batch, 1, 3)
  expect(rowsOf(view)).toEqual(rows.slice(1, 3))
  expect(view.columns.price.values.buffer).toBe(batch.columns.price.values.buffer)
})

test('turned round, the last row is the first and the batch stays as it was', () => {
  expect(rowsOf(reversedRows(batch))).toEqual(rows.toReversed())
  expect(rowsOf(batch)).toEqual(rows)
})

test.for([Float64Array, Int32Array, Uint32Array, Uint16Array, Uint8Array])('%o keep their kind and values', kind => {
  const values = kind.from([0, 1, 255, 7]).subarray(1)
  const taken = takeValues(values, Uint32Array.of(2, 0, 1))
  expect(taken).toEqual(kind.from([7, 1, 255]))
})

test('negative and 64-bit values come through', () => {
  expect(takeValues(Int32Array.of(-1, 5), Uint32Array.of(1, 0))).toEqual(Int32Array.of(5, -1))
  expect(takeValues(Float64Array.of(NaN, -0.5), Uint32Array.of(1, 0))).toEqual(Float64Array.of(-0.5, NaN))
  expect(takeValues(BigInt64Array.of(-(2n ** 63n), 1n), Uint32Array.of(1, 0))).toEqual(
    BigInt64Array.of(1n, -(2n ** 63n)),
  )
})
