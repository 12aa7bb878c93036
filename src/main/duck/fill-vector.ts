// Columns of the contract into DuckDB's vectors, chosen rows at a time, without a call of the binding for each value.
// Writes are copies into DuckDB's memory, never through a view of it: Electron allows no such views.
import { DuckDBDecimalType, DuckDBListType, DuckDBMapType, DuckDBTypeId, type DuckDBType } from '@duckdb/node-api'
import duckdb, { type Vector } from '@duckdb/node-bindings'
import type { Column, Word } from '../../contract/columns.ts'
import { packedTextsOf } from '../market/packed-texts.ts'
import { encodeBytes, encodePacked, encodeTexts, NO_TEXT, type EncodedWords } from './encode-words.ts'
import { bytesOf, toCodes, to64Bits, toInts } from './fill-numbers.ts'

export const VECTOR_ROWS = duckdb.vector_size()

export interface VectorFiller {
  /** Rows `rows[from]` up to `rows[from + count]` of the column; at most VECTOR_ROWS. */
  fill: (vector: Vector, rows: Uint32Array, from: number, count: number) => void
  /** After the last vector was taken over by DuckDB. */
  release: () => void
}

/** `column` absent: null in every row. */
export function createFiller(column: Column | undefined, type: DuckDBType): VectorFiller {
  if (!column) return { fill: (vector, _, __, count) => writeNulls(vector, NO_BITS, count), release() {} }
  if (type.typeId === DuckDBTypeId.VARCHAR) return fillTexts(column, encodeColumn(column))
  if (type.typeId === DuckDBTypeId.BLOB) return fillTexts(column, encodeBytes(column.words as (string | null)[]))
  if (type instanceof DuckDBListType) return fillNested(column, [encodeItems(column.words!, word => word as string[])])
  if (type instanceof DuckDBMapType) {
    const parts = [
      encodeItems(column.words!, word => Object.keys(word!)),
      encodeItems(column.words!, word => Object.values(word!)),
    ]
    return fillNested(column, parts)
  }
  return fillNumbers(column, type)
}

function encodeColumn(column: Column): EncodedWords {
  const packed = packedTextsOf(column)
  return packed ? encodePacked(packed) : encodeTexts(column.words as (string | null)[])
}

const NO_BITS = new Uint32Array(VECTOR_ROWS / 32)
/** Scratch of one vector: filling is synchronous, so one of each serves all. */
const cells = new Uint32Array(VECTOR_ROWS * 4)
const bits = new Uint32Array(VECTOR_ROWS / 32)

function fillNumbers({ type: from, values, scale, nulls }: Column, type: DuckDBType): VectorFiller {
  const release = () => {}
  const width = bytesOf(type)
  const writeRowNulls =
    nulls &&
    ((vector: Vector, rows: Uint32Array, at: number, count: number) => writeNullRows(vector, nulls, rows, at, count))
  if (width === 8) {
    const wide = to64Bits(values, from, scale, type instanceof DuckDBDecimalType ? type.scale : undefined)
    return {
      fill(vector, rows, at, count) {
        if (wide instanceof Float64Array) gatherWhole(cells, wide, rows, at, count)
        else gatherPairs(cells, wide, rows, at, count)
        duckdb.copy_data_to_vector(vector, 0, cells.buffer, 0, count * 8)
        writeRowNulls?.(vector, rows, at, count)
      },
      release,
    }
  }
  const ints = toInts(values)
  const scratch = width === 1 ? new Uint8Array(cells.buffer) : new Int32Array(cells.buffer)
  return {
    fill(vector, rows, at, count) {
      gatherInts(scratch, ints, rows, at, count)
      duckdb.copy_data_to_vector(vector, 0, cells.buffer, 0, count * width)
      writeRowNulls?.(vector, rows, at, count)
    },
    release,
  }
}

function fillTexts({ values, nulls }: Column, { strings, anyNull, release }: EncodedWords): VectorFiller {
  const codes = toCodes(values, nulls, strings.length / 4)
  return {
    fill(vector, rows, at, count) {
      gatherTexts(cells, strings, codes, rows, at, count)
      duckdb.copy_data_to_vector(vector, 0, cells.buffer, 0, count * 16)
      if (anyNull || nulls) writeNullTexts(vector, strings, codes, nulls, rows, at, count)
    },
    release,
  }
}

interface EncodedItems extends EncodedWords {
  /** The items of word w are `strings` from firsts[w] up to firsts[w + 1]. */
  firsts: Uint32Array
}

function encodeItems(words: readonly Word[], itemsOf: (word: Word) => readonly string[]): EncodedItems {
  const items: string[] = []
  const firsts = new Uint32Array(words.length + 1)
  words.forEach((word, i) => {
    if (word !== null) for (const item of itemsOf(word)) items.push(item)
    firsts[i + 1] = items.length
  })
  return { ...encodeTexts(items), anyNull: words.includes(null), firsts }
}

/** A list is one run of items, a map two of the same length. */
function fillNested({ values, words, nulls }: Column, parts: readonly EncodedItems[]): VectorFiller {
  const codes = toCodes(values, nulls, words!.length)
  const isNull = Uint8Array.from(words!, word => (word === null ? 1 : 0))
  const anyNull = nulls !== undefined || parts[0].anyNull
  const { firsts } = parts[0]
  let items = new Uint32Array(0)
  return {
    fill(vector, rows, at, count) {
      const total = gatherRuns(cells, firsts, codes, nulls, rows, at, count)
      duckdb.copy_data_to_vector(vector, 0, cells.buffer, 0, count * 16)
      if (anyNull) writeNullWords(vector, isNull, codes, nulls, rows, at, count)
      duckdb.list_vector_reserve(vector, total)
      duckdb.list_vector_set_size(vector, total)
      if (total === 0) return
      if (items.length < total * 4) items = new Uint32Array(total * 8)
      const entry = duckdb.list_vector_get_child(vector)
      parts.forEach(({ strings }, k) => {
        gatherItems(items, strings, firsts, codes, nulls, rows, at, count)
        const target = parts.length === 1 ? entry : duckdb.struct_vector_get_child(entry, k)
        duckdb.copy_data_to_vector(target, 0, items.buffer, 0, total * 16)
      })
    },
    release: () => parts.forEach(({ release }) => release()),
  }
}

export const TWO_32 = 2 ** 32

/** Doubles that hold integers, as 64-bit integers. */
function gatherWhole(out: Uint32Array, doubles: Float64Array, rows: Uint32Array, from: number, count: number): void {
  for (let k = 0; k < count; k++) {
    const value = doubles[rows[from + k]]
    out[k * 2] = value
    out[k * 2 + 1] = Math.floor(value / TWO_32)
  }
}

function gatherPairs(out: Uint32Array, pairs: Uint32Array, rows: Uint32Array, from: number, count: number): void {
  for (let k = 0; k < count; k++) {
    const row = rows[from + k] * 2
    out[k * 2] = pairs[row]
    out[k * 2 + 1] = pairs[row + 1]
  }
}

function gatherInts(
  out: Uint8Array | Int32Array,
  ints: Int32Array,
  rows: Uint32Array,
  from: number,
  count: number,
): void {
  for (let k = 0; k < count; k++) out[k] = ints[rows[from + k]]
}

function gatherTexts(
  out: Uint32Array,
  strings: Uint32Array,
  codes: Uint32Array,
  rows: Uint32Array,
  from: number,
  count: number,
): void {
  for (let k = 0; k < count; k++) {
    const field = codes[rows[from + k]] * 4
    out[k * 4] = strings[field]
    out[k * 4 + 1] = strings[field + 1]
    out[k * 4 + 2] = strings[field + 2]
    out[k * 4 + 3] = strings[field + 3]
  }
}

/** Offset and length of each row's run, 64 bits each. */
function gatherRuns(
  out: Uint32Array,
  firsts: Uint32Array,
  codes: Uint32Array,
  nulls: Uint8Array | undefined,
  rows: Uint32Array,
  from: number,
  count: number,
): number {
  let total = 0
  for (let k = 0; k < count; k++) {
    const row = rows[from + k]
    const length = nulls?.[row] ? 0 : firsts[codes[row] + 1] - firsts[codes[row]]
    out[k * 4] = total
    out[k * 4 + 1] = 0
    out[k * 4 + 2] = length
    out[k * 4 + 3] = 0
    total += length
  }
  return total
}

function gatherItems(
  out: Uint32Array,
  strings: Uint32Array,
  firsts: Uint32Array,
  codes: Uint32Array,
  nulls: Uint8Array | undefined,
  rows: Uint32Array,
  from: number,
  count: number,
): void {
  let at = 0
  for (let k = 0; k < count; k++) {
    const row = rows[from + k]
    if (nulls?.[row]) continue
    const end = firsts[codes[row] + 1] * 4
    for (let field = firsts[codes[row]] * 4; field < end; field++) out[at++] = strings[field]
  }
}

export function writeNullRows(vector: Vector, nulls: Uint8Array, rows: Uint32Array, from: number, count: number): void {
  bits.fill(0xffffffff)
  for (let k = 0; k < count; k++) if (nulls[rows[from + k]]) bits[k >> 5] &= ~(1 << (k & 31))
  writeNulls(vector, bits, count)
}

function writeNullTexts(
  vector: Vector,
  strings: Uint32Array,
  codes: Uint32Array,
  nulls: Uint8Array | undefined,
  rows: Uint32Array,
  from: number,
  count: number,
): void {
  bits.fill(0xffffffff)
  for (let k = 0; k < count; k++) {
    const row = rows[from + k]
    if (nulls?.[row] || strings[codes[row] * 4] === NO_TEXT) bits[k >> 5] &= ~(1 << (k & 31))
  }
  writeNulls(vector, bits, count)
}

function writeNullWords(
  vector: Vector,
  isNull: Uint8Array,
  codes: Uint32Array,
  nulls: Uint8Array | undefined,
  rows: Uint32Array,
  from: number,
  count: number,
): void {
  bits.fill(0xffffffff)
  for (let k = 0; k < count; k++) {
    const row = rows[from + k]
    if (nulls?.[row] || isNull[codes[row]]) bits[k >> 5] &= ~(1 << (k & 31))
  }
  writeNulls(vector, bits, count)
}

/** A bit of 1 for each row that has a value. */
export function writeNulls(vector: Vector, validity: Uint32Array<ArrayBuffer>, count: number): void {
  duckdb.vector_ensure_validity_writable(vector)
  duckdb.copy_data_to_vector_validity(vector, 0, validity.buffer, 0, Math.ceil(count / 64) * 8)
}
