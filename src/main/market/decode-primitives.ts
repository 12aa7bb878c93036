// Avro's binary primitives, read without trusting a byte: whatever the bytes are, every read ends, stays inside the
// message or is found out at its end, and gives the exact value or throws.
//   long, int: zigzag varint, 7 bits a byte, low first · string, bytes: length as a long, then the bytes
//   decimal: bytes, big-endian two's complement of the unscaled number · union, enum: index as a long
import { isUtf8 } from 'node:buffer'
import type { ProblemReason } from './standard-batch.ts'

/** Where reading is, and the message's end. `bytes` and `view` show the same memory. */
export interface Cursor {
  bytes: Buffer
  view: DataView
  at: number
  end: number
  /** The last text or other run of bytes that was read: bytes[from … to). */
  from: number
  to: number
  /** Whether the varint in hand goes on. */
  more: boolean
  /** Of the message that was read last, runs that are no part of its fingerprint, in the order of their bytes. */
  leftOut: Int32Array
  leftOutCount: number
}

/** 64-bit integers are pairs of 32 bits, low half first: what BigInt64Array sees in the same memory. */
export type Pairs = Int32Array

/** One for each field that a second publication may change. */
const MOST_LEFT_OUT = 2
const TWO_32 = 2 ** 32
/** Beyond them a double no longer holds every microsecond: years 1684 to 2255. */
const MAX_MICROS = 2 ** 53
const MAX_DAYS = MAX_MICROS / 86_400e6
/** 10^18, the first number beyond decimal(18, 8), and its negative. */
const LIMIT = [0x0de0b6b3, 0xa7640000] as const
const NEGATIVE_LIMIT = [-0x0de0b6b4, 0x589c0000] as const

export function createCursor(bytes: Buffer = Buffer.alloc(0)): Cursor {
  const leftOut = new Int32Array(2 * MOST_LEFT_OUT)
  return { bytes, view: viewOf(bytes), at: 0, end: 0, from: 0, to: 0, more: false, leftOut, leftOutCount: 0 }
}

export function pointCursor(cursor: Cursor, bytes: Buffer): void {
  cursor.bytes = bytes
  cursor.view = viewOf(bytes)
}

/** What is wrong with a field, in a few words and in one. */
export class Malformed extends RangeError {
  readonly reason: ProblemReason

  constructor(what: string, reason: ProblemReason) {
    super(what)
    this.reason = reason
  }
}

export function malformed(what: string, reason: ProblemReason = 'undecodable'): never {
  throw new Malformed(what, reason)
}

/** A long as a double: for lengths, counts and indexes, which are all far below 2^53. */
export function readSize(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at]
  if (byte < 128) {
    cursor.at++
    return (byte >>> 1) ^ -(byte & 1)
  }
  readLong(cursor, scratch, 0)
  return scratch[1] * TWO_32 + (scratch[0] >>> 0)
}

export function readLong(cursor: Cursor, pairs: Pairs, row: number): void {
  const { bytes, view, at } = cursor
  // Times are of eight bytes and numbers of five: read as words, each in one go.
  if (at + 8 <= bytes.length) {
    const first = view.getInt32(at, true)
    const second = view.getInt32(at + 4, true)
    if ((first & MORE_EACH) === MORE_EACH) {
      if ((second & MORE_EACH) === MORE_BUT_LAST) {
        cursor.at = at + 8
        return putLong(pairs, row, septetsIn(first), septetsIn(second), 0)
      }
      if ((second & 0x80) === 0) {
        cursor.at = at + 5
        return putLong(pairs, row, septetsIn(first), second & 0x7f, 0)
      }
    }
  }
  const low = readSeptets(cursor)
  const middle = cursor.more ? readSeptets(cursor) : 0
  const high = cursor.more ? readSeptets(cursor) : 0
  if (cursor.more || high > 0xff) malformed('a number of more than 64 bits')
  putLong(pairs, row, low, middle, high)
}

/** In each byte of a word, whether the varint goes on: in all of them, and in all but the last one. */
const MORE_EACH = 0x80808080 | 0
const MORE_BUT_LAST = 0x00808080

/** Of a word whose first byte is its lowest. */
function septetsIn(word: number): number {
  return (word & 0x7f) | ((word >>> 1) & 0x3f80) | ((word >>> 2) & 0x1fc000) | ((word >>> 3) & 0xfe00000)
}

function putLong(pairs: Pairs, row: number, low: number, middle: number, high: number): void {
  const lower = low | (middle << 28)
  const upper = (middle >>> 4) | (high << 24)
  const sign = -(lower & 1)
  pairs[2 * row] = ((lower >>> 1) | (upper << 31)) ^ sign
  pairs[2 * row + 1] = (upper >>> 1) ^ sign
}

/** Up to four bytes of a varint. Past the end of the bytes it reads zeros, which the length check of the message finds out. */
function readSeptets(cursor: Cursor): number {
  const { bytes } = cursor
  let value = 0
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[cursor.at++]
    value |= (byte & 0x7f) << shift
    if (!(byte > 0x7f)) {
      cursor.more = false
      return value
    }
  }
  cursor.more = true
  return value
}

export function readMicros(cursor: Cursor, unit: number): number {
  readLong(cursor, scratch, 0)
  const micros = (scratch[1] * TWO_32 + (scratch[0] >>> 0)) * unit
  if (!(Math.abs(micros) < MAX_MICROS)) malformed('a time outside the years 1684 to 2255', 'out_of_range')
  return micros
}

/** Days since 1970. */
export function readDays(cursor: Cursor): number {
  const days = readSize(cursor)
  if (!(Math.abs(days) < MAX_DAYS)) malformed('a date outside the years 1684 to 2255', 'out_of_range')
  return days
}

export function readBoolean(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at++]
  if (!(byte <= 1)) malformed(`${byte} where there is to be 0 or 1`)
  return byte
}

/** Bytes with their length before them. */
export function readBytes(cursor: Cursor): void {
  const size = readSize(cursor)
  if (!(size >= 0 && size <= cursor.end - cursor.at)) malformed('a length beyond the end of the message')
  cursor.from = cursor.at
  cursor.to = cursor.at += size
}

export function readText(cursor: Cursor): void {
  readBytes(cursor)
  const { bytes, view, from, to } = cursor
  let at = from
  let high = 0
  for (; at < to - 3; at += 4) high |= view.getInt32(at, true)
  for (; at < to; at++) high |= bytes[at]
  // Nearly all text is ASCII; what is not is looked at properly.
  if (high & 0x80808080 && !isUtf8(bytes.subarray(from, to))) malformed('text that is not UTF-8')
}

/** How many items the next block of a list or map has; 0 ends it. An item takes a byte at least. */
export function readCount(cursor: Cursor): number {
  let count = readSize(cursor)
  if (count < 0) {
    count = -count
    readSize(cursor)
  }
  if (!(count <= cursor.end - cursor.at)) malformed('more items than the message has bytes')
  return count
}

export function readIndex(cursor: Cursor, length: number): number {
  const index = readSize(cursor)
  if (!(index >= 0 && index < length)) malformed(`choice ${index} of ${length}`)
  return index
}

/** The bytes after their length as an unscaled number; what is not a decimal(18, 8) is refused. */
export function readDecimal(cursor: Cursor, pairs: Pairs, row: number): void {
  readBytes(cursor)
  const { bytes, view, from, to } = cursor
  const size = to - from
  if (size === 0) malformed('a decimal without digits')
  if (size < 8 && to >= 8) {
    // Too few for more digits than there may be; what comes before them is shifted out.
    const shift = size > 4 ? 64 - 8 * size : 32 - 8 * size
    const word = (view.getInt32(size > 4 ? to - 8 : to - 4) << shift) >> shift
    pairs[2 * row] = size > 4 ? view.getInt32(to - 4) : word
    pairs[2 * row + 1] = size > 4 ? word : word >> 31
    return
  }
  const sign = bytes[from] > 0x7f ? -1 : 0
  let at = from
  for (; at < to - 8; at++) if (bytes[at] !== (sign & 0xff)) malformed('a number beyond decimal(18, 8)', 'out_of_range')
  let low: number = sign
  let high: number = sign
  for (; at < to; at++) {
    high = (high << 8) | (low >>> 24)
    low = (low << 8) | bytes[at]
  }
  if (high >> 31 !== sign || isBeyondDecimal(high, low)) malformed('a number beyond decimal(18, 8)', 'out_of_range')
  pairs[2 * row] = low
  pairs[2 * row + 1] = high
}

/** A decimal written at another scale: exact, or refused. `digits` is how many places are to be added. */
export function readRescaledDecimal(cursor: Cursor, digits: number, pairs: Pairs, row: number): void {
  readDecimal(cursor, pairs, row)
  const unscaled = (BigInt(pairs[2 * row + 1]) << 32n) | BigInt(pairs[2 * row] >>> 0)
  const factor = 10n ** BigInt(Math.abs(digits))
  if (digits < 0 && unscaled % factor !== 0n) malformed('a number of more than 8 decimal places', 'out_of_range')
  const rescaled = digits < 0 ? unscaled / factor : unscaled * factor
  if (rescaled >= 10n ** 18n || rescaled <= -(10n ** 18n)) malformed('a number beyond decimal(18, 8)', 'out_of_range')
  pairs[2 * row] = Number(BigInt.asIntN(32, rescaled))
  pairs[2 * row + 1] = Number(rescaled >> 32n)
}

function isBeyondDecimal(high: number, low: number): boolean {
  if (high >= LIMIT[0]) return high > LIMIT[0] || low >>> 0 >= LIMIT[1]
  if (high <= NEGATIVE_LIMIT[0]) return high < NEGATIVE_LIMIT[0] || low >>> 0 <= NEGATIVE_LIMIT[1]
  return false
}

const scratch = new Int32Array(2)

export function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
