// Numbers of the contract's columns in the width DuckDB keeps them in.
import { DuckDBDecimalType, DuckDBTypeId, type DuckDBType } from '@duckdb/node-api'
import type { Values } from '../../contract/columns.ts'
import { Failure } from '../../contract/failure.ts'

const LARGEST_DECIMAL = 10n ** 18n

/** Bytes of one value in a vector: 8, 4 or 1. */
export function bytesOf(type: DuckDBType): 1 | 4 | 8 {
  if (type instanceof DuckDBDecimalType && type.width > 9 && type.width <= 18) return 8
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return 1
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.DATE:
      return 4
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.DOUBLE:
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_TZ:
      return 8
    default:
      throw new Error(`Columns of type ${type.toString()} are not written`)
  }
}

/** Values of 64-bit integers: as doubles where they come so, else the low and high half of each. Doubles by their bits. */
export function to64Bits(values: Values, from: string, scale = 0, toScale?: number): Float64Array | Uint32Array {
  if (from === 'double') return new Uint32Array(new Float64Array(values as Float64Array).buffer)
  const scaled = toScale === undefined || toScale === scale ? values : rescale(values, toScale - scale)
  if (!(scaled instanceof BigInt64Array)) return scaled instanceof Float64Array ? scaled : new Float64Array(scaled)
  if (toScale !== undefined) scaled.forEach(checkDecimal)
  return new Uint32Array(scaled.buffer, scaled.byteOffset, scaled.length * 2)
}

export function rescale(values: Values, places: number): BigInt64Array {
  const factor = 10n ** BigInt(Math.abs(places))
  return BigInt64Array.from(Array.from(values as Float64Array, BigInt), value => {
    if (places >= 0) return checkDecimal(value * factor)
    if (value % factor !== 0n)
      throw new Failure('INVALID_INPUT', `A decimal has more than the places its column keeps.`)
    return value / factor
  })
}

function checkDecimal(value: bigint): bigint {
  if (value < LARGEST_DECIMAL && value > -LARGEST_DECIMAL) return value
  throw new Failure('INVALID_INPUT', `A decimal has more than the 18 digits that its column keeps.`)
}

export function toInts(values: Values): Int32Array {
  if (values instanceof BigInt64Array) return Int32Array.from(values, Number)
  return values instanceof Int32Array ? values : new Int32Array(values)
}

/** Codes as 32-bit ones, every one that counts within the words. */
export function toCodes(values: Values, nulls: Uint8Array | undefined, wordCount: number): Uint32Array {
  const codes = codesOf(values)
  for (let row = 0; row < codes.length; row++)
    if (codes[row] >= wordCount && !nulls?.[row])
      throw new Error(`Row ${row} has code ${codes[row]} of ${wordCount} words`)
  return codes
}

function codesOf(values: Values): Uint32Array {
  if (values instanceof BigInt64Array) return Uint32Array.from(values, Number)
  return values instanceof Uint32Array ? values : new Uint32Array(values)
}
