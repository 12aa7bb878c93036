// Asking a partition's leader for messages, and for offsets.
import type { AbortedTransaction } from './decode-batches.ts'
import { API, type KafkaRequest } from './request.ts'

export interface FetchTopic<P> {
  topic: string
  partitions: readonly P[]
}

export interface FetchedPartition {
  topic: string
  partition: number
  code: number
  /** The offset its next message will get, as far as every reader may know. */
  highWatermark: number
  aborted: AbortedTransaction[]
  /** Batches of records; the last may be cut off. */
  records: Buffer
}

export interface FetchOptions {
  maxWaitMs: number
  maxBytes: number
  maxPartitionBytes: number
  topics: readonly FetchTopic<{ partition: number; offset: number }>[]
}

const READ_COMMITTED = 1
const NOBODY = -1

export function fetchRequest({
  maxWaitMs,
  maxBytes,
  maxPartitionBytes,
  topics,
}: FetchOptions): KafkaRequest<FetchedPartition[]> {
  return {
    name: 'Fetch',
    apiKey: API.fetch,
    version: 11,
    waitMs: maxWaitMs,
    encode(writer) {
      writer.int32(NOBODY) // replica
      writer.int32(maxWaitMs)
      writer.int32(1) // least bytes
      writer.int32(maxBytes)
      writer.int8(READ_COMMITTED)
      writer.int32(0) // no session:
      writer.int32(-1) // what is fetched is said anew each time
      writer.array(topics, ({ topic, partitions }) => {
        writer.string(topic)
        writer.array(partitions, ({ partition, offset }) => {
          writer.int32(partition)
          writer.int32(-1) // leader epoch: whichever
          writer.int64(offset)
          writer.int64(-1) // log start, of replicas
          writer.int32(maxPartitionBytes)
        })
      })
      writer.array([], () => {}) // forgotten topics
      writer.string('') // rack
    },
    decode(reader) {
      reader.int32() // throttle time
      reader.int16() // error of the session
      reader.int32() // session
      return reader
        .array(() => {
          const topic = reader.string() ?? ''
          return reader.array(() => {
            const [partition, code, highWatermark] = [reader.int32(), reader.int16(), reader.int64()]
            reader.int64() // last stable offset
            reader.int64() // log start
            const aborted = reader.array(() => ({ producerId: reader.bigInt64(), firstOffset: reader.int64() }))
            reader.int32() // preferred replica
            return { topic, partition, code, highWatermark, aborted, records: reader.bytes() }
          })
        })
        .flat()
    },
  }
}

export const EARLIEST = -2
export const LATEST = -1

export interface ListedOffset {
  topic: string
  partition: number
  code: number
  /** -1 when there is no message of that time or later. */
  offset: number
}

/** `time` in milliseconds, or an end of the log. Marks of open transactions count as there. */
export function listOffsetsRequest(
  topics: readonly FetchTopic<{ partition: number; time: number }>[],
): KafkaRequest<ListedOffset[]> {
  return {
    name: 'ListOffsets',
    apiKey: API.listOffsets,
    version: 2,
    encode(writer) {
      writer.int32(NOBODY)
      writer.int8(0) // also what is not committed
      writer.array(topics, ({ topic, partitions }) => {
        writer.string(topic)
        writer.array(partitions, ({ partition, time }) => {
          writer.int32(partition)
          writer.int64(time)
        })
      })
    },
    decode(reader) {
      reader.int32() // throttle time
      return reader
        .array(() => {
          const topic = reader.string() ?? ''
          return reader.array(() => {
            const [partition, code] = [reader.int32(), reader.int16()]
            reader.int64() // time of that message
            return { topic, partition, code, offset: reader.int64() }
          })
        })
        .flat()
    },
  }
}
