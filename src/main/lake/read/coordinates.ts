// Values and bounds of every type as points on one line of doubles, so that pruning is comparing doubles in loops.
// Beyond 2^53, and in text after its first six bytes, a double does not hold all there is: then a lower point is at
// most, an upper point at least where the value stands, and what is pruned by them is pruned rightly.
import { primitiveOf, type PrimitiveKind } from '../iceberg/primitive.ts'
import type { IcebergType, Value } from '../iceberg/schema.ts'

/** How values of a type are kept in bounds and compared. */
export type Kind = 'boolean' | 'int' | 'long' | 'time' | 'float' | 'decimal' | 'bytes'

const kinds: Readonly<Record<PrimitiveKind, Kind>> = {
  boolean: 'boolean',
  int: 'int',
  date: 'int',
  long: 'long',
  time: 'time',
  timestamp: 'time',
  timestamptz: 'time',
  float: 'float',
  double: 'float',
  decimal: 'decimal',
  string: 'bytes',
  binary: 'bytes',
  fixed: 'bytes',
  uuid: 'bytes',
}

/** Undefined for lists, maps, structs and types that are not known here: nothing is pruned by those. */
export function kindOf(type: IcebergType): Kind | undefined {
  const primitive = typeof type === 'string' ? primitiveOf(type) : undefined
  return primitive && kinds[primitive.kind]
}

export function atMost(point: number): number {
  return isExact(point) ? point : point - Math.abs(point) * 2 ** -52
}

export function atLeast(point: number): number {
  return isExact(point) ? point : point + Math.abs(point) * 2 ** -52
}

function isExact(point: number): boolean {
  return Math.abs(point) < 2 ** 53 || !Number.isFinite(point)
}

/** The first six bytes as a number: in the order of bytes, which is that of text in UTF-8. */
export function prefixOf(bytes: Uint8Array): number {
  let number = 0
  for (let i = 0; i < 6; i++) number = number * 256 + (i < bytes.length ? bytes[i] : 0)
  return number
}

export function bytesOf(value: Value): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array)
}

/** A value's point before rounding. */
export function pointOf(value: Value): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return prefixOf(bytesOf(value))
  return Number(value)
}

/**
 * A bound's point before rounding; NaN when it tells nothing. Its width is taken as found: an int that became a long
 * has bounds of four bytes in older files, a float that became a double too.
 */
export function boundPoint(bytes: Uint8Array, kind: Kind): number {
  const { length } = bytes
  switch (kind) {
    case 'bytes':
      return prefixOf(bytes)
    case 'int':
      return length === 4 ? int32(bytes) : NaN
    case 'long':
      return length === 8 ? int64(bytes) : length === 4 ? int32(bytes) : NaN
    case 'time':
      return length === 8 ? int64(bytes) : NaN
    case 'float':
      return length === 8 ? viewOf(bytes).getFloat64(0, true) : length === 4 ? viewOf(bytes).getFloat32(0, true) : NaN
    case 'decimal':
      return length >= 1 && length <= 17 ? bigEndian(bytes) : NaN
    case 'boolean':
      return length === 1 ? Number(bytes[0] !== 0) : NaN
  }
}

function int32(bytes: Uint8Array): number {
  return bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24)
}

function int64(bytes: Uint8Array): number {
  const low = int32(bytes) >>> 0
  const high = bytes[4] | (bytes[5] << 8) | (bytes[6] << 16) | (bytes[7] << 24)
  return high * 2 ** 32 + low
}

function bigEndian(bytes: Uint8Array): number {
  if (bytes.length > 6)
    return Number(BigInt.asIntN(bytes.length * 8, BigInt('0x' + Buffer.from(bytes).toString('hex'))))
  let number = bytes[0] >= 128 ? -1 : 0
  for (const byte of bytes) number = number * 256 + byte
  return number
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
