// The head of a record batch, as brokers keep it since Kafka 0.11 (message format v2), and finding the batches in a run of bytes.
//   0 first offset (64)  8 length of what follows (32)  12 leader epoch (32)  16 format (8)  17 CRC-32C of what follows (32)
//   21 attributes (16)   23 last offset - first (32)    27 first time (64)    35 latest time (64)
//   43 producer id (64)  51 producer epoch (16)         53 first sequence (32)  57 records (32)  61 the records
import { CODECS, type Codec } from './codecs.ts'

export const LENGTH_AT = 8
const LEADER_EPOCH_AT = 12
export const FORMAT_AT = 16
export const CRC_AT = 17
export const ATTRIBUTES_AT = 21
export const LAST_DELTA_AT = 23
export const FIRST_TIME_AT = 27
export const LATEST_TIME_AT = 35
export const PRODUCER_AT = 43
export const PRODUCER_EPOCH_AT = 51
export const SEQUENCE_AT = 53
export const COUNT_AT = 57
export const RECORDS_AT = 61
/** Of first offset and length, which the length does not count. */
export const LENGTH_COUNTS_FROM = 12
export const FORMAT = 2

export const CODEC_BITS = 0x07
export const LOG_APPEND_TIME_BIT = 0x08
export const TRANSACTIONAL_BIT = 0x10
export const CONTROL_BIT = 0x20

/** A batch that cannot be what a broker wrote; where, so that it can be named. */
export class DamagedBatch extends Error {
  readonly offset: number
  constructor(offset: number, message: string, cause?: unknown) {
    super(message, { cause })
    this.offset = offset
  }
}

export interface WholeBatches {
  end: number
  nextOffset: number
  /** Of the leader that took in the last one; -1 when there is none. */
  epoch: number
}

/** Where whole batches end in what a broker sent, which may be cut off behind the first, and the offset behind them. */
export function wholeBatches(bytes: Buffer, from: number): WholeBatches {
  let end = 0
  let epoch = -1
  let nextOffset = from
  while (end + RECORDS_AT <= bytes.length) {
    const first = Number(bytes.readBigInt64BE(end))
    const next = end + LENGTH_COUNTS_FROM + bytes.readInt32BE(end + LENGTH_AT)
    const format = bytes[end + FORMAT_AT]
    if (format !== FORMAT)
      throw new DamagedBatch(
        nextOffset,
        `is in message format ${format}; only format 2 (Kafka 0.11 and later) can be read`,
      )
    if (next < end + RECORDS_AT) throw new DamagedBatch(nextOffset, 'is in a batch that ends before it begins')
    if (next > bytes.length) break
    const last = first + bytes.readInt32BE(end + LAST_DELTA_AT)
    // The first may begin before the offset that was asked for.
    if (!(last >= nextOffset && last >= first && (end === 0 || first >= nextOffset)))
      throw new DamagedBatch(nextOffset, `is followed by offsets ${first} to ${last}, which do not grow`)
    nextOffset = last + 1
    epoch = bytes.readInt32BE(end + LEADER_EPOCH_AT)
    end = next
  }
  if (end === 0 && bytes.length > 0) throw new DamagedBatch(from, 'is in a batch that is cut off')
  return { end, nextOffset, epoch }
}

export const codecOf = (attributes: number): Codec | undefined => CODECS[attributes & CODEC_BITS]
