// Numbers as people read them.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ageText, grouped, groupedDecimal, rateText } from '../../../src/renderer/ui/decimal-text.ts'

describe('an exact decimal', () => {
  it.each([
    [3_618_000_000, 8, 2, '36.18'],
    [3_600_000_000, 8, 2, '36.00'],
    [3_618_500_000, 8, 2, '36.185'],
    [3_600_000_000, 8, 0, '36'],
    [6_420_002_000_000, 8, 2, '64,200.02'],
    [-123_456_789, 2, 2, '−1,234,567.89'],
    [5, 8, 2, '0.00000005'],
    [0, 8, 2, '0.00'],
    [7, 0, 2, '7.00'],
    [123_456_789_012_345_678n, 8, 2, '1,234,567,890.12345678'],
  ])('(%s, scale %i, at least %i decimals) reads %s', (unscaled, scale, decimals, text) => {
    expect(groupedDecimal(unscaled, scale, decimals)).toBe(text)
  })

  it('never says anything but the number', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }),
        fc.integer({ min: 0, max: 8 }),
        fc.integer({ min: 0, max: 8 }),
        (unscaled, scale, decimals) => {
          const text = groupedDecimal(unscaled, scale, decimals)
          const [whole, fraction = ''] = text.replaceAll(',', '').replace('−', '-').split('.')
          expect(fraction.length).toBeGreaterThanOrEqual(decimals)
          const shown = BigInt(whole + fraction.padEnd(8, '0'))
          expect(shown).toBe(unscaled * 10n ** BigInt(8 - scale))
        },
      ),
    )
  })
})

describe('a count', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [65_536, '65,536'],
    [1_234_567, '1,234,567'],
    [-1500, '−1,500'],
  ])('%i reads %s', (count, text) => {
    expect(grouped(count)).toBe(text)
  })
})

describe('a rate', () => {
  it.each([
    [0, '0'],
    [0.04, '0'],
    [0.42, '0.4'],
    [9.94, '9.9'],
    [9.96, '10'],
    [2013.4, '2,013'],
  ])('%d a second reads %s', (rate, text) => {
    expect(rateText(rate)).toBe(text)
  })
})

describe('an age', () => {
  it.each([
    [-5, '0 ms'],
    [37.4, '37 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [4249, '4.2 s'],
    [9960, '10 s'],
    [119_000, '119 s'],
    [300_000, '5 min'],
    [7_300_000, '2 h'],
  ])('%d ms reads %s', (ms, text) => {
    expect(ageText(ms)).toBe(text)
  })
})
