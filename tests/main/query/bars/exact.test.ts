import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addExact, divideHalfEven, timesPowerOfTen } from '../../../../src/main/query/bars/exact.ts'

const whole = fc.oneof(
  fc.bigInt({ min: 0n, max: 1_000_000n }),
  fc.bigInt({ min: 0n, max: 2n ** 54n }),
  fc.bigInt({ min: 0n, max: 10n ** 34n }),
)
const exact = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value)

describe('exact quotients', () => {
  it('are the nearest fraction, and the even one of two that are as near', () => {
    fc.assert(
      fc.property(whole, whole, fc.nat(8), (numerator, denominator, places) => {
        fc.pre(denominator > 0n)
        const found = BigInt(divideHalfEven(exact(numerator), exact(denominator), places))
        const shifted = numerator * 10n ** BigInt(places)
        const off = shifted - found * denominator
        const twice = 2n * (off < 0n ? -off : off)
        expect(twice < denominator || (twice === denominator && found % 2n === 0n)).toBe(true)
      }),
      { numRuns: 3_000 },
    )
  })

  it('round halves to even, also below zero', () => {
    const halves = [
      [5, 10],
      [15, 10],
      [25, 10],
      [-5, 10],
      [-15, 10],
      [-26, 10],
    ] as const
    expect(halves.map(([a, b]) => Number(divideHalfEven(a, b, 0)))).toEqual([0, 2, 2, 0, -2, -3])
  })

  it('have sums and powers beyond doubles to the last digit', () => {
    expect(addExact(Number.MAX_SAFE_INTEGER, 2)).toBe(9_007_199_254_740_993n)
    expect(addExact(9_007_199_254_740_993n, -2)).toBe(Number.MAX_SAFE_INTEGER)
    expect(timesPowerOfTen(9_999_999_999, 8)).toBe(999_999_999_900_000_000n)
  })
})
