// Exact sums and quotients of scaled integers: doubles as long as they are exact, BigInt beyond.
import type { Column } from '../../../contract/columns.ts'

/** A whole number: a double below 2^53 in size, else a BigInt. */
export type Exact = number | bigint

/** Of every price and quantity of the tables. */
export const PLACES = 8

const LIMIT = Number.MAX_SAFE_INTEGER

export function addExact(a: Exact, b: Exact): Exact {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (sum <= LIMIT && sum >= -LIMIT) return sum
  }
  return shrunk(BigInt(a) + BigInt(b))
}

export function timesPowerOfTen(value: Exact, power: number): Exact {
  if (power === 0) return value
  if (typeof value === 'number' && Math.abs(value) <= LIMIT / 10 ** power) return value * 10 ** power
  return shrunk(BigInt(value) * 10n ** BigInt(power))
}

/** A decimal as a whole number with eight places, so that columns of different scales agree. */
export function eightPlaces({ values, scale = 0 }: Column, row: number): Exact {
  const value = values[row]
  return timesPowerOfTen(typeof value === 'bigint' ? shrunk(value) : value, PLACES - scale)
}

/** As a double again where that is exact. */
export function shrunk(value: bigint): Exact {
  const double = Number(value)
  return Number.isSafeInteger(double) ? double : value
}

/**
 * numerator × 10^places / denominator, rounded half to even. The denominator is above zero.
 * Digits come a few at a time, as many as keep each step exact as a double.
 */
export function divideHalfEven(numerator: Exact, denominator: Exact, places: number): Exact {
  if (typeof numerator === 'number' && typeof denominator === 'number' && numerator >= 0) {
    const found = divideDoubles(numerator, denominator, places)
    if (found !== undefined) return found
  }
  return shrunk(divideWide(BigInt(numerator) * 10n ** BigInt(places), BigInt(denominator)))
}

function divideDoubles(numerator: number, denominator: number, places: number): number | undefined {
  let quotient = Math.floor(numerator / denominator)
  if (quotient * denominator > LIMIT) return undefined
  let rest = numerator - quotient * denominator
  if (rest < 0) {
    quotient--
    rest += denominator
  } else if (rest >= denominator) {
    quotient++
    rest -= denominator
  }
  for (let left = places; left > 0;) {
    let digits = left
    while (digits > 0 && denominator * 10 ** digits > LIMIT) digits--
    const power = 10 ** digits
    if (digits === 0 || (quotient + 1) * power > LIMIT) return undefined
    const shifted = rest * power
    let more = Math.floor(shifted / denominator)
    rest = shifted - more * denominator
    if (rest < 0) {
      more--
      rest += denominator
    } else if (rest >= denominator) {
      more++
      rest -= denominator
    }
    quotient = quotient * power + more
    left -= digits
  }
  const isUp = rest > denominator - rest || (rest === denominator - rest && quotient % 2 === 1)
  return isUp ? quotient + 1 : quotient
}

function divideWide(numerator: bigint, denominator: bigint): bigint {
  const isNegative = numerator < 0n
  const size = isNegative ? -numerator : numerator
  let quotient = size / denominator
  const twice = (size % denominator) * 2n
  if (twice > denominator || (twice === denominator && quotient % 2n === 1n)) quotient++
  return isNegative ? -quotient : quotient
}
