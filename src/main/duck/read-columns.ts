// One column of a result in the making: it takes DuckDB's vectors one after the other and ends as a column of the contract.
import {
  DuckDBDataChunk,
  DuckDBEnumType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBTypeId,
  type DuckDBType,
} from '@duckdb/node-api'
import duckdb, { type DataChunk, type Vector } from '@duckdb/node-bindings'
import type { Column, Values, Word } from '../../contract/columns.ts'
import { fixedTypeOf, type FixedType } from './read-fixed.ts'
import { createTextCoder, isValid, validityOf, type TextCoder, type TextEncoding } from './read-texts.ts'

export interface ColumnReader {
  take: (chunk: DataChunk, count: number) => void
  finish: () => Column
}

/** For column `index` of chunks that hold `rowCount` rows together. */
export function createColumnReader(type: DuckDBType, index: number, rowCount: number): ColumnReader {
  const fixed = fixedTypeOf(type)
  if (fixed) return readFixed(fixed, index, rowCount)
  if (type.typeId === DuckDBTypeId.VARCHAR) return readTexts('string', 'utf8', index, rowCount)
  if (type.typeId === DuckDBTypeId.BLOB) return readTexts('bytes', 'base64', index, rowCount)
  if (type instanceof DuckDBEnumType) return readEnum(type, index, rowCount)
  if (type instanceof DuckDBListType && isText(type.valueType)) return readLists(index, rowCount)
  if (type instanceof DuckDBMapType && isText(type.keyType) && isText(type.valueType)) return readMaps(index, rowCount)
  return readAsText(index, rowCount)
}

const isText = ({ typeId }: DuckDBType) => typeId === DuckDBTypeId.VARCHAR

/** Where there is no value, as the contract says it: nothing at all as long as there is one everywhere. */
function createNulls(rowCount: number) {
  let nulls: Uint8Array | undefined
  return {
    take(validity: Uint8Array | null, at: number, count: number): boolean {
      if (!validity) return false
      let any = false
      for (let row = 0; row < count; row++) {
        if (isValid(validity, row)) continue
        nulls ??= new Uint8Array(rowCount)
        nulls[at + row] = 1
        any = true
      }
      return any
    },
    finish: () => nulls && { nulls },
    has: (row: number) => nulls?.[row] === 1,
  }
}

function readFixed({ width, toColumn }: FixedType, index: number, rowCount: number): ColumnReader {
  const bytes = new Uint8Array(rowCount * width)
  const nulls = createNulls(rowCount)
  let at = 0
  return {
    take(chunk, count) {
      const vector = duckdb.data_chunk_get_vector(chunk, index)
      bytes.set(duckdb.vector_get_data(vector, count * width), at * width)
      if (nulls.take(validityOf(vector, count), at, count))
        for (let row = at; row < at + count; row++) if (nulls.has(row)) bytes.fill(0, row * width, (row + 1) * width)
      at += count
    },
    finish: () => ({ ...toColumn(bytes.buffer), ...nulls.finish() }),
  }
}

function readTexts(type: 'string' | 'bytes', encoding: TextEncoding, index: number, rowCount: number): ColumnReader {
  const coder = createTextCoder(encoding)
  const codes = new Uint32Array(rowCount)
  const nulls = createNulls(rowCount)
  let at = 0
  return {
    take(chunk, count) {
      nulls.take(coder.take(duckdb.data_chunk_get_vector(chunk, index), count, codes, at), at, count)
      at += count
    },
    finish: () => ({ type, ...wordsOf(codes, coder.words), ...nulls.finish() }),
  }
}

function readEnum({ values: words, internalTypeId }: DuckDBEnumType, index: number, rowCount: number): ColumnReader {
  const Codes = codesOfEnum[internalTypeId as keyof typeof codesOfEnum]
  const toColumn = (bytes: ArrayBuffer): Column => ({ type: 'enum', values: new Codes(bytes), words })
  return readFixed({ width: Codes.BYTES_PER_ELEMENT, toColumn }, index, rowCount)
}

const codesOfEnum = {
  [DuckDBTypeId.UTINYINT]: Uint8Array,
  [DuckDBTypeId.USMALLINT]: Uint16Array,
  [DuckDBTypeId.UINTEGER]: Uint32Array,
}

function readLists(index: number, rowCount: number): ColumnReader {
  const items = createTextCoder('utf8')
  return readNested(
    'list',
    index,
    rowCount,
    [items],
    entry => [entry],
    codes => codes.map(code => items.words[code]) as string[],
  )
}

function readMaps(index: number, rowCount: number): ColumnReader {
  const keys = createTextCoder('utf8')
  const values = createTextCoder('utf8')
  const vectorsOf = (entry: Vector) => [
    duckdb.struct_vector_get_child(entry, 0),
    duckdb.struct_vector_get_child(entry, 1),
  ]
  const wordOf = (codes: number[]) => {
    const count = codes.length / 2
    return Object.fromEntries(
      Array.from({ length: count }, (_, i) => [keys.words[codes[i]]!, values.words[codes[count + i]]!]),
    )
  }
  return readNested('map', index, rowCount, [keys, values], vectorsOf, wordOf)
}

/** Lists of one kind of text, and maps as lists of two: a word for each distinct run of codes. */
function readNested(
  type: 'list' | 'map',
  index: number,
  rowCount: number,
  coders: readonly TextCoder[],
  vectorsOf: (entry: Vector) => Vector[],
  wordOf: (codes: number[]) => Word,
): ColumnReader {
  const words: Word[] = []
  const runs: Run = { code: -1 }
  const codes = new Uint32Array(rowCount)
  const nulls = createNulls(rowCount)
  let at = 0
  return {
    take(chunk, count) {
      const vector = duckdb.data_chunk_get_vector(chunk, index)
      const itemCount = duckdb.list_vector_get_size(vector)
      const parts = vectorsOf(duckdb.list_vector_get_child(vector)).map((part, k) => {
        const partCodes = new Uint32Array(itemCount)
        const validity = itemCount > 0 ? coders[k].take(part, itemCount, partCodes, 0) : null
        return withNullWord(coders[k], partCodes, validity)
      })
      nulls.take(validityOf(vector, count), at, count)
      const entries = new Uint32Array(count * 4)
      new Uint8Array(entries.buffer).set(duckdb.vector_get_data(vector, count * 16))
      for (let row = 0; row < count; row++) {
        if (nulls.has(at + row)) continue
        const from = entries[row * 4]
        const to = from + entries[row * 4 + 2]
        let run = runs
        for (const part of parts) for (let i = from; i < to; i++) run = next(run, part[i])
        if (run.code < 0) run.code = words.push(wordOf(parts.flatMap(part => [...part.subarray(from, to)]))) - 1
        codes[at + row] = run.code
      }
      at += count
    },
    finish: () => ({ type, ...wordsOf(codes, words), ...nulls.finish() }),
  }
}

/** Runs of codes as a tree: finding one makes nothing new. */
interface Run {
  /** Of its word; -1 as long as no row has ended here. */
  code: number
  longer?: Map<number, Run>
}

function next(run: Run, code: number): Run {
  run.longer ??= new Map()
  let longer = run.longer.get(code)
  if (!longer) run.longer.set(code, (longer = { code: -1 }))
  return longer
}

/** A null inside a list is a word of its own, so that it does not look like the first word. */
function withNullWord({ words }: TextCoder, codes: Uint32Array, validity: Uint8Array | null): Uint32Array {
  if (!validity) return codes
  let none = -1
  for (let i = 0; i < codes.length; i++) {
    if (isValid(validity, i)) continue
    if (none < 0) none = words.push(null) - 1
    codes[i] = none
  }
  return codes
}

/** What the contract has no column for, as DuckDB would print it. Slow: an object for every value. */
function readAsText(index: number, rowCount: number): ColumnReader {
  const words: string[] = []
  const codeOf = new Map<string, number>()
  const codes = new Uint32Array(rowCount)
  let nulls: Uint8Array | undefined
  let at = 0
  return {
    take(chunk) {
      for (const value of new DuckDBDataChunk(chunk).getColumnValues(index)) {
        if (value === null) (nulls ??= new Uint8Array(rowCount))[at++] = 1
        else {
          const text = String(value)
          let code = codeOf.get(text)
          if (code === undefined) codeOf.set(text, (code = words.push(text) - 1))
          codes[at++] = code
        }
      }
    },
    finish: () => ({ type: 'string', ...wordsOf(codes, words), ...(nulls && { nulls }) }),
  }
}

function wordsOf(codes: Uint32Array, words: readonly Word[]): { values: Values; words: readonly Word[] } {
  return { values: words.length <= 0x10000 ? new Uint16Array(codes) : codes, words }
}
