// The cells of one column of a batch as Avro, straight from typed arrays: words are encoded once a batch, not once a row.
import type { Column, Word } from '../../../contract/columns.ts'
import type { ColumnSpec } from '../../../contract/tables.ts'
import { DECIMAL_SCALE } from '../../market/avro-schemas.ts'
import { packedTextsOf } from '../../market/packed-texts.ts'
import {
  createValueBuffer,
  endValue,
  putByte,
  putDecimal,
  putLong,
  putText,
  reserve,
  type ValueBuffer,
} from '../../market/value-buffer.ts'

/** Appends a row's cell, the branch of its union included. */
export type PutCell = (out: ValueBuffer, row: number) => void

/** More than all numbers, lengths and branches of any record take; texts make this room anew for what follows them. */
export const NUMBERS_SIZE = 256

const LEAST_FAST_LONG = -(2 ** 52)
const NULL_BRANCH = 0
const VALUE_BRANCH = 2

export function cellWriter(spec: ColumnSpec, column: Column): PutCell {
  const put = valueWriter(spec, column)
  const { nulls } = column
  if (spec.required) {
    return (out, row) => {
      if (nulls?.[row]) throw new Error(`${spec.name} is null in a row of a source, and must not be`)
      put(out, row)
    }
  }
  return (out, row) => {
    if (nulls?.[row]) return putByte(out, NULL_BRANCH)
    put(out, row)
  }
}

/** With the branch, where the column may be null: a word may be null too. */
function valueWriter(spec: ColumnSpec, column: Column): PutCell {
  const packed = spec.required ? packedTextsOf(column) : undefined
  if (packed) return packedWriter(packed.bytes, packed.ends)
  if (column.words) return wordWriter(spec, column, column.words)
  const put = numberWriter(spec, column)
  if (spec.required) return put
  return (out, row) => {
    putByte(out, VALUE_BRANCH)
    put(out, row)
  }
}

function packedWriter(bytes: Uint8Array, ends: Uint32Array): PutCell {
  return (out, row) => {
    const from = row === 0 ? 0 : ends[row - 1]
    const to = ends[row]
    reserve(out, to - from + NUMBERS_SIZE)
    putLong(out, to - from)
    putRange(out, bytes, from, to)
  }
}

function wordWriter(spec: ColumnSpec, { values }: Column, words: readonly Word[]): PutCell {
  const encoded = createValueBuffer()
  for (const word of words) {
    reserve(encoded, NUMBERS_SIZE)
    putWord(encoded, spec, word)
    endValue(encoded)
  }
  const { bytes, ends } = encoded
  return (out, row) => {
    const code = Number(values[row])
    const from = code === 0 ? 0 : ends[code - 1]
    const to = ends[code]
    reserve(out, to - from + NUMBERS_SIZE)
    putRange(out, bytes, from, to)
  }
}

function putWord(out: ValueBuffer, spec: ColumnSpec, word: Word): void {
  if (!spec.required) putByte(out, word === null ? NULL_BRANCH : VALUE_BRANCH)
  if (word === null) return
  if (spec.type === 'enum') return putLong(out, placeOf(spec, word))
  if (typeof word === 'string') return putText(out, word)
  const items = Array.isArray(word)
    ? (word as readonly string[])
    : Object.entries(word as Record<string, string>).flat()
  const count = Array.isArray(word) ? items.length : items.length / 2
  if (count > 0) putLong(out, count)
  for (const item of items) putText(out, item)
  reserve(out, NUMBERS_SIZE)
  putByte(out, 0)
}

function placeOf({ name, values }: ColumnSpec, word: Word): number {
  const place = values?.indexOf(word as string) ?? -1
  // A word that no row has, as a column of nothing but nulls keeps one: never looked at.
  if (place < 0 && word === '') return 0
  if (place < 0) throw new Error(`${name} is ${JSON.stringify(word)} in a row of a source`)
  return place
}

function numberWriter(spec: ColumnSpec, { values, scale = 0 }: Column): PutCell {
  switch (spec.type) {
    case 'decimal':
      if (scale === DECIMAL_SCALE) return (out, row) => putDecimal(out, values[row])
      if (scale > DECIMAL_SCALE) throw new Error(`${spec.name} has ${scale} decimals`)
      return (out, row) => putDecimal(out, BigInt(values[row]) * 10n ** BigInt(DECIMAL_SCALE - scale))
    case 'boolean':
      return (out, row) => putByte(out, Number(values[row]))
    case 'timestamp':
    case 'date':
    case 'int':
    case 'long':
      return (out, row) => putAnyLong(out, values[row])
    default:
      throw new Error(`${spec.name} has no words`)
  }
}

function putAnyLong(out: ValueBuffer, value: number | bigint): void {
  if (typeof value === 'number' ? value >= LEAST_FAST_LONG : Number.isSafeInteger(Number(value)) && value >= 0n)
    return putLong(out, Number(value))
  const wide = BigInt(value)
  let zigzag = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n))
  for (; zigzag > 0x7fn; zigzag >>= 7n) putByte(out, Number(zigzag & 0x7fn) | 0x80)
  putByte(out, Number(zigzag))
}

/** Ids and names are short: a loop costs less than a copy by the runtime. */
function putRange(out: ValueBuffer, bytes: Uint8Array, from: number, to: number): void {
  const target = out.bytes
  let at = out.length
  for (let i = from; i < to; i++) target[at++] = bytes[i]
  out.length = at
}
