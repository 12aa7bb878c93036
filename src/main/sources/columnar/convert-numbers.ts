// Numbers of other types and scales as decimals at scale 8 and 64-bit integers, exactly or not at all.
import { DECIMAL_SCALE } from '../../market/avro-schemas.ts'
import type { Column, Values } from '../../../contract/columns.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import { parseDecimal, parseLong } from '../../base/values/parse-number.ts'

type Exact = number | bigint

const INTEGER_DIGITS = 10
const BOUND = 10n ** BigInt(INTEGER_DIGITS + DECIMAL_SCALE)
const LARGEST_LONG = 2n ** 63n - 1n
/** Two decimals of so few digits are never the same double, so one that is found is the shortest. */
const FIFTEEN_DIGITS = 1e15

/** Reads one value of a source column as what the target holds. */
export type ReadNumber = (row: number) => Exact

export function decimalReader({ type, values, words, scale = 0 }: Column): ReadNumber {
  switch (type) {
    case 'double':
      return row => decimalOfDouble(Number(values[row]))
    case 'int':
    case 'long':
      return row => rescale(values[row], 0)
    case 'decimal':
      return row => rescale(values[row], scale)
    default:
      return parsedOnce(values, words as readonly string[], text => {
        const bytes = Buffer.from(text.trim())
        return parseDecimal(bytes, 0, bytes.length)
      })
  }
}

export function longReader({ type, values, words, scale = 0 }: Column): ReadNumber {
  switch (type) {
    case 'double':
      return row => longOfDouble(Number(values[row]))
    case 'int':
    case 'long':
      return row => values[row]
    case 'decimal':
      return row => wholePart(values[row], scale)
    default:
      return parsedOnce(values, words as readonly string[], text => {
        const bytes = Buffer.from(text.trim())
        return parseLong(bytes, 0, bytes.length)
      })
  }
}

/** By the shortest decimal that is this double; that is what was meant by whoever wrote 36.67. */
function decimalOfDouble(value: number): Exact {
  const scaled = Math.round(value * 1e8)
  // Division of exact integers rounds as reading a decimal does, so equality means: this decimal is read as this double.
  if (Math.abs(scaled) < FIFTEEN_DIGITS && scaled / 1e8 === value) return scaled === 0 ? 0 : scaled
  if (!Number.isFinite(value)) throw new BadValue('is not a finite number')
  const bytes = Buffer.from(String(value))
  return parseDecimal(bytes, 0, bytes.length)
}

function longOfDouble(value: number): number {
  if (!Number.isSafeInteger(value)) throw new BadValue('is not a whole number that a double holds exactly')
  return value
}

/** At scale 8. */
function rescale(value: Exact, scale: number): Exact {
  const places = DECIMAL_SCALE - scale
  if (places < 0) return inBounds(divided(value, 10n ** BigInt(-places), `has more than ${DECIMAL_SCALE} decimals`))
  if (typeof value === 'number') {
    const product = value * 10 ** places
    if (Number.isSafeInteger(product)) return product
  }
  return inBounds(BigInt(value) * 10n ** BigInt(places))
}

function wholePart(value: Exact, scale: number): Exact {
  const whole = divided(value, 10n ** BigInt(scale), 'is not a whole number')
  if (whole > LARGEST_LONG || whole < -LARGEST_LONG - 1n) throw new BadValue('does not fit 64 bits')
  return whole
}

function divided(value: Exact, by: bigint, reason: string): bigint {
  const exact = BigInt(value)
  if (exact % by !== 0n) throw new BadValue(reason)
  return exact / by
}

function inBounds(value: bigint): Exact {
  if (value >= BOUND || value <= -BOUND) throw new BadValue(`has more than ${INTEGER_DIGITS} integer digits`)
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

/** Each distinct text is parsed once, when it is first asked for. */
function parsedOnce(codes: Values, words: readonly string[], parse: (text: string) => Exact): ReadNumber {
  const parsed: (Exact | undefined)[] = []
  return row => {
    const code = Number(codes[row])
    return (parsed[code] ??= parse(words[code]))
  }
}

export interface ExactNumbers {
  put: (row: number, value: Exact) => void
  values: () => Float64Array | BigInt64Array
}

/** Doubles as long as every value is exact as one. */
export function createExactNumbers(rowCount: number): ExactNumbers {
  const doubles = new Float64Array(rowCount)
  let wide: BigInt64Array | undefined
  return {
    put(row, value) {
      if (typeof value === 'bigint' && !Number.isSafeInteger(Number(value)))
        wide ??= BigInt64Array.from(doubles, double => BigInt(double))
      if (wide) wide[row] = BigInt(value)
      else doubles[row] = Number(value)
    },
    values: () => wide ?? doubles,
  }
}
