import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../../../src/main/lake/iceberg/schema.ts'
import { compareValues, decodeValue, encodeValue } from '../../../../src/main/lake/iceberg/single-value.ts'
import { truncateBounds } from '../../../../src/main/lake/iceberg/truncate-bounds.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
/** Without half surrogates, which UTF-8 does not hold. */
const wellFormed = (value: string) => Buffer.from(value).toString()
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const text = fc.string({ unit: 'binary', maxLength: 40 })
const bytes = (length?: number) => fc.uint8Array({ minLength: length ?? 0, maxLength: length ?? 40 })

describe('a value in binary', () => {
  it.each<[string, Value, string]>([
    ['boolean', true, '01'],
    ['boolean', false, '00'],
    ['int', 1234, 'd2040000'],
    ['long', 1234n, 'd204000000000000'],
    ['float', -4.5, '000090c0'],
    ['double', 6, '0000000000001840'],
    ['date', 1000, 'e8030000'],
    ['time', 10_000_000_000n, '00e40b5402000000'],
    ['timestamp', 400_000n, '801a060000000000'],
    ['timestamptz', 400_000n, '801a060000000000'],
    ['string', 'ABC', '414243'],
    ['uuid', Buffer.from('f79c3e09677c4bbda4793f349cb785e7', 'hex'), 'f79c3e09677c4bbda4793f349cb785e7'],
    ['fixed[4]', Uint8Array.of(97, 98, 1, 2), '61620102'],
    ['binary', Uint8Array.of(0, 255), '00ff'],
    ['decimal(5, 2)', 12_345n, '3039'],
    ['decimal(7, 4)', -1_234_567n, 'ed2979'],
    ['decimal(9, 2)', 0n, '00'],
    ['decimal(9, 2)', -1n, 'ff'],
    ['decimal(9, 2)', 128n, '0080'],
    ['decimal(9, 2)', -128n, '80'],
    ['decimal(9, 2)', -129n, 'ff7f'],
    ['decimal(38, 0)', 2n ** 63n, '008000000000000000'],
  ])('%s %s is %s', (type, value, expected) => {
    const encoded = encodeValue(type, value)
    expect(hex(encoded)).toBe(expected)
    expect(compareValues(type, decodeValue(type, encoded), value)).toBe(0)
  })

  it.each<[string, fc.Arbitrary<Value>]>([
    ['int', fc.integer()],
    ['date', fc.integer()],
    ['long', long],
    ['timestamptz', long],
    ['double', fc.double()],
    ['float', fc.float()],
    ['decimal(38, 10)', fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n })],
    ['string', text],
    ['binary', bytes()],
    ['uuid', bytes(16)],
  ])('of type %s comes back', (type, values) => {
    fc.assert(
      fc.property(values, value => {
        const back = decodeValue(type, encodeValue(type, value))
        if (value instanceof Uint8Array) expect(hex(back as Uint8Array)).toBe(hex(value))
        else expect(back).toEqual(typeof value === 'string' ? wellFormed(value) : value)
      }),
    )
  })

  it('of a decimal is as short as it can be', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), value => {
        const { length } = encodeValue('decimal(38, 0)', value)
        expect(BigInt.asIntN(8 * length, value)).toBe(value)
        if (length > 1) expect(BigInt.asIntN(8 * (length - 1), value)).not.toBe(value)
      }),
    )
  })

  it('of a column promoted since is read by the width it has', () => {
    expect(decodeValue('long', encodeValue('int', -5))).toBe(-5n)
    expect(decodeValue('double', encodeValue('float', 1.5))).toBe(1.5)
    expect(decodeValue('decimal(38, 2)', encodeValue('decimal(4, 2)', -5n))).toBe(-5n)
  })

  it.each([
    ['int', 3],
    ['long', 7],
    ['uuid', 15],
    ['boolean', 0],
    ['decimal(9, 2)', 0],
    ['decimal(9, 2)', 17],
    ['timestamp_ns', 8],
  ])('of type %s and %s bytes is refused', (type, length) => {
    expect(() => decodeValue(type, new Uint8Array(length))).toThrow(RangeError)
  })
})

describe('the order of values', () => {
  it('of texts is that of their UTF-8', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [left, right] = [wellFormed(a), wellFormed(b)]
        const byBytes = Buffer.compare(Buffer.from(left), Buffer.from(right))
        expect(Math.sign(compareValues('string', left, right))).toBe(byBytes)
      }),
    )
    expect(compareValues('string', '\uffff', '😀')).toBeLessThan(0)
  })

  it('of floats has -0 before 0 and NaN last', () => {
    const order = [-Infinity, -1, -0, 0, 1, Infinity, NaN]
    for (const [i, a] of order.entries()) {
      for (const [j, b] of order.entries()) expect(Math.sign(compareValues('double', a, b))).toBe(Math.sign(i - j))
    }
  })

  it('of bytes is unsigned', () => {
    expect(compareValues('binary', Uint8Array.of(0x7f), Uint8Array.of(0x80))).toBeLessThan(0)
    expect(compareValues('binary', Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0)
  })
})

describe('truncated bounds', () => {
  it('still hold every value between, in as few code points or bytes as asked', () => {
    const check = (type: string, values: fc.Arbitrary<Value>, lengthOf: (value: Value) => number) =>
      fc.assert(
        fc.property(values, values, fc.integer({ min: 1, max: 20 }), (a, b, length) => {
          const [low, high] = compareValues(type, a, b) < 0 ? [a, b] : [b, a]
          const { lower, upper } = truncateBounds(low, high, length)
          expect(compareValues(type, lower, low)).toBeLessThanOrEqual(0)
          expect(lengthOf(lower)).toBeLessThanOrEqual(length)
          if (upper === undefined) return
          expect(compareValues(type, upper, high)).toBeGreaterThanOrEqual(0)
          expect(lengthOf(upper)).toBeLessThanOrEqual(length)
        }),
      )
    const texts = fc.string({ unit: fc.constantFrom('a', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '\u{10ffff}') })
    check('string', texts, value => [...(value as string)].length)
    check('binary', fc.uint8Array({ min: 250 }), value => (value as Uint8Array).length)
  })

  it('stay as they are where they are short', () => {
    expect(truncateBounds('BHP', 'RIO')).toEqual({ lower: 'BHP', upper: 'RIO' })
    expect(truncateBounds('x'.repeat(16), '😀'.repeat(16))).toEqual({ lower: 'x'.repeat(16), upper: '😀'.repeat(16) })
    expect(truncateBounds(1n, 2n)).toEqual({ lower: 1n, upper: 2n })
  })

  it('are the next text of that length upwards, passing over surrogates', () => {
    expect(truncateBounds('a', 'abc', 2).upper).toBe('ac')
    expect(truncateBounds('a', 'a\u{10ffff}c', 2).upper).toBe('b')
    expect(truncateBounds('a', 'a\ud7ffc', 2).upper).toBe('a\ue000')
    expect(truncateBounds(Uint8Array.of(1), Uint8Array.of(1, 255, 3), 2).upper).toEqual(Uint8Array.of(2))
    const one = Buffer.of(7, 7, 7)
    expect(truncateBounds<Uint8Array>(one, one, 2)).toEqual({ lower: Buffer.of(7, 7), upper: Uint8Array.of(7, 8) })
  })

  it('have no upper one where none is', () => {
    expect(truncateBounds('a', '\u{10ffff}'.repeat(3), 2).upper).toBeUndefined()
    expect(truncateBounds(Uint8Array.of(1), Uint8Array.of(255, 255, 255), 2).upper).toBeUndefined()
  })
})
