// Columns of values that all take the same number of bytes: DuckDB's vectors copied end to end, then turned into the
// typed arrays of the contract in one loop a column.
import { DuckDBDecimalType, DuckDBTypeId, type DuckDBType } from '@duckdb/node-api'
import type { Column } from '../../contract/columns.ts'
import { decimalText } from '../../contract/columns.ts'
import { isExactAsDouble } from '../market/decode-rows.ts'

/** Bytes of one value, and what so many of them are as a column. Bytes of null rows are zero. */
export interface FixedType {
  width: number
  toColumn: (bytes: ArrayBuffer) => Column
}

const TWO_32 = 2 ** 32

const types: Partial<Record<DuckDBTypeId, FixedType>> = {
  [DuckDBTypeId.BOOLEAN]: fixed(1, bytes => ({ type: 'boolean', values: new Uint8Array(bytes) })),
  [DuckDBTypeId.TINYINT]: fixed(1, bytes => ({ type: 'int', values: new Int32Array(new Int8Array(bytes)) })),
  [DuckDBTypeId.UTINYINT]: fixed(1, bytes => ({ type: 'int', values: new Int32Array(new Uint8Array(bytes)) })),
  [DuckDBTypeId.SMALLINT]: fixed(2, bytes => ({ type: 'int', values: new Int32Array(new Int16Array(bytes)) })),
  [DuckDBTypeId.USMALLINT]: fixed(2, bytes => ({ type: 'int', values: new Int32Array(new Uint16Array(bytes)) })),
  [DuckDBTypeId.INTEGER]: fixed(4, bytes => ({ type: 'int', values: new Int32Array(bytes) })),
  [DuckDBTypeId.UINTEGER]: fixed(4, bytes => ({ type: 'long', values: new Float64Array(new Uint32Array(bytes)) })),
  [DuckDBTypeId.BIGINT]: fixed(8, bytes => ({ type: 'long', values: exactLongs(bytes) })),
  [DuckDBTypeId.UBIGINT]: fixed(8, bytes => wideIntegers(widened(new BigUint64Array(bytes)))),
  [DuckDBTypeId.HUGEINT]: fixed(16, bytes => wideIntegers(hugeintsOf(bytes))),
  [DuckDBTypeId.UHUGEINT]: fixed(16, bytes => wideIntegers(hugeintsOf(bytes, wrapUnsigned))),
  [DuckDBTypeId.FLOAT]: fixed(4, bytes => ({ type: 'double', values: new Float64Array(new Float32Array(bytes)) })),
  [DuckDBTypeId.DOUBLE]: fixed(8, bytes => ({ type: 'double', values: new Float64Array(bytes) })),
  [DuckDBTypeId.DATE]: fixed(4, bytes => ({ type: 'date', values: new Int32Array(bytes) })),
  [DuckDBTypeId.TIMESTAMP]: fixed(8, bytes => ({ type: 'timestamp', values: doublesOf(bytes) })),
  [DuckDBTypeId.TIMESTAMP_TZ]: fixed(8, bytes => ({ type: 'timestamp', values: doublesOf(bytes) })),
  [DuckDBTypeId.TIMESTAMP_S]: fixed(8, bytes => ({ type: 'timestamp', values: doublesOf(bytes).map(s => s * 1e6) })),
  [DuckDBTypeId.TIMESTAMP_MS]: fixed(8, bytes => ({ type: 'timestamp', values: doublesOf(bytes).map(ms => ms * 1e3) })),
  [DuckDBTypeId.TIMESTAMP_NS]: fixed(8, bytes => ({ type: 'timestamp', values: microsOf(new BigInt64Array(bytes)) })),
}

/** Nothing for a type whose values are not all of the same size, or which the contract has no column for. */
export function fixedTypeOf(type: DuckDBType): FixedType | undefined {
  return type instanceof DuckDBDecimalType ? decimals(type) : types[type.typeId]
}

function fixed(width: number, toColumn: FixedType['toColumn']): FixedType {
  return { width, toColumn }
}

function decimals({ width, scale }: DuckDBDecimalType): FixedType {
  if (width <= 4)
    return fixed(2, bytes => ({ type: 'decimal', scale, values: new Float64Array(new Int16Array(bytes)) }))
  if (width <= 9)
    return fixed(4, bytes => ({ type: 'decimal', scale, values: new Float64Array(new Int32Array(bytes)) }))
  if (width <= 18) return fixed(8, bytes => ({ type: 'decimal', scale, values: exactLongs(bytes) }))
  return fixed(16, bytes => wideIntegers(hugeintsOf(bytes), scale))
}

// Both turn integers into doubles in their own place: fresh memory costs more than the loop does.

/** As doubles where every one is exact as a double, else as they are. */
function exactLongs(bytes: ArrayBuffer): Float64Array | BigInt64Array {
  const pairs = new Int32Array(bytes)
  const doubles = new Float64Array(bytes)
  for (let i = 0; i < doubles.length; i++) {
    const high = pairs[2 * i + 1]
    if (!isExactAsDouble(high)) return longsAgain(bytes, i)
    doubles[i] = high * TWO_32 + (pairs[2 * i] >>> 0)
  }
  return doubles
}

/** Of the first `count` values, which are doubles by now; the others are what they were. */
function longsAgain(bytes: ArrayBuffer, count: number): BigInt64Array {
  const doubles = new Float64Array(bytes)
  const longs = new BigInt64Array(bytes)
  for (let i = 0; i < count; i++) longs[i] = BigInt(doubles[i])
  return longs
}

function doublesOf(bytes: ArrayBuffer): Float64Array {
  const pairs = new Int32Array(bytes)
  const doubles = new Float64Array(bytes)
  for (let i = 0; i < doubles.length; i++) doubles[i] = pairs[2 * i + 1] * TWO_32 + (pairs[2 * i] >>> 0)
  return doubles
}

function microsOf(nanos: BigInt64Array): Float64Array {
  return Float64Array.from(nanos, value => Number((value - (((value % 1000n) + 1000n) % 1000n)) / 1000n))
}

/** Sums are 128 bits wide and mostly small. What does not fit 64 bits is said exactly all the same, as text. */
function wideIntegers(integers: readonly bigint[], scale?: number): Column {
  const type = scale === undefined ? { type: 'long' as const } : { type: 'decimal' as const, scale }
  if (integers.every(value => Number.isSafeInteger(Number(value))))
    return { ...type, values: Float64Array.from(integers, Number) }
  if (integers.every(value => BigInt.asIntN(64, value) === value))
    return { ...type, values: BigInt64Array.from(integers) }
  const words = integers.map(value => decimalText(value, scale ?? 0))
  return { type: 'string', values: Uint32Array.from(integers.keys()), words }
}

function widened(values: BigUint64Array): bigint[] {
  return Array.from(values)
}

const wrapSigned = (value: bigint) => BigInt.asIntN(128, value)
const wrapUnsigned = (value: bigint) => BigInt.asUintN(128, value)

function hugeintsOf(bytes: ArrayBuffer, wrap = wrapSigned): bigint[] {
  const halves = new BigUint64Array(bytes)
  return Array.from({ length: halves.length / 2 }, (_, i) => wrap((halves[2 * i + 1] << 64n) | halves[2 * i]))
}
