// The log embedded in this process: what K2 runs on where there is no Kafka. It lives as long as the process does.
import { randomUUID } from 'node:crypto'
import { Failure } from '../../contract/failure.ts'
import { createBell } from '../base/bell.ts'
import { systemClock } from '../base/clock.ts'
import { partitionOf } from '../market/partition.ts'
import type { MessageLog, Produced, TopicSpec } from './message-log.ts'
import {
  appendMessage,
  createChunk,
  hasRoom,
  offsetAt,
  offsetOf,
  rangeOf,
  readBatch,
  type Chunk,
  type Partition,
} from './embedded-partition.ts'

export interface EmbeddedLogOptions {
  /** Memory for messages; beyond it the oldest go. */
  maxBytes: number
  /** Identity of its offsets; a new one when left out, as it begins anew. */
  cluster?: string
  /** Microseconds since 1970. */
  now?: () => number
}

interface Topic {
  name: string
  partitions: Partition[]
  keys: Map<string, { bytes: Buffer; partition: Partition }>
}

/** As Kafka's own default. */
const MAX_MESSAGE_BYTES = 1024 * 1024
/** Partitions begin small, as most stay so; a busy one soon has large chunks. */
const FIRST_CHUNK_BYTES = 16 * 1024
const MAX_CHUNK_BYTES = 1024 * 1024
/** Retention removes whole chunks, so one is to be a small part of all there may be. */
const CHUNKS_IN_LOG = 128
const MIN_CHUNK_BYTES = 1024
const MAX_CACHED_KEYS = 100_000
/** Topics cannot be deleted here, so none is made anew. */
const FIRST_EPOCH = '0'

export function createEmbeddedLog(options: EmbeddedLogOptions): MessageLog {
  const { maxBytes, cluster = randomUUID(), now = () => systemClock.nowMicros() } = options
  const maxChunkBytes = Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, Math.floor(maxBytes / CHUNKS_IN_LOG)))
  const topics = new Map<string, Topic>()
  const appended = createBell()
  let usedBytes = 0
  let closed = false

  function topicOf(name: string): Topic {
    if (closed) throw new Failure('UNAVAILABLE', 'The embedded log is closed.')
    const topic = topics.get(name)
    if (!topic) throw new Failure('NOT_FOUND', `There is no topic ${name}; create it first.`)
    return topic
  }

  function addChunk(partition: Partition, messageBytes: number): Chunk {
    const last = partition.chunks.at(-1)?.bytes.length ?? FIRST_CHUNK_BYTES / 2
    const chunk = createChunk(partition.next, Math.max(Math.min(last * 2, maxChunkBytes), messageBytes))
    partition.chunks.push(chunk)
    usedBytes += chunk.size
    while (usedBytes > maxBytes && removeOldestChunk(chunk));
    return chunk
  }

  /** The one whose newest message is the oldest of all; never the one that is about to be written. */
  function removeOldestChunk(except: Chunk): boolean {
    let oldest: Partition | undefined
    for (const { partitions } of topics.values())
      for (const partition of partitions) {
        const [chunk] = partition.chunks
        if (chunk && chunk !== except && (!oldest || chunk.newest < oldest.chunks[0].newest)) oldest = partition
      }
    usedBytes -= oldest?.chunks.shift()?.size ?? 0
    return oldest !== undefined
  }

  function keyOf({ keys, partitions }: Topic, key: string): { bytes: Buffer; partition: Partition } {
    let known = keys.get(key)
    if (!known) {
      if (keys.size >= MAX_CACHED_KEYS) keys.clear()
      known = { bytes: Buffer.from(key), partition: partitions[partitionOf(key, partitions.length)] }
      keys.set(key, known)
    }
    return known
  }

  async function* follow(readers: { partition: Partition; offset: number }[], signal: AbortSignal) {
    while (!signal.aborted && !closed) {
      let idle = true
      // One batch of each in turn, so that a busy partition starves no other.
      for (const reader of readers) {
        const batch = readBatch(reader.partition, reader.offset)
        if (!batch) continue
        reader.offset = batch.nextOffset
        idle = false
        yield batch
        if (signal.aborted) return
      }
      if (idle) await appended.wait(signal)
    }
  }

  return {
    kind: 'embedded',
    async cluster() {
      return cluster
    },
    async topics() {
      return [...topics.values()].map(({ name, partitions }) => ({
        name,
        partitions: partitions.length,
        epoch: FIRST_EPOCH,
      }))
    },
    async createTopics(specs) {
      if (closed) throw new Failure('UNAVAILABLE', 'The embedded log is closed.')
      for (const spec of specs) checkSpec(spec, topics.get(spec.name)?.partitions.length)
      for (const spec of specs) if (!topics.has(spec.name)) topics.set(spec.name, createTopic(spec))
    },
    async append(name, messages) {
      const topic = topicOf(name)
      checkProduced(messages)
      const { count, keys, values, ends, tombstones, timestamps } = messages
      const time = now()
      for (let i = 0, from = 0; i < count; from = ends[i++]) {
        const { bytes: key, partition } = keyOf(topic, keys[i])
        const value = tombstones?.[i] ? null : values.subarray(from, ends[i])
        const size = key.length + (value?.length ?? 0)
        let chunk = partition.chunks.at(-1)
        if (!chunk || !hasRoom(chunk, size)) chunk = addChunk(partition, size)
        appendMessage(partition, chunk, { key, value, timestamp: timestamps ? timestamps[i] : time })
      }
      appended.ring()
    },
    async ranges(name) {
      return topicOf(name).partitions.map(rangeOf)
    },
    async offsetsAt(name, micros) {
      return new Map(topicOf(name).partitions.map(partition => [partition.index, offsetAt(partition, micros)]))
    },
    read({ topics: names, from, signal }) {
      // Here and not at the first message: "latest" is now.
      const readers = names.flatMap(name =>
        topicOf(name).partitions.map(partition => ({
          partition,
          offset: offsetOf(partition, from(name, partition.index)),
        })),
      )
      return follow(readers, signal)
    },
    async noteProgress() {},
    async close() {
      closed = true
      appended.ring()
      topics.clear()
    },
  }
}

function createTopic({ name, partitions }: TopicSpec): Topic {
  return {
    name,
    partitions: Array.from({ length: partitions }, (_, index) => ({ topic: name, index, chunks: [], next: 0 })),
    keys: new Map(),
  }
}

function checkSpec({ name, partitions }: TopicSpec, existing: number | undefined): void {
  if (!Number.isInteger(partitions) || partitions < 1)
    throw new Failure('INVALID_INPUT', `Topic ${name} cannot have ${partitions} partitions; it needs at least one.`)
  if (existing !== undefined && existing !== partitions)
    throw new Failure('CONFLICT', `Topic ${name} exists with ${existing} partitions, not ${partitions}.`)
}

/** All of it or none of it is appended, so all of it is looked at first. */
function checkProduced({ count, keys, values, ends, timestamps }: Produced): void {
  let from = 0
  if (keys.length < count || ends.length < count || (timestamps && timestamps.length < count))
    throw new Failure('INVALID_INPUT', `${count} messages need as many keys, ends and timestamps.`)
  for (let i = 0; i < count; from = ends[i++]) {
    if (ends[i] < from || ends[i] > values.length)
      throw new Failure('INVALID_INPUT', `Message ${i} ends outside the bytes that were handed over.`)
    if (ends[i] - from > MAX_MESSAGE_BYTES)
      throw new Failure(
        'PAYLOAD_TOO_LARGE',
        `Message ${i} has ${ends[i] - from} bytes; ${MAX_MESSAGE_BYTES} are allowed.`,
      )
  }
}
