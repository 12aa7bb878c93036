// The values of a column as Arrow lays them out.
import { DataType } from 'apache-arrow'
import type { Column } from '../../../contract/columns.ts'

const TWO_32 = 2 ** 32

/** What `makeData` takes beside type, length and nulls. */
export function arrowValues(column: Column, type: DataType, rowCount: number): object {
  if (DataType.isUtf8(type)) return textsOf(column, rowCount, word => Buffer.from(wordText(word)))
  if (DataType.isBinary(type)) return textsOf(column, rowCount, word => Buffer.from(wordText(word), 'base64'))
  if (DataType.isBool(type)) return { data: bitsOf(column, rowCount) }
  if (DataType.isDecimal(type)) return { data: decimalsOf(column, type.scale, rowCount) }
  if (DataType.isInt(type) && type.bitWidth === 64) return { data: longsOf(column, rowCount) }
  if (DataType.isTimestamp(type)) return { data: longsOf(column, rowCount) }
  if (DataType.isFloat(type)) return { data: Float64Array.from(column.values as ArrayLike<number>) }
  return { data: Int32Array.from(column.values as ArrayLike<number>) }
}

function bitsOf({ values }: Column, rowCount: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rowCount / 64) * 8)
  for (let row = 0; row < rowCount; row++) if (Number(values[row]) === 1) bits[row >> 3] |= 1 << (row & 7)
  return bits
}

function longsOf({ values }: Column, rowCount: number): BigInt64Array {
  if (values instanceof BigInt64Array) return values
  const longs = new BigInt64Array(rowCount)
  const pairs = new Int32Array(longs.buffer)
  for (let row = 0; row < rowCount; row++) writePair(pairs, 2 * row, Number(values[row]))
  return longs
}

/** A whole number that a double holds, as 64 bits in two halves. */
function writePair(pairs: Int32Array, at: number, value: number): void {
  const high = Math.floor(value / TWO_32)
  pairs[at] = (value - high * TWO_32) | 0
  pairs[at + 1] = high
}

/** 128 bits each. Sums too wide for 64 come as texts. */
function decimalsOf(column: Column, scale: number, rowCount: number): Uint32Array {
  const { values, words, nulls, scale: from = 0 } = column
  const out = new Int32Array(rowCount * 4)
  const factor = 10n ** BigInt(Math.max(0, scale - from))
  for (let row = 0; row < rowCount; row++) {
    if (nulls?.[row]) continue
    const value = values[row]
    if (!words && from === scale && typeof value === 'number') {
      writePair(out, row * 4, value)
      out[row * 4 + 2] = out[row * 4 + 3] = value < 0 ? -1 : 0
    } else {
      writeWide(out, row * 4, words ? unscaled(wordText(words[Number(value)]), scale) : BigInt(value) * factor)
    }
  }
  return new Uint32Array(out.buffer)
}

function writeWide(out: Int32Array, at: number, value: bigint): void {
  for (let part = 0; part < 4; part++) out[at + part] = Number(BigInt.asIntN(32, value >> BigInt(32 * part)))
}

/** `-12.5` with 8 places as −1250000000. */
function unscaled(text: string, scale: number): bigint {
  const [whole, fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(scale, '0').slice(0, scale))
}

/** Every word once as bytes, then put end to end. */
function textsOf({ values, words = [], nulls }: Column, rowCount: number, encode: (word: Word) => Buffer): object {
  const encoded = new Array<Buffer | undefined>(words.length)
  const valueOffsets = new Int32Array(rowCount + 1)
  const parts: Buffer[] = []
  let at = 0
  for (let row = 0; row < rowCount; row++) {
    if (!nulls?.[row]) {
      const code = Number(values[row])
      const bytes = (encoded[code] ??= encode(words[code]))
      parts.push(bytes)
      at += bytes.length
    }
    valueOffsets[row + 1] = at
  }
  return { valueOffsets, data: Buffer.concat(parts, at) }
}

type Word = NonNullable<Column['words']>[number]

/** Lists and maps as JSON. */
function wordText(word: Word): string {
  return typeof word === 'string' ? word : word === null ? '' : JSON.stringify(word)
}
