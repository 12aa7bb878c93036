// Times and decimals out of DuckDB's vectors in one loop each: times as doubles, decimals as the smallest integers that say
// the same. 36.18 and 20.00 with eight places become 3618 and 2000 with two, in 32 bits where they fit, as doubles below
// 2^53, and with all their places in 64 bits beyond.
import { DuckDBDecimalType, DuckDBTypeId, type DuckDBType } from '@duckdb/node-api'
import type { Column } from '../../contract/columns.ts'

/** A column in the making, of as many rows as it was made for. */
export interface NarrowReader {
  /** Rows `from` up to `to` of a vector, of which these are the 64-bit values as pairs of 32 bits, low half first. */
  take: (pairs: Int32Array, from: number, to: number) => void
  /** A row without a value. */
  skip: () => void
  finish: () => Column
}

const TWO_32 = 2 ** 32
const LIMIT = Number.MAX_SAFE_INTEGER
const POWERS = Array.from({ length: 19 }, (_, k) => 10 ** k)

/** Whether `createNarrowReader` can read it. */
export function isNarrowable(type: DuckDBType): boolean {
  return isDecimal64(type) || type.typeId === DuckDBTypeId.TIMESTAMP_TZ
}

export function createNarrowReader(type: DuckDBType, rowCount: number): NarrowReader {
  return isDecimal64(type) ? readDecimals(type.scale, rowCount) : readTimes(rowCount)
}

function isDecimal64(type: DuckDBType): type is DuckDBDecimalType {
  return type instanceof DuckDBDecimalType && type.width > 9 && type.width <= 18
}

function readTimes(rowCount: number): NarrowReader {
  const values = new Float64Array(rowCount)
  const nulls = createNulls(rowCount)
  let at = 0
  return {
    take(pairs, from, to) {
      fillDoubles(pairs, from, to, values, at)
      at += to - from
    },
    skip: () => nulls.add(at++),
    finish: () => ({ type: 'timestamp', values, ...nulls.found() }),
  }
}

function readDecimals(scale: number, rowCount: number): NarrowReader {
  const nulls = createNulls(rowCount)
  /** Ten so often divides all that was taken; the values are what is left. */
  let k = scale
  let values: Int32Array | Float64Array | BigInt64Array = new Int32Array(rowCount)
  let at = 0

  /** For this value, which did not fit: fewer tens are taken out of all of them, or they get more bits. */
  function makeRoom(value: number): void {
    let fitting = k
    while (fitting > 0 && !divides(value, POWERS[fitting])) fitting--
    if (values instanceof BigInt64Array) return
    if (value > LIMIT || value < -LIMIT) {
      values = widened(values, at, POWERS[k])
      k = 0
      return
    }
    if (fitting < k) values = multiplied(values, at, POWERS[k - fitting])
    k = fitting
    if (values instanceof Int32Array && !isInt32(value / POWERS[k])) values = new Float64Array(values)
  }

  return {
    take(pairs, from, to) {
      for (let next = from; next < to;) {
        const until =
          values instanceof Int32Array
            ? fillIntegers(pairs, next, to, values, at, POWERS[k])
            : values instanceof Float64Array
              ? fillQuotients(pairs, next, to, values, at, POWERS[k])
              : fillLongs(pairs, next, to, values, at)
        at += until - next
        next = until
        if (next < to) makeRoom(doubleOf(pairs, next))
      }
    },
    skip: () => nulls.add(at++),
    finish: () => ({ type: 'decimal', scale: scale - k, values, ...nulls.found() }),
  }
}

function createNulls(rowCount: number) {
  let nulls: Uint8Array | undefined
  return {
    add(row: number) {
      nulls ??= new Uint8Array(rowCount)
      nulls[row] = 1
    },
    found: () => nulls && { nulls },
  }
}

function doubleOf(pairs: Int32Array, row: number): number {
  return pairs[2 * row + 1] * TWO_32 + (pairs[2 * row] >>> 0)
}

function fillDoubles(pairs: Int32Array, from: number, to: number, into: Float64Array, at: number): void {
  for (let row = from; row < to; row++) into[at++] = pairs[2 * row + 1] * TWO_32 + (pairs[2 * row] >>> 0)
}

// Each of these ends at the first value that does not fit, and gives its row.

/** Added and taken away again, it rounds to a whole number: without a branch, and in two thirds of the time. */
const ROUND = 2 ** 52 + 2 ** 51
/** Of the upper half of a value below 2^53 in size. */
const HIGH_LIMIT = 2 ** 21

/** A product with the inverse is off by less than a half, so what it gives back tells whether the power divides. */
function fillIntegers(
  pairs: Int32Array,
  from: number,
  to: number,
  into: Int32Array,
  at: number,
  power: number,
): number {
  const inverse = 1 / power
  for (let row = from, low = 2 * from; row < to; row++, low += 2) {
    const high = pairs[low + 1]
    const value = high * TWO_32 + (pairs[low] >>> 0)
    const whole = (value * inverse + ROUND - ROUND) | 0
    if (whole * power !== value || (high + HIGH_LIMIT) >>> 0 >= 2 * HIGH_LIMIT) return row
    into[at++] = whole
  }
  return to
}

function fillQuotients(
  pairs: Int32Array,
  from: number,
  to: number,
  into: Float64Array,
  at: number,
  power: number,
): number {
  for (let row = from; row < to; row++) {
    const value = pairs[2 * row + 1] * TWO_32 + (pairs[2 * row] >>> 0)
    const whole = Math.round(value / power)
    if (whole * power !== value || value > LIMIT || value < -LIMIT) return row
    into[at++] = whole
  }
  return to
}

function fillLongs(pairs: Int32Array, from: number, to: number, into: BigInt64Array, at: number): number {
  for (let row = from; row < to; row++) into[at++] = (BigInt(pairs[2 * row + 1]) << 32n) | BigInt(pairs[2 * row] >>> 0)
  return to
}

function divides(value: number, power: number): boolean {
  return Math.round(value / power) * power === value
}

const isInt32 = (value: number) => value === (value | 0)

/** What they stood for was below 2^53, so they still are. */
function multiplied(values: Int32Array | Float64Array, count: number, power: number): Int32Array | Float64Array {
  let isWide = values instanceof Float64Array
  for (let i = 0; i < count && !isWide; i++) isWide = !isInt32(values[i] * power)
  const more = isWide && values instanceof Int32Array ? new Float64Array(values.length) : values
  for (let i = 0; i < count; i++) more[i] = values[i] * power
  return more
}

function widened(values: Int32Array | Float64Array, count: number, power: number): BigInt64Array {
  const wide = new BigInt64Array(values.length)
  for (let i = 0; i < count; i++) wide[i] = BigInt(values[i]) * BigInt(power)
  return wide
}
