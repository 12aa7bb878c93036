import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimalText } from '../../../../src/contract/columns.ts'
import { parseDecimal, parseLong } from '../../../../src/main/base/values/parse-number.ts'

const decimal = (text: string) => parseDecimal(Buffer.from(`,${text},`), 1, Buffer.byteLength(text) + 1)
const long = (text: string) => parseLong(Buffer.from(`,${text},`), 1, Buffer.byteLength(text) + 1)

const MOST = 10n ** 18n - 1n

describe('a decimal', () => {
  it('is read exactly, whatever its size', () => {
    fc.assert(
      fc.property(fc.bigInt(-MOST, MOST), unscaled => {
        const value = decimal(decimalText(unscaled, 8))
        expect(BigInt(value)).toBe(unscaled)
        expect(typeof value).toBe(Number.isSafeInteger(Number(unscaled)) ? 'number' : 'bigint')
      }),
      { numRuns: 2000 },
    )
  })

  it('is the same in any way to write it', () => {
    fc.assert(
      fc.property(
        fc.bigInt(-MOST, MOST),
        fc.nat(5),
        fc.nat(3),
        fc.integer({ min: -20, max: 20 }),
        (unscaled, zeros, pad, exponent) => {
          const text = decimalText(unscaled, 8)
          const padded =
            text.replace(/^-?/, sign => sign + '0'.repeat(pad)) + (text.includes('.') ? '0'.repeat(zeros) : '')
          expect(BigInt(decimal(padded))).toBe(unscaled)
          // The same number with its point elsewhere and an exponent that says so.
          const shifted = `${unscaled}e${-8 - exponent}`
          const restored = `${decimalText(unscaled * 10n ** 20n, 28 + exponent)}e${exponent}`
          if (exponent === 0) expect(BigInt(decimal(shifted))).toBe(unscaled)
          expect(BigInt(decimal(restored))).toBe(unscaled)
        },
      ),
    )
  })

  it.each([
    ['36.667', 3_666_700_000],
    ['.5', 50_000_000],
    ['5.', 500_000_000],
    ['+1', 100_000_000],
    ['-0', 0],
    ['0.0', 0],
    ['1e-05', 1000],
    ['1.5E3', 150_000_000_000],
    ['0.000000010000', 1],
  ])('may be written as %s', (text, unscaled) => {
    expect(decimal(text)).toBe(unscaled)
  })

  it.each([
    ['abc', 'is not a number'],
    ['', 'is not a number'],
    ['.', 'is not a number'],
    ['-', 'is not a number'],
    ['1,5', 'is not a number'],
    ['1 5', 'is not a number'],
    ['0x10', 'is not a number'],
    ['NaN', 'is not a number'],
    ['Infinity', 'is not a number'],
    ['1e', 'is not a number'],
    ['1\u0000', 'is not a number'],
    ['12345678901', 'has 11 integer digits, 10 at most'],
    ['1e10', 'has 11 integer digits, 10 at most'],
    ['1e9999', 'has 10000 integer digits, 10 at most'],
    ['0.000000001', 'has more than 8 decimals'],
    ['1e-9', 'has more than 8 decimals'],
  ])('%j is refused with the reason', (text, reason) => {
    expect(() => decimal(text)).toThrow(reason)
  })
})

describe('a whole number', () => {
  it('is read exactly over all 64 bits', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), value => {
        expect(BigInt(long(String(value)))).toBe(value)
      }),
    )
  })

  it.each([
    ['9223372036854775808', 'does not fit 64 bits'],
    ['1.0', 'is not a whole number'],
    ['', 'is not a whole number'],
    ['-', 'is not a whole number'],
    ['1e3', 'is not a whole number'],
  ])('%j is refused with the reason', (text, reason) => {
    expect(() => long(text)).toThrow(reason)
  })
})
