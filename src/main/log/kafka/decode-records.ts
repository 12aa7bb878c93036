// Records of one batch into columns, where they lie: no object a message, nothing copied. About 0.1 µs a message.
//   record = length, attributes (8), time - first time, offset - first offset, key length, key, value length, value, headers
// All numbers but the attributes are zigzag varints; a length of -1 says that there is none. Headers are skipped.
import { NONE } from '../../market/log-batch.ts'

export interface Columns {
  offsets: Float64Array
  timestamps: Float64Array
  starts: Int32Array
  ends: Int32Array
  keyStarts: Int32Array
  keyEnds: Int32Array
}

export interface RecordRun {
  bytes: Buffer
  /** Where the records begin and end in the bytes. */
  begin: number
  end: number
  count: number
  firstOffset: number
  lastDelta: number
  firstTimeMs: number
  /** Of all of them, when the broker put it there. */
  appendTimeMs: number | undefined
}

/** No record is shorter: seven numbers of at least a byte each. */
export const SMALLEST_RECORD = 7

/** In one piece of memory: six allocations a batch kept the garbage collector busy. */
export function allocateColumns(count: number): Columns {
  const memory = new ArrayBuffer(count * (2 * Float64Array.BYTES_PER_ELEMENT + 4 * Int32Array.BYTES_PER_ELEMENT))
  const int32s = (column: number) => new Int32Array(memory, count * (16 + 4 * column), count)
  return {
    offsets: new Float64Array(memory, 0, count),
    timestamps: new Float64Array(memory, count * 8, count),
    starts: int32s(0),
    ends: int32s(1),
    keyStarts: int32s(2),
    keyEnds: int32s(3),
  }
}

/** The last millisecond whose microseconds are exact, in the year 2255. */
const MOST_MS = Math.floor(Number.MAX_SAFE_INTEGER / 1000)

/** A producer that takes nanoseconds for milliseconds must not stop those who read after it. */
function microsOf(ms: number): number {
  if (ms > MOST_MS) return MOST_MS * 1000
  return ms < -MOST_MS ? -MOST_MS * 1000 : ms * 1000
}

let bytes: Uint8Array = new Uint8Array(0)
let at = 0

/** Writes from `row` on what is not below `from`, and returns the row after; a RangeError says what is damaged. */
export function decodeRecords(run: RecordRun, columns: Columns, row: number, from: number): number {
  const { begin, end, count, firstOffset, lastDelta, firstTimeMs, appendTimeMs } = run
  const { offsets, timestamps, starts, ends, keyStarts, keyEnds } = columns
  bytes = run.bytes
  at = begin
  let previous = -1
  for (let i = 0; i < count; i++) {
    const length = readVarint()
    const recordEnd = at + length
    if (length < SMALLEST_RECORD - 1 || recordEnd > end) throw new RangeError(`a record of ${length} bytes`)
    at++
    const timeDelta = readVarlong()
    const delta = readVarint()
    if (delta <= previous || delta > lastDelta) throw new RangeError(`offset ${delta} of ${lastDelta}`)
    previous = delta
    const keyLength = readVarint()
    const keyStart = at
    if (keyLength > 0) at += keyLength
    const valueLength = readVarintWithin(recordEnd)
    const start = at
    if (valueLength > 0) at += valueLength
    if (keyLength < NONE || valueLength < NONE || at > recordEnd)
      throw new RangeError('a key or value beyond its record')
    at = recordEnd
    const offset = firstOffset + delta
    if (offset < from) continue
    offsets[row] = offset
    timestamps[row] = microsOf(appendTimeMs ?? firstTimeMs + timeDelta)
    keyStarts[row] = keyLength === NONE ? NONE : keyStart
    keyEnds[row] = keyLength === NONE ? NONE : keyStart + keyLength
    starts[row] = valueLength === NONE ? NONE : start
    ends[row] = valueLength === NONE ? NONE : start + valueLength
    row++
  }
  if (at !== end) throw new RangeError(`${end - at} bytes behind the last record`)
  return row
}

function readVarintWithin(end: number): number {
  if (at >= end) throw new RangeError('a key beyond its record')
  return readVarint()
}

function readVarint(): number {
  const first = bytes[at++]
  if (first < 0x80) return (first >>> 1) ^ -(first & 1)
  let value = first & 0x7f
  for (let shift = 7; shift < 35; shift += 7) {
    const byte = bytes[at++]
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
  }
  throw new RangeError('a number of more than five bytes')
}

/** Exact below 2^53, which is beyond any time. */
function readVarlong(): number {
  let value = 0
  let scale = 1
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at++]
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    scale *= 128
  }
  throw new RangeError('a number of more than ten bytes')
}
