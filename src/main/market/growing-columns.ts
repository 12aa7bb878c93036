// Columns in the making that grow as rows come, and can forget the last rows again.
import type { Column, Values, Word } from '../../contract/columns.ts'
import type { ColumnSpec, ColumnType } from '../../contract/tables.ts'
import { createDictionary } from './decode-dictionary.ts'
import { viewOf, type Cursor } from './decode-primitives.ts'
import { exactNumbers, isId, scaleOf, wordReaderOf } from './decode-rows.ts'
import type { Sink } from './decode.ts'
import { packedColumn } from './packed-texts.ts'

export interface GrowingColumn {
  sink: Sink
  /** As they lie now; another array after it has grown. 64-bit numbers are pairs, low half first. */
  values: () => Values
  nulls: () => Uint8Array | undefined
  /** What codes stand for. */
  words: () => readonly Word[]
  /** Of a column of ids. */
  textAt: (row: number) => string
  /** Of a column of ids: instead of the one that the last row has. */
  putText: (row: number, text: Buffer) => void
  /** So many rows have room. */
  grow: (rows: number) => void
  /** A row that was begun and did not come to be. */
  forget: (row: number) => void
  /** To a row below, whose own values are gone then; from the first row on upwards. */
  move: (from: number, to: number) => void
  bytes: (rowCount: number) => number
  /** The first rows, and starts anew. */
  finish: (rowCount: number) => Column
}

/** A column without its nulls. */
interface Part extends Pick<GrowingColumn, 'sink' | 'values' | 'grow' | 'move' | 'bytes'> {
  words?: () => readonly Word[]
  textAt?: (row: number) => string
  putText?: (row: number, text: Buffer) => void
  finish: (rowCount: number, type: ColumnType) => Column
}

type SetNull = (row: number) => void
type Growable = Float64Array | Int32Array | Uint32Array | Uint8Array

export function createGrowingColumn(spec: ColumnSpec): GrowingColumn {
  const { type } = spec
  let capacity = 0
  let nulls: Uint8Array | undefined
  const part = partOf(spec, row => {
    nulls ??= new Uint8Array(capacity)
    nulls[row] = 1
  })
  return {
    sink: part.sink,
    values: part.values,
    nulls: () => nulls,
    words: part.words ?? (() => []),
    textAt: part.textAt ?? noIds,
    putText: part.putText ?? noIds,
    grow(rows) {
      capacity = rows
      if (nulls) nulls = enlarged(nulls, rows)
      part.grow(rows)
    },
    forget: row => void (nulls && (nulls[row] = 0)),
    move(from, to) {
      part.move(from, to)
      if (nulls) nulls[to] = nulls[from]
    },
    bytes: rowCount => part.bytes(rowCount) + (nulls ? rowCount : 0),
    finish(rowCount) {
      const hasNulls = nulls?.subarray(0, rowCount).includes(1)
      const column = part.finish(rowCount, type)
      if (hasNulls) column.nulls = handedOver(nulls!, rowCount)
      nulls = undefined
      return column
    },
  }
}

function noIds(): never {
  throw new TypeError('Not a column of ids')
}

/** A null has no value of an earlier try below it. */
function clearing(clear: SetNull, none: SetNull): SetNull {
  return row => {
    clear(row)
    none(row)
  }
}

function partOf(spec: ColumnSpec, none: SetNull): Part {
  switch (spec.type) {
    case 'timestamp': {
      const sink = { micros: new Float64Array(0), none: clearing(row => void (sink.micros[row] = 0), none) }
      return numbersPart(
        sink,
        () => sink.micros,
        values => void (sink.micros = values),
      )
    }
    case 'date': {
      const sink = { days: new Int32Array(0), none: clearing(row => void (sink.days[row] = 0), none) }
      return numbersPart(
        sink,
        () => sink.days,
        values => void (sink.days = values),
      )
    }
    case 'enum':
    case 'boolean': {
      const sink = { codes: new Uint8Array(0), none: clearing(row => void (sink.codes[row] = 0), none) }
      const part = numbersPart(
        sink,
        () => sink.codes,
        values => void (sink.codes = values),
      )
      return spec.values ? withWords(part, spec.values) : part
    }
    case 'decimal':
      return pairsPart(none)
    case 'long':
      return spec.name === '_offset' ? placePart(new Float64Array(0), none) : pairsPart(none)
    case 'int':
      return placePart(new Int32Array(0), none)
    default:
      return isId(spec) ? idsPart(none) : wordsPart(spec, none)
  }
}

function numbersPart<A extends Growable>(sink: Sink, get: () => A, set: (values: A) => void): Part {
  return {
    sink,
    values: get,
    grow: rows => set(enlarged(get(), rows)),
    move(from, to) {
      const values = get()
      values[to] = values[from]
    },
    bytes: rowCount => rowCount * get().BYTES_PER_ELEMENT,
    finish(rowCount, type) {
      const values = handedOver(get(), rowCount)
      set(emptied(get()))
      return { type, values }
    },
  }
}

function withWords(part: Part, words: readonly string[]): Part {
  return { ...part, words: () => words, finish: (rowCount, type) => ({ ...part.finish(rowCount, type), words }) }
}

/** Not in any message: written by whoever knows where the rows are from. */
function placePart(first: Float64Array | Int32Array, none: SetNull): Part {
  let values: Float64Array | Int32Array = first
  return numbersPart(
    { take: () => {}, none },
    () => values,
    larger => void (values = larger),
  )
}

function pairsPart(none: SetNull): Part {
  const sink = { pairs: new Int32Array(0), none: clearing(row => void sink.pairs.fill(0, 2 * row, 2 * row + 2), none) }
  return {
    sink,
    values: () => sink.pairs,
    grow: rows => void (sink.pairs = enlarged(sink.pairs, rows * 2)),
    move(from, to) {
      sink.pairs[2 * to] = sink.pairs[2 * from]
      sink.pairs[2 * to + 1] = sink.pairs[2 * from + 1]
    },
    bytes: rowCount => rowCount * 8,
    finish(rowCount, type) {
      const values = exactNumbers(sink.pairs.subarray(0, rowCount * 2))
      sink.pairs = new Int32Array(0)
      return { type, values, ...scaleOf(type) }
    },
  }
}

/** Texts, lists and maps that repeat: a word for each distinct run of bytes. */
function wordsPart(spec: ColumnSpec, none: SetNull): Part {
  const read = wordReaderOf(spec)
  let codes = new Uint32Array(0)
  let dictionary = createDictionary(read)
  const sink: Sink = {
    take: ({ bytes, from, to }, row) => void (codes[row] = dictionary.codeOf(bytes, from, to)),
    none: clearing(row => void (codes[row] = 0), none),
  }
  const numbers = numbersPart(
    sink,
    () => codes,
    larger => void (codes = larger),
  )
  return {
    ...numbers,
    words: () => dictionary.words,
    finish(rowCount, type) {
      const { words } = dictionary
      dictionary = createDictionary(read)
      return { ...numbers.finish(rowCount, type), words }
    },
  }
}

/** Of ids that came first. */
const USUAL_BYTES = 32
/** After the texts, so that they need not be copied once more where they are read in words of four bytes. */
const SPARE_BYTES = 16

/** A row's text begins where that of the row before ends, so a row that is read again takes the place of the last try. */
function idsPart(none: SetNull): Part {
  let bytes = Buffer.alloc(0)
  let view = viewOf(bytes)
  let ends = new Uint32Array(0)

  function allocate(size: number): void {
    const larger = Buffer.allocUnsafeSlow(size)
    larger.set(bytes)
    bytes = larger
    view = viewOf(bytes)
  }
  const startOf = (row: number) => (row === 0 ? 0 : ends[row - 1])

  /** Where the row's text of so many bytes begins; there is room for three more. */
  function open(row: number, size: number): number {
    const at = startOf(row)
    ends[row] = at + size
    if (at + size + SPARE_BYTES > bytes.length) allocate(Math.max(at + size + SPARE_BYTES, bytes.length * 2))
    return at
  }

  /** In words of four bytes, the last one up to three too long: what comes next is written over them. */
  function take({ bytes: source, view: words, from, to }: Cursor, row: number): void {
    const at = open(row, to - from) - from
    if (to + 3 > source.length) return copy(source, from, to, at)
    for (let i = from; i < to; i += 4) view.setInt32(at + i, words.getInt32(i))
  }

  function copy(source: Uint8Array, from: number, to: number, shift: number): void {
    for (let i = from; i < to; i++) bytes[shift + i] = source[i]
  }

  return {
    sink: {
      take,
      none(row) {
        ends[row] = startOf(row)
        none(row)
      },
    },
    values: () => ends,
    textAt: row => bytes.toString('utf8', startOf(row), ends[row]),
    putText: (row, text) => copy(text, 0, text.length, open(row, text.length)),
    grow(rows) {
      ends = enlarged(ends, rows)
      if (bytes.length === 0) allocate(rows * USUAL_BYTES)
    },
    move(from, to) {
      const [start, end] = [startOf(from), ends[from]]
      copy(bytes, start, end, open(to, end - start) - start)
    },
    bytes: rowCount => rowCount * 4 + (rowCount === 0 ? 0 : ends[rowCount - 1]),
    finish(rowCount) {
      const column = packedColumn({ bytes, ends: handedOver(ends, rowCount) })
      bytes = Buffer.alloc(0)
      ends = new Uint32Array(0)
      return column
    },
  }
}

function enlarged<A extends Growable>(values: A, length: number): A {
  const larger = new (values.constructor as new (length: number) => A)(length)
  larger.set(values)
  return larger
}

function emptied<A extends Growable>(values: A): A {
  return new (values.constructor as new (length: number) => A)(0)
}

/** The array itself, unless more than half of it would be kept in memory for nothing. */
function handedOver<A extends Growable>(values: A, length: number): A {
  return (length * 2 < values.length ? values.slice(0, length) : values.subarray(0, length)) as A
}
