// The columns a tail holds ready, copied out for chosen rows. Plain loops: measured, one `TypedArray.from` with a
// function took as long as all of them together.
import type { Column, ColumnBatch, Values } from '../../contract/columns.ts'
import { TAIL_TABLES } from '../../contract/tables.ts'
import { isExactAsDouble, scaleOf } from '../market/decode-rows.ts'
import type { Rows } from './rows.ts'
import { PAIR_COLUMNS, type Segment } from './segment.ts'
import type { Store } from './store.ts'

export function copyHotColumns({ dataType, instruments, places }: Store, rows: Rows): ColumnBatch['columns'] {
  const { ats, runs } = rows
  const times = new Float64Array(ats.length)
  const offsets = new Float64Array(ats.length)
  const partitions = new Int32Array(ats.length)
  const nulls = new Uint8Array(ats.length)
  let anyNull = 0
  for (const { segment, from, to } of runs) {
    for (let row = from, source = segment.exchangeTimes; row < to; row++) times[row] = source[ats[row]]
    for (let row = from, source = segment.offsets; row < to; row++) offsets[row] = source[ats[row]]
    for (let row = from, source = segment.places; row < to; row++)
      partitions[row] = places[source[4 * ats[row]]].partition
    for (let row = from, source = segment.nulls; row < to; row++) anyNull |= nulls[row] = source[8 * ats[row]]
  }
  const columns: ColumnBatch['columns'] = {
    symbol: wordColumn(rows, instrumentOf, code => instruments.all[code].symbol),
    exchange: wordColumn(rows, instrumentOf, code => instruments.all[code].exchange),
    exchange_timestamp: { type: 'timestamp', values: times },
    _topic: wordColumn(rows, placeOf, code => places[code].topic),
    _partition: { type: 'int', values: partitions },
    _offset: { type: 'long', values: offsets },
  }
  PAIR_COLUMNS[dataType].forEach((name, column) => {
    const { type } = TAIL_TABLES[dataType].columns.find(spec => spec.name === name)!
    const bit = 1 << column
    const nullRows = anyNull & bit ? nulls.map(bits => (bits & bit ? 1 : 0)) : undefined
    columns[name] = { type, values: copyNumbers(rows, column), ...scaleOf(type), ...(nullRows && { nulls: nullRows }) }
  })
  return columns
}

const instrumentOf = ({ instruments }: Segment, at: number) => instruments[2 * at]
const placeOf = ({ places }: Segment, at: number) => places[4 * at]

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

/** A code for each distinct word, whatever the number of keys that stand for it. */
function wordColumn(
  { ats, runs }: Rows,
  keyOf: (segment: Segment, at: number) => number,
  wordOf: (key: number) => string,
): Column {
  const words: string[] = []
  const byWord = new Map<string, number>()
  const byKey = new Map<number, number>()
  // No answer has as many words as 16 bits have codes.
  const codes = new Uint16Array(ats.length)
  let lastKey = -1
  let code = 0
  for (const { segment, from, to } of runs)
    for (let row = from; row < to; row++) {
      const key = keyOf(segment, ats[row])
      // Rows of one instrument mostly stand together.
      if (key !== lastKey) code = byKey.get(key) ?? addKey(key)
      lastKey = key
      codes[row] = code
    }
  return { type: 'string', values: codes, words }

  function addKey(key: number): number {
    const word = wordOf(key)
    const known = byWord.get(word) ?? words.push(word) - 1
    byWord.set(word, known)
    byKey.set(key, known)
    return known
  }
}
