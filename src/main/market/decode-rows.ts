// Chosen messages, read whole into the columns that answers travel in.
import type { Column, ColumnBatch, Values, Word } from '../../contract/columns.ts'
import type { ColumnSpec, ColumnType, TableSpec } from '../../contract/tables.ts'
import { DECIMAL_SCALE } from './avro-schemas.ts'
import { createDictionary, textOf } from './decode-dictionary.ts'
import { createCursor, readCount, readText, type Cursor, type Pairs } from './decode-primitives.ts'
import type { Decode, Sink } from './decode.ts'
import { createWireDecoder, type SchemaOf } from './decode-wire.ts'

export interface RowDecoder {
  /** Makes room for so many rows; the columns of before belong to whoever took them. */
  begin: (rowCount: number) => void
  /** The message from `at` to `end` of the cursor, into a row. It was checked when it was taken in. */
  read: Decode
  columns: () => ColumnBatch['columns']
}

/** One column in the making. */
interface Maker {
  sink: Sink
  begin: (rowCount: number) => void
  finish: () => Pick<Column, 'values' | 'words' | 'scale'>
}

type SetNull = (row: number) => void

/** `names` are the columns wanted; the log's own, which begin with an underscore, are not in a message. */
export function createRowDecoder(table: TableSpec, names: ReadonlySet<string>, schemaOf?: SchemaOf): RowDecoder {
  const columns = table.columns.filter(({ name }) => names.has(name)).map(createColumn)
  const sinks = Object.fromEntries(columns.map(({ name, sink }) => [name, sink]))
  return {
    begin(rowCount) {
      for (const column of columns) column.begin(rowCount)
    },
    read: createWireDecoder(table, sinks, 'skip', schemaOf),
    columns: () => Object.fromEntries(columns.map(({ name, finish }) => [name, finish()])),
  }
}

function createColumn(spec: ColumnSpec) {
  const { name, type } = spec
  let rowCount = 0
  let nulls: Uint8Array | undefined
  const maker = makerOf(spec, row => {
    nulls ??= new Uint8Array(rowCount)
    nulls[row] = 1
  })
  return {
    name,
    sink: maker.sink,
    begin(count: number) {
      rowCount = count
      nulls = undefined
      maker.begin(count)
    },
    finish: (): Column => ({ type, ...maker.finish(), ...(nulls && { nulls }) }),
  }
}

function makerOf(spec: ColumnSpec, none: SetNull): Maker {
  switch (spec.type) {
    case 'timestamp':
      return makeTimes(none)
    case 'decimal':
    case 'long':
      return makeNumbers(spec.type, none)
    case 'enum':
      return makeEnums(spec.values!, none)
    case 'boolean':
      return makeBooleans(none)
    case 'date':
      return makeDates(none)
    default:
      return isId(spec) ? makeIds(none) : makeWords(wordReaderOf(spec), none)
  }
}

/** Ids differ in every row: looking for repeats would only cost. */
export function isId({ name }: ColumnSpec): boolean {
  return name.endsWith('_id')
}

/** What a run of bytes in a column of texts, lists or maps stands for. */
export function wordReaderOf({ name, type }: ColumnSpec): (bytes: Buffer, from: number, to: number) => Word {
  if (type === 'list') return listOf
  if (type === 'map') return mapOf
  return name === 'exchange' ? (...run) => textOf(...run).toUpperCase() : textOf
}

function makeTimes(none: SetNull): Maker {
  const sink = { micros: new Float64Array(0), none }
  return {
    sink,
    begin: rowCount => void (sink.micros = new Float64Array(rowCount)),
    finish: () => ({ values: sink.micros }),
  }
}

function makeNumbers(type: ColumnType, none: SetNull): Maker {
  const sink = { pairs: new Int32Array(0), none }
  return {
    sink,
    begin: rowCount => void (sink.pairs = new Int32Array(rowCount * 2)),
    finish() {
      const values = exactNumbers(sink.pairs)
      sink.pairs = new Int32Array(0)
      return { values, ...scaleOf(type) }
    },
  }
}

function makeEnums(words: readonly string[], none: SetNull): Maker {
  const sink = { codes: new Uint8Array(0), none }
  return {
    sink,
    begin: rowCount => void (sink.codes = new Uint8Array(rowCount)),
    finish: () => ({ values: sink.codes, words }),
  }
}

function makeBooleans(none: SetNull): Maker {
  const sink = { codes: new Uint8Array(0), none }
  return {
    sink,
    begin: rowCount => void (sink.codes = new Uint8Array(rowCount)),
    finish: () => ({ values: sink.codes }),
  }
}

function makeDates(none: SetNull): Maker {
  const sink = { days: new Int32Array(0), none }
  return {
    sink,
    begin: rowCount => void (sink.days = new Int32Array(rowCount)),
    finish: () => ({ values: sink.days }),
  }
}

/** Texts, lists and maps that repeat: a word for each distinct run of bytes. */
function makeWords(wordOf: (bytes: Buffer, from: number, to: number) => Word, none: SetNull): Maker {
  let codes = new Uint32Array(0)
  let dictionary = createDictionary(wordOf)
  return {
    sink: {
      take: ({ bytes, from, to }, row) => void (codes[row] = dictionary.codeOf(bytes, from, to)),
      none,
    },
    begin(rowCount) {
      codes = new Uint32Array(rowCount)
      dictionary = createDictionary(wordOf)
    },
    finish: () => ({ values: narrowCodes(codes, dictionary.words.length), words: dictionary.words }),
  }
}

function makeIds(none: SetNull): Maker {
  let words: string[] = []
  return {
    sink: { take: ({ bytes, from, to }, row) => void (words[row] = textOf(bytes, from, to)), none },
    begin: rowCount => void (words = new Array<string>(rowCount).fill('')),
    finish: () => ({
      values: narrowCodes(
        new Uint32Array(words.length).map((_, row) => row),
        words.length,
      ),
      words,
    }),
  }
}

export function scaleOf(type: ColumnType): { scale?: number } {
  return type === 'decimal' ? { scale: DECIMAL_SCALE } : {}
}

/** 64-bit integers as doubles where every one is exact as a double, else as they are; over the same memory, so once. */
export function exactNumbers(pairs: Pairs): Values {
  const { buffer, byteOffset, length } = pairs
  const count = length / 2
  for (let i = 1; i < length; i += 2)
    if (!isExactAsDouble(pairs[i])) return new BigInt64Array(buffer, byteOffset, count)
  const doubles = new Float64Array(buffer, byteOffset, count)
  for (let i = 0; i < count; i++) doubles[i] = pairs[2 * i + 1] * 2 ** 32 + (pairs[2 * i] >>> 0)
  return doubles
}

/** By the high half of a 64-bit integer: below 2^53. */
export function isExactAsDouble(high: number): boolean {
  return high < 2 ** 21 && high >= -(2 ** 21)
}

function narrowCodes(codes: Uint32Array, wordCount: number): Values {
  return wordCount <= 0xffff ? new Uint16Array(codes) : codes
}

function listOf(bytes: Buffer, from: number, to: number): string[] {
  const cursor = cursorOn(bytes, from, to)
  const items: string[] = []
  for (let count = readCount(cursor); count !== 0; count = readCount(cursor))
    for (; count > 0; count--) items.push(nextText(cursor))
  return items
}

function mapOf(bytes: Buffer, from: number, to: number): Record<string, string> {
  const cursor = cursorOn(bytes, from, to)
  const entries: [string, string][] = []
  for (let count = readCount(cursor); count !== 0; count = readCount(cursor))
    for (; count > 0; count--) entries.push([nextText(cursor), nextText(cursor)])
  return Object.fromEntries(entries)
}

function cursorOn(bytes: Buffer, from: number, to: number): Cursor {
  return { ...createCursor(bytes), at: from, end: to }
}

function nextText(cursor: Cursor): string {
  readText(cursor)
  return textOf(cursor.bytes, cursor.from, cursor.to)
}
