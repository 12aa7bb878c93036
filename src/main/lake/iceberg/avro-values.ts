// Single values of Avro files, beyond what messages in the log need: ids as texts, doubles, runs of fixed length.
import type { AvroType } from '../../market/avro-schemas.ts'
import {
  malformed,
  readBytes,
  readCount,
  readLong,
  readSize,
  readText,
  type Cursor,
} from '../../market/decode-primitives.ts'
import { putLong, reserve, type ValueBuffer } from '../../market/value-buffer.ts'
import { expectType, attributesOf, type Step } from './avro-schema.ts'

const pair = new Int32Array(2)
const asBig = new BigInt64Array(pair.buffer)
let lastId = 0n
let lastIdText = '0'

export function readBig(cursor: Cursor): bigint {
  readLong(cursor, pair, 0)
  return asBig[0]
}

/** Most ids are the one before again. */
export function readId(cursor: Cursor): string {
  const id = readBig(cursor)
  if (id !== lastId) {
    lastId = id
    lastIdText = String(id)
  }
  return lastIdText
}

export function textAt(cursor: Cursor): string {
  readText(cursor)
  return cursor.bytes.toString('utf8', cursor.from, cursor.to)
}

/** Shows the file's memory. */
export function bytesAt(cursor: Cursor): Buffer {
  readBytes(cursor)
  return cursor.bytes.subarray(cursor.from, cursor.to)
}

export function fixedAt(cursor: Cursor, length: number): Buffer {
  if (!(length <= cursor.end - cursor.at)) malformed('it is cut off')
  return cursor.bytes.subarray(cursor.at, (cursor.at += length))
}

export function booleanAt(cursor: Cursor): boolean {
  return fixedAt(cursor, 1)[0] !== 0
}

export function sizeOfFixed(type: AvroType): number {
  const { size } = attributesOf(type)
  if (!(Number.isInteger(size) && (size as number) >= 0)) malformed('a fixed type without a size')
  return size as number
}

export function numberStep<T>(put: (target: T, value: number) => void): (type: AvroType) => Step<T> {
  return type => {
    expectType(type, 'int', 'long')
    return (cursor, target) => put(target, readSize(cursor))
  }
}

export function idStep<T>(put: (target: T, value: string) => void): (type: AvroType) => Step<T> {
  return type => {
    expectType(type, 'int', 'long')
    return (cursor, target) => put(target, readId(cursor))
  }
}

export function textStep<T>(put: (target: T, value: string) => void): (type: AvroType) => Step<T> {
  return type => {
    expectType(type, 'string')
    return (cursor, target) => put(target, textAt(cursor))
  }
}

export function bytesStep<T>(put: (target: T, value: Buffer) => void): (type: AvroType) => Step<T> {
  return type => {
    expectType(type, 'bytes', 'fixed')
    const size = attributesOf(type).type === 'fixed' ? sizeOfFixed(type) : undefined
    return (cursor, target) => put(target, size === undefined ? bytesAt(cursor) : fixedAt(cursor, size))
  }
}

export function booleanStep<T>(put: (target: T, value: boolean) => void): (type: AvroType) => Step<T> {
  return type => {
    expectType(type, 'boolean')
    return (cursor, target) => put(target, booleanAt(cursor))
  }
}

export function numbersStep<T>(put: (target: T, values: number[]) => void): (type: AvroType) => Step<T> {
  return type => {
    expectType(type, 'array')
    expectType(attributesOf(type).items as AvroType, 'int', 'long')
    return (cursor, target) => {
      const values: number[] = []
      eachItem(cursor, () => values.push(readSize(cursor)))
      put(target, values)
    }
  }
}

export function eachItem(cursor: Cursor, read: () => void): void {
  for (let count = readCount(cursor); count !== 0; count = readCount(cursor)) {
    for (; count > 0; count--) read()
    if (cursor.at > cursor.end) malformed('it is cut off')
  }
}

const TEN_SEPTETS = 10

/** Any 64-bit number; makes its own room. */
export function putBig(out: ValueBuffer, value: bigint): void {
  reserve(out, TEN_SEPTETS)
  if (Number.isSafeInteger(Number(value)) && value > -(2n ** 52n)) return putLong(out, Number(value))
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; rest > 0x7fn; rest >>= 7n) out.bytes[out.length++] = Number(rest & 0x7fn) | 0x80
  out.bytes[out.length++] = Number(rest)
}
