// Messages into one record batch, without an object a message: sizes are counted first, then everything is written once.
import { compressSnappy, CODECS } from './codecs.ts'
import { crc32c } from './crc32c.ts'
import type { ProducerIdentity } from './produce-requests.ts'
import * as at from './record-batch.ts'

/** What goes into a batch, in order. */
export interface BatchSource {
  count: number
  key: (i: number) => Uint8Array
  /** Null for a tombstone. */
  value: (i: number) => Uint8Array | null
  timeMs: (i: number) => number
}

export interface BatchMark {
  identity: ProducerIdentity
  sequence: number
}

/** Length, time and offset within the batch, lengths of key and value, at their largest, attributes and no headers. */
export const MAX_OVERHEAD = 5 + 10 + 5 + 5 + 5 + 2
const UNKNOWN_EPOCH = -1

/** Kept between batches, as large as the largest needed. */
let scratch = Buffer.allocUnsafeSlow(64 * 1024)

export function encodeBatch(source: BatchSource, { identity, sequence }: BatchMark): Buffer {
  const { count, timeMs } = source
  const firstTime = timeMs(0)
  let latestTime = firstTime
  for (let i = 1; i < count; i++) latestTime = Math.max(latestTime, timeMs(i))
  const records = writeRecords(source, firstTime)
  const compressed = compressSnappy(records)
  const isSmaller = compressed.length < records.length
  const body = isSmaller ? compressed : records

  const batch = Buffer.allocUnsafe(at.RECORDS_AT + body.length)
  batch.writeBigInt64BE(0n, 0)
  batch.writeInt32BE(batch.length - at.LENGTH_COUNTS_FROM, at.LENGTH_AT)
  batch.writeInt32BE(UNKNOWN_EPOCH, at.LENGTH_COUNTS_FROM)
  batch[at.FORMAT_AT] = at.FORMAT
  batch.writeInt16BE(isSmaller ? CODECS.indexOf('snappy') : 0, at.ATTRIBUTES_AT)
  batch.writeInt32BE(count - 1, at.LAST_DELTA_AT)
  batch.writeBigInt64BE(BigInt(firstTime), at.FIRST_TIME_AT)
  batch.writeBigInt64BE(BigInt(latestTime), at.LATEST_TIME_AT)
  batch.writeBigInt64BE(identity.id, at.PRODUCER_AT)
  batch.writeInt16BE(identity.epoch, at.PRODUCER_EPOCH_AT)
  batch.writeInt32BE(sequence, at.SEQUENCE_AT)
  batch.writeInt32BE(count, at.COUNT_AT)
  batch.set(body, at.RECORDS_AT)
  batch.writeUInt32BE(crc32c(batch, at.ATTRIBUTES_AT, batch.length), at.CRC_AT)
  return batch
}

function writeRecords({ count, key, value, timeMs }: BatchSource, firstTime: number): Buffer {
  let to = 0
  for (let i = 0; i < count; i++) {
    const keyBytes = key(i)
    const valueBytes = value(i)
    const valueLength = valueBytes?.length ?? 0
    const timeDelta = timeMs(i) - firstTime
    const most = keyBytes.length + valueLength + MAX_OVERHEAD
    if (to + most > scratch.length) grow(to, to + most)
    const length =
      2 +
      sizeOf(timeDelta) +
      sizeOf(i) +
      sizeOf(keyBytes.length) +
      keyBytes.length +
      sizeOf(valueBytes ? valueLength : -1) +
      valueLength
    to = writeVarint(length, to)
    scratch[to++] = 0 // attributes
    to = writeVarint(timeDelta, to)
    to = writeVarint(i, to)
    to = writeVarint(keyBytes.length, to)
    scratch.set(keyBytes, to)
    to = writeVarint(valueBytes ? valueLength : -1, to + keyBytes.length)
    if (valueBytes) scratch.set(valueBytes, to)
    to += valueLength
    scratch[to++] = 0 // headers
  }
  return scratch.subarray(0, to)
}

function grow(used: number, needed: number): void {
  const larger = Buffer.allocUnsafeSlow(Math.max(scratch.length * 2, needed))
  scratch.copy(larger, 0, 0, used)
  scratch = larger
}

/** 0, -1, 1, -2 … as 0, 1, 2, 3 …, exact below 2^52. */
const zigzag = (value: number) => (value < 0 ? -2 * value - 1 : 2 * value)

function sizeOf(value: number): number {
  let size = 1
  for (let rest = zigzag(value); rest >= 0x80; rest = Math.floor(rest / 128)) size++
  return size
}

function writeVarint(value: number, to: number): number {
  let rest = zigzag(value)
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) scratch[to++] = (rest % 128) | 0x80
  scratch[to++] = rest
  return to
}
