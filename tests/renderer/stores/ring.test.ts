// The ring behind the tape: what it holds, exactly, and what a held copy keeps.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnBatch } from '../../../src/contract/columns.ts'
import { appendRows, copyRing, createRing, heldRows, slotOf, unscaledAt } from '../../../src/renderer/stores/ring.ts'

function batchOf(prices: readonly (number | null)[], firstTime = 0): ColumnBatch {
  return {
    rowCount: prices.length,
    columns: {
      exchange_timestamp: { type: 'timestamp', values: Float64Array.from(prices, (_, row) => firstTime + row) },
      price: {
        type: 'decimal',
        scale: 2,
        values: Float64Array.from(prices, price => price ?? 0),
        nulls: Uint8Array.from(prices, price => (price === null ? 1 : 0)),
      },
    },
  }
}

const openRing = (capacity = 8) => createRing(capacity, ['price'] as const, ['row'] as const)
type TestRing = ReturnType<typeof openRing>

function rowsOf(ring: TestRing) {
  return Array.from({ length: heldRows(ring) }, (_, back) => {
    const slot = slotOf(ring, ring.end - 1 - back)
    return { price: unscaledAt(ring.decimals.price, slot), time: ring.time[slot], row: ring.codes.row[slot] }
  })
}

describe('a ring', () => {
  it('holds the newest rows however they were cut into batches', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 1e6 }), { maxLength: 30 }), { maxLength: 20 }),
        batches => {
          const ring = openRing()
          let row = 0
          for (const prices of batches) appendRows(ring, batchOf(prices, row), { row: () => row++ })
          const all = batches.flat().map((price, at) => ({ price, time: at, row: at }))
          expect(rowsOf(ring)).toEqual(all.slice(-8).reverse())
          expect(ring.end).toBe(all.length)
        },
      ),
    )
  })

  it('tells no value from zero', () => {
    const ring = openRing()
    appendRows(ring, batchOf([0, null]), { row: () => 0 })
    expect(rowsOf(ring).map(({ price }) => price)).toEqual([null, 0])
  })

  it('keeps what a double cannot hold, and forgets it with its row', () => {
    const ring = openRing(2)
    const exact = 9_007_199_254_740_993n
    const batch = batchOf([0, 0])
    batch.columns.price = { type: 'decimal', scale: 8, values: BigInt64Array.of(exact, 5n) }
    appendRows(ring, batch, { row: () => 0 })
    expect(rowsOf(ring).map(({ price }) => price)).toEqual([5, exact])
    appendRows(ring, batchOf([1, 2]), { row: () => 0 })
    expect(rowsOf(ring).map(({ price }) => price)).toEqual([2, 1])
    expect(ring.decimals.price.exact.size).toBe(0)
  })

  it('finds its rows after more of them than 32 bits count', () => {
    const ring = openRing()
    ring.end = 2 ** 33
    appendRows(ring, batchOf([1, 2, 3]), { row: () => 0 })
    expect(
      rowsOf(ring)
        .slice(0, 3)
        .map(({ price }) => price),
    ).toEqual([3, 2, 1])
  })

  it('stays as it was in a copy while the ring goes on', () => {
    const ring = openRing()
    appendRows(ring, batchOf([1, 2, 3]), { row: () => 0 })
    const copy = copyRing(ring)
    const before = rowsOf(copy)
    appendRows(ring, batchOf(Array.from({ length: 20 }, () => 9)), { row: () => 0 })
    expect(rowsOf(copy)).toEqual(before)
    expect(copy.end).toBe(3)
  })
})
