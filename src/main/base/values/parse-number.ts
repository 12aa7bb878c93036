// Numbers out of bytes, exactly: no double is ever in between that could not hold every digit.
import { BadValue, BeyondLimits } from './bad-value.ts'

const [PLUS, MINUS, DOT, ZERO, NINE] = [43, 45, 46, 48, 57]
/** decimal(18,8) */
const SCALE_DIGITS = 8
const INTEGER_DIGITS = 10
const SCALE_FACTOR = 1e8
/** Up to here, times 10^8, every number is exact as a double. */
const LARGEST_EXACT_WHOLE = 90_071_991
const POWERS = [1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 10, 1]
const LARGEST_LONG = 2n ** 63n - 1n
/** Digits of a number that is surely exact as a double. */
const SAFE_DIGITS = 15

/** The number times 10^8: a double while exact, 64-bit beyond. */
export function parseDecimal(bytes: Buffer, from: number, to: number): number | bigint {
  const isNegative = bytes[from] === MINUS
  let at = isNegative || bytes[from] === PLUS ? from + 1 : from
  let whole = 0
  let digits = 0
  let wholeDigits = 0
  for (; at < to; at++) {
    const digit = bytes[at] - ZERO
    if (digit < 0 || digit > 9) break
    digits++
    if (digit > 0 || wholeDigits > 0) wholeDigits++
    // Past the limit the number is refused below, whatever it is.
    if (wholeDigits <= INTEGER_DIGITS) whole = whole * 10 + digit
  }
  let fraction = 0
  let fractionDigits = 0
  if (at < to && bytes[at] === DOT) {
    for (at++; at < to; at++) {
      const digit = bytes[at] - ZERO
      if (digit < 0 || digit > 9) break
      digits++
      if (fractionDigits < SCALE_DIGITS) {
        fraction = fraction * 10 + digit
        fractionDigits++
      } else if (digit > 0) {
        return slowDecimal(bytes, from, to)
      }
    }
  }
  if (at < to || digits === 0 || wholeDigits > INTEGER_DIGITS) return slowDecimal(bytes, from, to)
  fraction *= POWERS[fractionDigits]
  if (whole <= LARGEST_EXACT_WHOLE) {
    const scaled = whole * SCALE_FACTOR + fraction
    return isNegative && scaled !== 0 ? -scaled : scaled
  }
  const scaled = BigInt(whole) * 100_000_000n + BigInt(fraction)
  return isNegative ? -scaled : scaled
}

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/

/** Numbers with an exponent, as programs print doubles, and the reasons of all that are refused. */
function slowDecimal(bytes: Buffer, from: number, to: number): number | bigint {
  const text = bytes.toString('latin1', from, to)
  const [, sign, whole = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? []
  if (sign === undefined || whole + fraction === '') throw new BadValue('is not a number')
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '') return 0
  /** How many zeros to append, or digits to take away, for a whole number of 10^-8. */
  const shift = SCALE_DIGITS - fraction.length + Number(exponent)
  const integerDigits = digits.length - fraction.length + Number(exponent)
  if (integerDigits > INTEGER_DIGITS)
    throw new BeyondLimits(`has ${integerDigits} integer digits, ${INTEGER_DIGITS} at most`)
  const kept = shift >= 0 ? digits + '0'.repeat(shift) : digits.slice(0, Math.max(0, digits.length + shift))
  const dropped = shift >= 0 ? '' : digits.slice(Math.max(0, digits.length + shift))
  if (/[1-9]/.test(dropped)) throw new BeyondLimits(`has more than ${SCALE_DIGITS} decimals`)
  const scaled = BigInt(sign === '-' ? `-${kept || '0'}` : kept || '0')
  return isExact(scaled) ? Number(scaled) : scaled
}

/** A signed 64-bit integer: a double while exact. */
export function parseLong(bytes: Buffer, from: number, to: number): number | bigint {
  const isNegative = bytes[from] === MINUS
  let at = isNegative || bytes[from] === PLUS ? from + 1 : from
  const digits = to - at
  if (digits === 0 || digits > 100) throw new BadValue('is not a whole number')
  let value = 0
  for (; at < to; at++) {
    const byte = bytes[at]
    if (byte < ZERO || byte > NINE) throw new BadValue('is not a whole number')
    value = value * 10 + byte - ZERO
  }
  if (digits <= SAFE_DIGITS) return isNegative && value !== 0 ? -value : value
  const exact = BigInt(bytes.toString('latin1', from, to).replace(/^\+/, ''))
  if (exact > LARGEST_LONG || exact < -LARGEST_LONG - 1n) throw new BeyondLimits('does not fit 64 bits')
  return isExact(exact) ? Number(exact) : exact
}

function isExact(value: bigint): boolean {
  return value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER
}
