// Asking a partition's leader for messages, and for offsets.
import { checkCode } from './cluster.ts'
import type { AbortedTransaction } from './decode-batches.ts'
import { ID_BYTES } from './metadata-request.ts'
import { API, type ApiVersions, type KafkaRequest } from './request.ts'
import type { WireReader } from './wire.ts'

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
  /** Where the log parts from what the reader said it has: these offsets on are other messages. */
  divergedAt: number | undefined
  /** Batches of records; the last may be cut off. */
  records: Buffer
}

export interface FetchFrom {
  partition: number
  offset: number
  /** Of the last batch that was read, so that the broker sees when its log has lost that one; -1 when none was. */
  epoch: number
}

export interface FetchOptions {
  maxWaitMs: number
  maxBytes: number
  maxPartitionBytes: number
  /** Asked for by its id where it has one, so that a topic made anew under the same name is never taken for it. */
  topics: readonly (FetchTopic<FetchFrom> & { id: string | undefined })[]
}

const BY_NAME = 11
const BY_ID = 13
const READ_COMMITTED = 1
const NOBODY = -1
const WHICHEVER = -1
/** A tagged field: an epoch, and where it ended in the leader's log. */
const DIVERGING_EPOCH = 0

export function fetchRequest(
  { maxWaitMs, maxBytes, maxPartitionBytes, topics }: FetchOptions,
  versions: ApiVersions,
): KafkaRequest<FetchedPartition[]> {
  const byId = versions[API.fetch].maxVersion >= BY_ID && topics.every(({ id }) => id !== undefined)
  return {
    name: 'Fetch',
    apiKey: API.fetch,
    version: byId ? BY_ID : BY_NAME,
    flexible: byId,
    waitMs: maxWaitMs,
    encode(writer) {
      writer.int32(NOBODY) // replica
      writer.int32(maxWaitMs)
      writer.int32(1) // least bytes
      writer.int32(maxBytes)
      writer.int8(READ_COMMITTED)
      writer.int32(0) // no session:
      writer.int32(-1) // what is fetched is said anew each time
      writer.array(topics, ({ topic, id, partitions }) => {
        if (byId) writer.raw(Buffer.from(id!, 'base64url'))
        else writer.string(topic)
        writer.array(partitions, ({ partition, offset, epoch }) => {
          writer.int32(partition)
          writer.int32(WHICHEVER) // leader epoch
          writer.int64(offset)
          if (byId) writer.int32(epoch)
          writer.int64(-1) // log start, of replicas
          writer.int32(maxPartitionBytes)
          writer.end()
        })
        writer.end()
      })
      writer.array([], () => {}) // forgotten topics
      writer.string('') // rack
      writer.end()
    },
    decode(reader) {
      const names = new Map(topics.map(({ id, topic }) => [id, topic]))
      reader.int32() // throttle time
      // Of all of it: there are no answers by partition then, and asked again at once it would say the same.
      checkCode(reader.int16(), 'Messages could not be asked for')
      reader.int32() // session
      return reader
        .array(() => {
          const topic = (byId ? names.get(reader.raw(ID_BYTES).toString('base64url')) : reader.string()) ?? ''
          const partitions = reader.array(() => ({ topic, ...readPartition(reader) }))
          reader.end()
          return partitions
        })
        .flat()
    },
  }
}

function readPartition(reader: WireReader): Omit<FetchedPartition, 'topic'> {
  const [partition, code, highWatermark] = [reader.int32(), reader.int16(), reader.int64()]
  reader.int64() // last stable offset
  reader.int64() // log start
  const aborted = reader.array(() => {
    const transaction = { producerId: reader.bigInt64(), firstOffset: reader.int64() }
    reader.end()
    return transaction
  })
  reader.int32() // preferred replica
  const records = reader.bytes()
  let divergedAt: number | undefined
  reader.end(tag => {
    if (tag !== DIVERGING_EPOCH) return
    const [, end] = [reader.int32(), reader.int64()]
    if (end >= 0) divergedAt = end
  })
  return { partition, code, highWatermark, divergedAt, aborted, records }
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
