// Iceberg's binary form of one value, in which bounds are written (Appendix D of the specification):
//   boolean: 1 byte · int, date: 4 · long, time, timestamp(tz): 8 · float: 4 · double: 8, all little-endian
//   string: UTF-8 · uuid, fixed, binary: as they are · decimal: unscaled, two's complement, big-endian, the shortest
import { compareBytes, compareTexts } from './order.ts'
import { primitiveOf } from './primitive.ts'
import type { PrimitiveType, Value } from './schema.ts'

export function encodeValue(type: PrimitiveType, value: Value): Uint8Array {
  switch (primitiveOf(type)?.kind) {
    case 'boolean':
      return Uint8Array.of(value ? 1 : 0)
    case 'int':
    case 'date':
      return filled(4, bytes => bytes.writeInt32LE(value as number))
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return filled(8, bytes => bytes.writeBigInt64LE(BigInt(value as bigint)))
    case 'float':
      return filled(4, bytes => bytes.writeFloatLE(value as number))
    case 'double':
      return filled(8, bytes => bytes.writeDoubleLE(value as number))
    case 'decimal':
      return encodeUnscaled(BigInt(value as bigint))
    case 'string':
      return Buffer.from(value as string)
    case 'uuid':
    case 'fixed':
    case 'binary':
      return value as Uint8Array
    default:
      throw new RangeError(`${type} has no binary form here`)
  }
}

/**
 * A width that the type cannot have is a RangeError. A bound written before its column was promoted (int to long,
 * float to double, date to timestamp is no such promotion) is read by the width it has.
 */
export function decodeValue(type: PrimitiveType, bytes: Uint8Array): Value {
  const buffer = asBuffer(bytes)
  switch (primitiveOf(type)?.kind) {
    case 'boolean':
      return sized(type, buffer, 1)[0] !== 0
    case 'int':
    case 'date':
      return sized(type, buffer, 4).readInt32LE()
    case 'long':
      return buffer.length === 4 ? BigInt(buffer.readInt32LE()) : sized(type, buffer, 8).readBigInt64LE()
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return sized(type, buffer, 8).readBigInt64LE()
    case 'float':
      return sized(type, buffer, 4).readFloatLE()
    case 'double':
      return buffer.length === 4 ? buffer.readFloatLE() : sized(type, buffer, 8).readDoubleLE()
    case 'decimal':
      return decodeUnscaled(buffer)
    case 'string':
      return buffer.toString()
    case 'uuid':
      return sized(type, buffer, 16)
    case 'fixed':
    case 'binary':
      return bytes
    default:
      throw new RangeError(`${type} has no binary form here`)
  }
}

/** Negative, zero or positive, in Iceberg's order: texts by their UTF-8, NaN after all numbers, -0 before 0. */
export function compareValues(type: PrimitiveType, a: Value, b: Value): number {
  if (typeof a === 'string') return compareTexts(a, b as string)
  if (a instanceof Uint8Array) return compareBytes(a, b as Uint8Array)
  if (a < b) return -1
  if (a > b) return 1
  return typeof a === 'number' && (type === 'float' || type === 'double') ? compareEqualNumbers(a, b as number) : 0
}

/** Of two numbers that are neither less nor greater: equal, zeros of different sign, or NaN among them. */
function compareEqualNumbers(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a === 0 ? Number(Object.is(b, -0)) - Number(Object.is(a, -0)) : 0
}

export function encodeUnscaled(value: bigint): Uint8Array {
  // Most decimals here fit 64 bits; those are written and their leading sign bytes dropped.
  if (BigInt.asIntN(64, value) === value) {
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeBigInt64BE(value)
    const sign = value < 0n ? 0xff : 0
    let from = 0
    while (from < 7 && bytes[from] === sign && (bytes[from + 1] & 0x80) === (sign & 0x80)) from++
    return bytes.subarray(from)
  }
  let length = 9
  while (BigInt.asIntN(8 * length, value) !== value) length++
  return Buffer.from(
    BigInt.asUintN(8 * length, value)
      .toString(16)
      .padStart(2 * length, '0'),
    'hex',
  )
}

/** Up to 16 bytes hold 38 digits, the most a decimal has. */
const MAX_DECIMAL_BYTES = 16

function decodeUnscaled(bytes: Buffer): bigint {
  if (bytes.length === 0 || bytes.length > MAX_DECIMAL_BYTES) {
    throw new RangeError(`a decimal of ${bytes.length} bytes`)
  }
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`))
}

function filled(length: number, fill: (bytes: Buffer) => void): Uint8Array {
  const bytes = Buffer.allocUnsafe(length)
  fill(bytes)
  return bytes
}

function sized(type: PrimitiveType, bytes: Buffer, length: number): Buffer {
  if (bytes.length !== length) throw new RangeError(`${type} of ${bytes.length} bytes`)
  return bytes
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
