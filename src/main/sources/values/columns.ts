// Columns in the making, a row at a time. A row that turns out bad is simply written over by the next one.
import { isUtf8 } from 'node:buffer'
import type { Column, Values, Word } from '../../../contract/columns.ts'
import type { ColumnType } from '../../../contract/tables.ts'
import { DECIMAL_SCALE } from '../../market/avro-schemas.ts'
import { createDictionary, textOf } from '../../market/decode-dictionary.ts'
import { BadValue } from '../../base/values/bad-value.ts'

export interface ColumnMaker {
  /** A new batch; what was finished before is not touched any more. */
  begin: (capacity: number) => void
  setNull: (row: number) => void
  finish: (rowCount: number) => Column
}

export interface NumberMaker extends ColumnMaker {
  set: (row: number, value: number | bigint) => void
}
export interface WordMaker extends ColumnMaker {
  /** The word of a run of bytes; the same run is turned into its word once a batch. Gives the word's code. */
  take: (row: number, bytes: Buffer, from: number, to: number) => number
  wordAt: (code: number) => Word
}
export interface TextMaker extends ColumnMaker {
  set: (row: number, text: string) => void
}

function makeNulls() {
  let nulls: Uint8Array | undefined
  let capacity = 0
  return {
    begin(rows: number) {
      capacity = rows
      nulls = undefined
    },
    setNull: (row: number) => void ((nulls ??= new Uint8Array(capacity))[row] = 1),
    setValue: (row: number) => {
      if (nulls) nulls[row] = 0
    },
    finish: (rowCount: number): { nulls?: Uint8Array } => {
      const used = nulls?.slice(0, rowCount)
      return used?.includes(1) ? { nulls: used } : {}
    },
  }
}

/** Times, decimals and longs; 64-bit only from the first value on that a double cannot hold. */
export function makeNumbers(type: Extract<ColumnType, 'timestamp' | 'decimal' | 'long' | 'date'>): NumberMaker {
  const nulls = makeNulls()
  let doubles = new Float64Array(0)
  let wide: BigInt64Array | undefined
  return {
    begin(capacity) {
      nulls.begin(capacity)
      doubles = new Float64Array(capacity)
      wide = undefined
    },
    set(row, value) {
      nulls.setValue(row)
      if (wide) wide[row] = BigInt(value)
      else if (typeof value === 'number') doubles[row] = value
      else {
        wide = BigInt64Array.from(doubles, double => BigInt(double))
        wide[row] = value
      }
    },
    setNull(row) {
      nulls.setNull(row)
      if (wide) wide[row] = 0n
      else doubles[row] = 0
    },
    finish: rowCount => ({
      type,
      values: cut(wide ?? doubles, rowCount),
      ...(type === 'decimal' && { scale: DECIMAL_SCALE }),
      ...nulls.finish(rowCount),
    }),
  }
}

/** Texts that repeat. `wordOf` sees each once a batch and throws a BadValue for what cannot be one. */
export function makeWords(
  type: ColumnType,
  wordOf: (bytes: Buffer, from: number, to: number) => Word = checkedText,
): WordMaker {
  const nulls = makeNulls()
  let codes = new Uint32Array(0)
  let dictionary = createDictionary(wordOf)
  return {
    begin(capacity) {
      nulls.begin(capacity)
      codes = new Uint32Array(capacity)
      dictionary = createDictionary(wordOf)
    },
    take(row, bytes, from, to) {
      nulls.setValue(row)
      return (codes[row] = dictionary.codeOf(bytes, from, to))
    },
    setNull(row) {
      nulls.setNull(row)
      codes[row] = 0
    },
    wordAt: code => dictionary.words[code],
    finish(rowCount) {
      // A column of nothing but nulls still needs a word that its codes can point to.
      const words = dictionary.words.length > 0 ? dictionary.words : ['']
      return { type, values: narrow(codes, rowCount, words.length), words, ...nulls.finish(rowCount) }
    },
  }
}

/** Texts that differ in every row, such as ids: looking for repeats would only cost. */
export function makeTexts(): TextMaker {
  let words: string[] = []
  return {
    begin: capacity => void (words = new Array<string>(capacity).fill('')),
    set: (row, text) => void (words[row] = text),
    setNull: row => void (words[row] = ''),
    finish(rowCount) {
      words.length = rowCount
      const codes = Uint32Array.from({ length: rowCount }, (_, row) => row)
      return { type: 'string', values: narrow(codes, rowCount, rowCount), words }
    },
  }
}

/** Few words that are computed, not read: what an exchange's name implies, say. */
export function makeKnownTexts(type: ColumnType): TextMaker {
  let codes = new Uint32Array(0)
  let codeOf = new Map<string, number>()
  let last: string | undefined
  let lastCode = 0
  return {
    begin(capacity) {
      codes = new Uint32Array(capacity)
      codeOf = new Map()
      last = undefined
    },
    set(row, text) {
      if (text !== last) {
        last = text
        lastCode = codeOf.get(text) ?? codeOf.size
        codeOf.set(text, lastCode)
      }
      codes[row] = lastCode
    },
    setNull: row => void (codes[row] = 0),
    finish: rowCount => ({ type, values: narrow(codes, rowCount, codeOf.size), words: [...codeOf.keys()] }),
  }
}

/** The same in every row. */
export function constantColumn(type: ColumnType, value: Word | number, rowCount: number): Column {
  if (typeof value === 'number') return { type, values: new Float64Array(rowCount).fill(value) }
  return { type, values: new Uint16Array(rowCount), words: [value] }
}

/** A column the file does not have: as small as one can be. */
export function nullColumn(type: ColumnType, rowCount: number): Column {
  const nothing = { type, values: new Uint8Array(rowCount), nulls: new Uint8Array(rowCount).fill(1) }
  if (type === 'string' || type === 'enum' || type === 'list' || type === 'map' || type === 'bytes') {
    return { ...nothing, words: [''] }
  }
  return type === 'decimal' ? { ...nothing, scale: DECIMAL_SCALE } : nothing
}

export function checkedText(bytes: Buffer, from: number, to: number): string {
  checkText(bytes, from, to)
  return textOf(bytes, from, to)
}

/** UTF-8 without control characters, which no name, code or number has. */
export function checkText(bytes: Buffer, from: number, to: number): void {
  let isAscii = true
  for (let at = from; at < to; at++) {
    const byte = bytes[at]
    if (byte < 32 || byte === 127) throw new BadValue('has a control character')
    if (byte > 127) isAscii = false
  }
  if (!isAscii && !isUtf8(bytes.subarray(from, to))) throw new BadValue('is not UTF-8')
}

function cut<V extends Values>(values: V, rowCount: number): V {
  return (values.length === rowCount ? values : values.slice(0, rowCount)) as V
}

function narrow(codes: Uint32Array, rowCount: number, wordCount: number): Values {
  return wordCount <= 0x1_0000 ? new Uint16Array(codes.subarray(0, rowCount)) : cut(codes, rowCount)
}
