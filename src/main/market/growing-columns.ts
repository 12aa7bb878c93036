// Columns in the making that grow as rows come, and can forget the last rows again.
import type { ColumnSpec } from '../../contract/tables.ts'
import { createDictionary } from './decode-dictionary.ts'
import { exactNumbers, isId, scaleOf, wordReaderOf } from './decode-rows.ts'
import type { Sink } from './decode.ts'
import { idsPart } from './growing-ids.ts'
import {
  emptied,
  enlarged,
  handedOver,
  wholeOf,
  withRoom,
  type Growable,
  type GrowingColumn,
  type Part,
  type SetNull,
} from './growing-part.ts'

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
    reuse: part.reuse,
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
  let spare: A | undefined
  return {
    sink,
    values: get,
    grow(rows) {
      set(withRoom(get(), spare, rows))
      spare = undefined
    },
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
    reuse: ({ values }) => void (spare = wholeOf(values as A)),
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
  const sink: { pairs: Int32Array; none: SetNull } = {
    pairs: new Int32Array(0),
    none: clearing(row => void sink.pairs.fill(0, 2 * row, 2 * row + 2), none),
  }
  let spare: Int32Array | undefined
  return {
    sink,
    values: () => sink.pairs,
    grow(rows) {
      sink.pairs = withRoom(sink.pairs, spare, rows * 2)
      spare = undefined
    },
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
    reuse: ({ values }) => void (spare = new Int32Array(values.buffer)),
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
