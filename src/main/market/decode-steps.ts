// A message read field by field, in one loop over what each field is. The usual case of each kind is read right here, and
// what is seldom by the functions of decode-primitives.ts: a function for each field took a tenth to a quarter longer.
import {
  malformed,
  readCount,
  readDecimal,
  readIndex,
  readLong,
  readMicros,
  readText,
  type Cursor,
  type Pairs,
} from './decode-primitives.ts'
import type { ReadField } from './decode-skip.ts'

/** What a field is; the last one is read by a function of its own. */
export const [TEXT, TIME, DECIMAL, LONG, ENUM, BLOCKS, FUNCTION] = [0, 1, 2, 3, 4, 5, 6] as const

/** All of one shape, so that the loop knows it. What is not kept goes to a place that nobody reads, as if to row 0. */
export interface Step {
  kind: number
  /** Which of its two branches is null; -1 for what is no union. */
  nullAt: number
  /** It is no part of a message's fingerprint. */
  isLeftOut: boolean
  isKept: boolean
  none: (row: number) => void
  take: ((cursor: Cursor, row: number) => void) | undefined
  times: { micros: Float64Array }
  numbers: { pairs: Pairs }
  codes: { codes: Uint8Array }
  /** Of a time, microseconds in its unit; of an enum, how many symbols; of blocks, texts in an item. */
  size: number
  /** Of an enum, by symbol; -1 for one that is none of the column's. */
  codeOf: Int32Array
  refuse: (index: number) => never
  read: ReadField
}

const nothing = () => {}

export const NOWHERE: Step = {
  kind: FUNCTION,
  nullAt: -1,
  isLeftOut: false,
  isKept: false,
  none: nothing,
  take: undefined,
  times: { micros: new Float64Array(1) },
  numbers: { pairs: new Int32Array(2) },
  codes: { codes: new Uint8Array(1) },
  size: 0,
  codeOf: new Int32Array(0),
  refuse: index => malformed(`choice ${index} of none`),
  read: nothing,
}

export function functionStep(read: ReadField): Step {
  return { ...NOWHERE, read }
}

const MORE_EACH = 0x80808080 | 0
const MORE_BUT_LAST = 0x00808080
const TWO_32 = 2 ** 32
/** Half of what readMicros takes: anything more is left to it. */
const MAX_HIGH = 2 ** 21

/**
 * Reads a field at the cursor. All kinds in one function that calls none where it can: measured, calls of one for each kind
 * took longer.
 */
export function readStep(step: Step, cursor: Cursor, row: number): void {
  const { bytes, view, end } = cursor
  let at = cursor.at
  if (step.nullAt >= 0) {
    const byte = bytes[at]
    let branch = byte >>> 1
    if (byte === 0 || byte === 2) at++
    else {
      branch = readIndex(cursor, 2)
      at = cursor.at
    }
    if (branch === step.nullAt) {
      cursor.at = at
      step.none(row)
      return
    }
  }
  const to8 = at + 8
  switch (step.kind) {
    case TEXT: {
      const size = bytes[at]
      const from = at + 1
      const to = from + (size >>> 1)
      if ((size & 0x81) === 0 && to <= end) {
        let high = 0
        let i = from
        for (; i < to - 3; i += 4) high |= view.getInt32(i, true)
        for (; i < to; i++) high |= bytes[i]
        if ((high & MORE_EACH) === 0) {
          cursor.from = from
          cursor.to = cursor.at = to
          if (step.take !== undefined) step.take(cursor, row)
          return
        }
      }
      cursor.at = at
      readText(cursor)
      if (step.take !== undefined) step.take(cursor, row)
      return
    }
    case TIME: {
      const { micros } = step.times
      if (to8 <= bytes.length && step.size === 1) {
        const first = view.getInt32(at, true)
        const second = view.getInt32(at + 4, true)
        if ((first & MORE_EACH) === MORE_EACH && (second & MORE_EACH) === MORE_BUT_LAST) {
          const middle = septetsIn(second)
          const lower = septetsIn(first) | (middle << 28)
          const upper = middle >>> 4
          if ((lower & 1) === 0 && upper < MAX_HIGH) {
            micros[step.isKept ? row : 0] = (upper >>> 1) * TWO_32 + (((lower >>> 1) | (upper << 31)) >>> 0)
            cursor.at = to8
            return
          }
        }
      }
      cursor.at = at
      micros[step.isKept ? row : 0] = readMicros(cursor, step.size)
      return
    }
    case DECIMAL: {
      const { pairs } = step.numbers
      const twice = bytes[at]
      const to = at + 1 + (twice >>> 1)
      if (twice >= 2 && twice < 16 && (twice & 1) === 0 && to <= end && to >= 8) {
        const size = twice >>> 1
        const i = step.isKept ? 2 * row : 0
        if (size > 4) {
          const shift = 64 - 8 * size
          pairs[i] = view.getInt32(to - 4)
          pairs[i + 1] = (view.getInt32(to - 8) << shift) >> shift
        } else {
          const shift = 32 - 8 * size
          const word = (view.getInt32(to - 4) << shift) >> shift
          pairs[i] = word
          pairs[i + 1] = word >> 31
        }
        cursor.at = to
        return
      }
      cursor.at = at
      readDecimal(cursor, pairs, step.isKept ? row : 0)
      return
    }
    case LONG: {
      cursor.at = at
      readLong(cursor, step.numbers.pairs, step.isKept ? row : 0)
      return
    }
    case ENUM: {
      let index = bytes[at] >>> 1
      if ((bytes[at] & 0x81) === 0 && index < step.size) cursor.at = at + 1
      else {
        cursor.at = at
        index = readIndex(cursor, step.size)
      }
      const code = step.codeOf[index]
      if (code < 0) step.refuse(index)
      step.codes.codes[step.isKept ? row : 0] = code
      return
    }
    case BLOCKS: {
      cursor.at = at
      readBlocks(cursor, step.size)
      if (step.take !== undefined) step.take(cursor, row)
      return
    }
    default:
      cursor.at = at
      step.read(cursor, row)
  }
}

function septetsIn(word: number): number {
  return (word & 0x7f) | ((word >>> 1) & 0x3f80) | ((word >>> 2) & 0x1fc000) | ((word >>> 3) & 0xfe00000)
}

function readBlocks(cursor: Cursor, textsInItem: number): void {
  const from = cursor.at
  for (let count = readCount(cursor); count !== 0; count = readCount(cursor))
    for (let left = count * textsInItem; left > 0; left--) readText(cursor)
  cursor.from = from
  cursor.to = cursor.at
}
