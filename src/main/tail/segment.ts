// A segment: some thousand rows that follow each other, their hot columns in typed arrays and their messages as bytes.
// A tail is a chain of segments. What is full is never moved or grown; what is empty again is used again.
import type { TailTable } from '../../contract/tables.ts'
import type { Pairs } from '../market/decode-primitives.ts'
import { compareTexts } from '../market/row-order.ts'

/** The 64-bit columns held ready beside times and places; the place of one in this list is its bit in `nulls`. */
export const PAIR_COLUMNS: Record<TailTable, readonly string[]> = {
  trades: ['source_sequence', 'price', 'quantity'],
  quotes: ['source_sequence', 'bid_price', 'bid_quantity', 'ask_price', 'ask_quantity'],
}
export const SEQUENCE = 0

/**
 * The columns are views on one buffer in which a row lies in one piece: rows of an instrument are far apart, so each
 * column apart would be a cache miss of its own. Measured, that took two to three times as long.
 * `at` is where a row begins, in doubles: x[at] of 64-bit columns, x[2 * at] of 32-bit ones, and so on.
 */
export interface Segment {
  /** Position of its first row in the tail. */
  first: number
  count: number
  older?: Segment
  newer?: Segment
  /** Memory it takes, used or not. */
  size: number
  /** When its first row came in, microseconds since 1970. */
  arrivedMicros: number
  /** The latest exchange time in it. */
  latestTime: number

  /** Length of a row in doubles. */
  stride: number
  exchangeTimes: Float64Array
  logTimes: Float64Array
  offsets: Float64Array
  /** Each [2 * at] and the one after. */
  pairs: readonly Pairs[]
  /** [2 * at] */
  instruments: Uint32Array
  /** [4 * at]: which topic and partition, as an index into the tail's places. */
  places: Uint16Array
  /** [8 * at]: bit k is set where the row has no value in pair column k. */
  nulls: Uint8Array

  /** [at / stride], as only those who want whole messages ask: where a message begins in `bytes`. */
  starts: Uint32Array
  bytes: Buffer
  usedBytes: number
}

export interface SegmentSize {
  rows: number
  bytes: number
}

const TIME_BYTES = 3 * 8
const PLACE_BYTES = 8
const START_BYTES = 4

const strideBytes = (dataType: TailTable) => TIME_BYTES + 8 * PAIR_COLUMNS[dataType].length + PLACE_BYTES

/** All that a row takes but for its message. */
export function rowBytes(dataType: TailTable): number {
  return strideBytes(dataType) + START_BYTES
}

export function createSegment(dataType: TailTable, { rows, bytes }: SegmentSize): Segment {
  const rowSize = strideBytes(dataType)
  const buffer = new ArrayBuffer(rows * rowSize)
  const place = rowSize - PLACE_BYTES
  return {
    first: 0,
    count: 0,
    size: rows * rowBytes(dataType) + bytes,
    arrivedMicros: 0,
    latestTime: -Infinity,
    stride: rowSize / 8,
    exchangeTimes: new Float64Array(buffer, 0),
    logTimes: new Float64Array(buffer, 8),
    offsets: new Float64Array(buffer, 16),
    pairs: PAIR_COLUMNS[dataType].map((_, column) => new Int32Array(buffer, TIME_BYTES + 8 * column)),
    instruments: new Uint32Array(buffer, place),
    places: new Uint16Array(buffer, place + 4),
    nulls: new Uint8Array(buffer, place + 6),
    starts: new Uint32Array(rows),
    bytes: Buffer.allocUnsafeSlow(bytes),
    usedBytes: 0,
  }
}

/** Where the row of a position begins, which this segment has. */
export function rowAt({ first, stride }: Segment, position: number): number {
  return (position - first) * stride
}

/** What rows are compared by beside the columns held ready. */
export interface Ranking {
  places: { readonly all: readonly { topic: string; partition: number }[] }
  messageIdOf: (segment: Segment, at: number) => string
}

/**
 * Compares two rows in the product's total order: time, sequence with none last, partition, offset, message_id. Only rows of
 * two topics agree in all before the last, which is rare, so ids are not held ready but read from the messages. Rows of one
 * id stand by their topics' names, so that they stand alike every time.
 */
export function compareRows(
  a: Segment,
  atA: number,
  b: Segment,
  atB: number,
  { places: { all }, messageIdOf }: Ranking,
): number {
  return (
    a.exchangeTimes[atA] - b.exchangeTimes[atB] ||
    compareSequences(a, atA, b, atB) ||
    all[a.places[4 * atA]].partition - all[b.places[4 * atB]].partition ||
    a.offsets[atA] - b.offsets[atB] ||
    compareTexts(messageIdOf(a, atA), messageIdOf(b, atB)) ||
    compareTexts(all[a.places[4 * atA]].topic, all[b.places[4 * atB]].topic)
  )
}

function compareSequences(a: Segment, atA: number, b: Segment, atB: number): number {
  const isNullA = (a.nulls[8 * atA] >> SEQUENCE) & 1
  const isNullB = (b.nulls[8 * atB] >> SEQUENCE) & 1
  if (isNullA || isNullB) return isNullA - isNullB
  const [left, right] = [a.pairs[SEQUENCE], b.pairs[SEQUENCE]]
  return left[2 * atA + 1] - right[2 * atB + 1] || (left[2 * atA] >>> 0) - (right[2 * atB] >>> 0)
}
