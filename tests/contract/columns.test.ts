import fc from 'fast-check'
import { expect, it } from 'vitest'
import { cellOf, decimalText, emptyBatch, rowsOf, timestampMicros, timestampText } from '../../src/contract/columns.ts'
import { rowSchema } from '../../src/contract/fields.ts'
import { quotes, trades } from '../../src/contract/tables.ts'
import { tickBatch, tickRows } from '../support/sample.ts'

it('shows rows as JSON clients read them', () => {
  expect(rowsOf(tickBatch())).toEqual(tickRows)
})

it('writes decimals exactly and as short as they are', () => {
  expect(decimalText(3618, 2)).toBe('36.18')
  expect(decimalText(3600, 2)).toBe('36')
  expect(decimalText(-1n, 8)).toBe('-0.00000001')
  expect(decimalText(0, 8)).toBe('0')
  expect(decimalText(999_999_999_999_999_999n, 8)).toBe('9999999999.99999999')
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }), unscaled => {
      const [whole, fraction = ''] = decimalText(unscaled, 8).replace('-', '').split('.')
      const magnitude = BigInt(whole) * 10n ** 8n + BigInt(fraction.padEnd(8, '0'))
      expect(unscaled < 0n ? -magnitude : magnitude).toBe(unscaled)
    }),
  )
})

it('writes times in UTC with all six decimals, before 1970 too', () => {
  expect(timestampText(0)).toBe('1970-01-01T00:00:00.000000Z')
  expect(timestampText(1_412_283_434_754_001)).toBe('2014-10-02T20:57:14.754001Z')
  expect(timestampText(-1)).toBe('1969-12-31T23:59:59.999999Z')
  // The last that a Date can be, the one after it, and what a damaged file may hold.
  expect(timestampText(8.64e18)).toBe('+275760-09-13T00:00:00.000000Z')
  expect(timestampText(8.64e18 + 86_400e6)).toBe('+275760-09-14T00:00:00.000000Z')
  expect(timestampText(-8.64e18 - 86_400e6)).toBe('-271821-04-19T00:00:00.000000Z')
  expect(timestampText(9_223_372_036_854_775_000)).toMatch(/^\+294247-01-10T04:00:54\.\d{6}Z$/)
})

it('reads the times that it writes', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 53), max: 2 ** 52 }), micros => {
      expect(timestampMicros(timestampText(micros))).toBe(micros)
    }),
  )
})

it('says null where there is no value, whatever the type', () => {
  const nulls = Uint8Array.of(1)
  expect(cellOf({ type: 'decimal', values: Float64Array.of(5), scale: 0, nulls }, 0)).toBeNull()
  expect(cellOf({ type: 'string', values: Uint8Array.of(0), words: ['x'], nulls }, 0)).toBeNull()
  expect(cellOf({ type: 'boolean', values: Uint8Array.of(1) }, 0)).toBe(true)
})

it('names its columns when it has no rows', () => {
  expect(Object.keys(emptyBatch(trades.columns).columns)).toEqual(trades.columns.map(({ name }) => name))
  expect(rowsOf(emptyBatch(quotes.columns))).toEqual([])
})

it('describes a row of every table by its declaration', () => {
  const row = Object.fromEntries(trades.columns.map(({ name }) => [name, null]))
  const problems = rowSchema(trades)
    .safeParse(row)
    .error!.issues.map(issue => issue.path[0])
  expect(problems).toEqual(trades.columns.filter(({ required }) => required).map(({ name }) => name))
})
