// The columns a tail holds ready, copied out for chosen rows. Each loop has a function to itself that captures nothing:
// measured, variables shared with a closure made the same loops two to three times as slow.
import type { Column, ColumnBatch, Values } from '../../contract/columns.ts'
import { TAIL_TABLES } from '../../contract/tables.ts'
import { isExactAsDouble, scaleOf } from '../market/decode-rows.ts'
import type { Rows } from './rows.ts'
import { PAIR_COLUMNS, type Segment } from './segment.ts'
import type { Store } from './store.ts'

export function copyHotColumns({ dataType, instruments, places }: Store, rows: Rows): ColumnBatch['columns'] {
  const byInstrument = groupRows(rows, segment => segment.instruments, 2)
  const byPlace = groupRows(rows, segment => segment.places, 4)
  const { nulls, anyNull } = copyNulls(rows)
  const columns: ColumnBatch['columns'] = {
    symbol: wordColumn(byInstrument, code => instruments.all[code].symbol),
    exchange: wordColumn(byInstrument, code => instruments.all[code].exchange),
    exchange_timestamp: { type: 'timestamp', values: copyDoubles(rows, segment => segment.exchangeTimes) },
    _topic: wordColumn(byPlace, code => places.all[code].topic),
    _partition: { type: 'int', values: translate(byPlace, code => places.all[code].partition) },
    _offset: { type: 'long', values: copyDoubles(rows, segment => segment.offsets) },
  }
  PAIR_COLUMNS[dataType].forEach((name, column) => {
    const { type } = TAIL_TABLES[dataType].columns.find(spec => spec.name === name)!
    const nullRows = (anyNull >> column) & 1 ? nulls.map(bits => (bits >> column) & 1) : undefined
    columns[name] = { type, values: copyNumbers(rows, column), ...scaleOf(type), ...(nullRows && { nulls: nullRows }) }
  })
  return columns
}

function copyDoubles({ ats, runs }: Rows, sourceOf: (segment: Segment) => Float64Array): Float64Array {
  const doubles = new Float64Array(ats.length)
  for (const { segment, from, to } of runs) {
    const source = sourceOf(segment)
    for (let row = from; row < to; row++) doubles[row] = source[ats[row]]
  }
  return doubles
}

/** As doubles while every one is exact as a double, else as 64-bit integers. */
function copyNumbers({ ats, runs }: Rows, column: number): Values {
  const doubles = new Float64Array(ats.length)
  for (const { segment, from, to } of runs) {
    const pairs = segment.pairs[column]
    for (let row = from; row < to; row++) {
      const at = 2 * ats[row]
      const high = pairs[at + 1]
      if (!isExactAsDouble(high)) return copyLongs({ ats, runs }, column)
      doubles[row] = high * 2 ** 32 + (pairs[at] >>> 0)
    }
  }
  return doubles
}

function copyLongs({ ats, runs }: Rows, column: number): BigInt64Array {
  const longs = new BigInt64Array(ats.length)
  for (const { segment, from, to } of runs) {
    const { buffer, byteOffset } = segment.pairs[column]
    const source = new BigInt64Array(buffer, byteOffset)
    for (let row = from; row < to; row++) longs[row] = source[ats[row]]
  }
  return longs
}

function copyNulls({ ats, runs }: Rows): { nulls: Uint8Array; anyNull: number } {
  const nulls = new Uint8Array(ats.length)
  let anyNull = 0
  for (const { segment, from, to } of runs) {
    const source = segment.nulls
    for (let row = from; row < to; row++) anyNull |= nulls[row] = source[8 * ats[row]]
  }
  return { nulls, anyNull }
}

/** Rows by what they have in common: their instrument, or their place. */
interface Groups {
  /** The group of each row. */
  codes: Uint16Array | Uint32Array
  /** What each group has in common. */
  keys: number[]
}

function groupRows(
  { ats, runs }: Rows,
  sourceOf: (segment: Segment) => Uint32Array | Uint16Array,
  unit: 2 | 4,
): Groups {
  const keys: number[] = []
  const codeOf = new Map<number, number>()
  const codes = ats.length > 0xffff ? new Uint32Array(ats.length) : new Uint16Array(ats.length)
  let lastKey = -1
  let code = 0
  for (const { segment, from, to } of runs) {
    const source = sourceOf(segment)
    for (let row = from; row < to; row++) {
      const key = source[unit * ats[row]]
      // Rows of one instrument mostly stand together.
      if (key !== lastKey) {
        lastKey = key
        code = codeOf.get(key) ?? keys.push(key) - 1
        codeOf.set(key, code)
      }
      codes[row] = code
    }
  }
  return { codes, keys }
}

function wordColumn(groups: Groups, wordOf: (key: number) => string): Column {
  const codes = new Map<string, number>()
  const codeOf = (word: string) => codes.get(word) ?? codes.set(word, codes.size).size - 1
  const values = translate(groups, key => codeOf(wordOf(key)))
  return { type: 'string', values, words: [...codes.keys()] }
}

function translate({ codes, keys }: Groups, valueOf: (key: number) => number): Int32Array {
  const values = Int32Array.from(keys, valueOf)
  const translated = new Int32Array(codes.length)
  if (values.length === 1) return translated.fill(values[0])
  for (let row = 0; row < codes.length; row++) translated[row] = values[codes[row]]
  return translated
}
