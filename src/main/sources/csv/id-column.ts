// Ids that differ in every row, written as bytes into one buffer: a string made of parts for each row would be most of
// the cost of a row, and nearly all of its garbage.
import type { Column } from '../../../contract/columns.ts'
import { packedColumn } from '../../market/packed-texts.ts'

export interface IdMaker {
  begin: (capacity: number) => void
  /** The id of this row from here on; one that was begun for the same row before is forgotten. */
  open: (row: number) => void
  putBytes: (bytes: Uint8Array, from: number, to: number) => void
  /** A whole number in decimal. */
  putNumber: (value: number) => void
  close: (row: number) => void
  /** Appends the id of a row of another column. */
  putId: (ids: IdMaker, row: number) => void
  /** Where the id of a row lies, until more is put. */
  readonly bytes: Uint8Array
  startOf: (row: number) => number
  endOf: (row: number) => number
  finish: (rowCount: number) => Column
}

const USUAL_BYTES = 40
/** Of a batch beyond those of the one before. */
const SPARE_SHARE = 1.05
const [MINUS, ZERO] = [45, 48]
const LONGEST_NUMBER = 18
const [BILLION, BILLION_DIGITS] = [1e9, 9]

export function makeIds(): IdMaker {
  let bytes = Buffer.alloc(0)
  let ends = new Uint32Array(0)
  let at = 0
  let usual = USUAL_BYTES
  const digits = new Uint8Array(LONGEST_NUMBER)

  function reserve(count: number): void {
    if (at + count <= bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes.length * 2, at + count))
    larger.set(bytes.subarray(0, at))
    bytes = larger
  }

  /** Those of a number below 2^31, the last one first; gives how many there are then. */
  function putDigits(value: number, count: number): number {
    let left = value | 0
    do {
      const rest = (left / 10) | 0
      digits[count++] = left - rest * 10
      left = rest
    } while (left > 0)
    return count
  }

  function putBytes(source: Uint8Array, from: number, to: number): void {
    reserve(to - from)
    for (let i = from; i < to; i++) bytes[at++] = source[i]
  }
  const startOf = (row: number) => (row === 0 ? 0 : ends[row - 1])

  return {
    begin(capacity) {
      bytes = Buffer.allocUnsafeSlow(Math.ceil(capacity * usual))
      ends = new Uint32Array(capacity)
      at = 0
    },
    open: row => void (at = startOf(row)),
    putBytes,
    putNumber(value) {
      reserve(LONGEST_NUMBER)
      if (value < 0) bytes[at++] = MINUS
      const size = Math.abs(value)
      // Divisions of 32-bit integers cost a third of those of doubles.
      const high = Math.floor(size / BILLION)
      let count = putDigits(size - high * BILLION, 0)
      if (high > 0) {
        while (count < BILLION_DIGITS) digits[count++] = 0
        count = putDigits(high, count)
      }
      while (count > 0) bytes[at++] = ZERO + digits[--count]
    },
    close: row => void (ends[row] = at),
    putId: (ids, row) => putBytes(ids.bytes, ids.startOf(row), ids.endOf(row)),
    get bytes() {
      return bytes
    },
    startOf,
    endOf: row => ends[row],
    finish(rowCount) {
      if (rowCount > 0) usual = (ends[rowCount - 1] / rowCount) * SPARE_SHARE
      return packedColumn({ bytes, ends: ends.subarray(0, rowCount) })
    },
  }
}
