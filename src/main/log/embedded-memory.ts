// What the embedded log holds: topics, their partitions, and one limit to the memory of all.
import { partitionOf } from '../market/partition.ts'
import { appendMessage, createChunk, hasRoom, type Chunk, type Partition } from './embedded-partition.ts'

export interface EmbeddedTopic {
  name: string
  partitions: Partition[]
}

export interface KeyPlace {
  bytes: Buffer
  partition: Partition
}

export interface EmbeddedMemory {
  topics: Map<string, EmbeddedTopic>
  addTopic: (name: string, partitions: number) => EmbeddedTopic
  /** The key's bytes and the partition it goes to. */
  keyPlace: (topic: EmbeddedTopic, key: string) => KeyPlace
  /** What is the oldest of all goes if memory needs it, but for what is held. */
  add: (partition: Partition, key: Uint8Array, value: Uint8Array | null, timestamp: number) => void
  /** Whether what is held leaves no room for more. */
  isFull: () => boolean
  /** Lets all messages go and keeps the topics. */
  dropMessages: () => void
}

/** Partitions begin small, as most stay so; a busy one soon has large chunks. */
const FIRST_CHUNK_BYTES = 16 * 1024
const MAX_CHUNK_BYTES = 1024 * 1024
/** Retention removes whole chunks, so one is to be a small part of all there may be. */
const CHUNKS_IN_LOG = 128
const MIN_CHUNK_BYTES = 1024
const MAX_CACHED_KEYS = 100_000

/** What lies from an offset of a partition on. */
export type HeldFrom = (topic: string, partition: number) => number

export function createMemory(maxBytes: number, heldFrom: HeldFrom = () => Infinity): EmbeddedMemory {
  const maxChunkBytes = Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, Math.floor(maxBytes / CHUNKS_IN_LOG)))
  const topics = new Map<string, EmbeddedTopic>()
  const keys = new Map<EmbeddedTopic, Map<string, KeyPlace>>()
  let usedBytes = 0

  const isHeld = ({ topic, index }: Partition, { first, count }: Chunk) => first + count > heldFrom(topic, index)

  /** The one whose newest message is the oldest of all; never the one that is about to be written. */
  function removeOldestChunk(except?: Chunk): boolean {
    let oldest: Partition | undefined
    for (const { partitions } of topics.values())
      for (const partition of partitions) {
        const [chunk] = partition.chunks
        if (!chunk || chunk === except || (oldest && chunk.newest >= oldest.chunks[0].newest)) continue
        if (!isHeld(partition, chunk)) oldest = partition
      }
    usedBytes -= oldest?.chunks.shift()?.size ?? 0
    return oldest !== undefined
  }

  function addChunk(partition: Partition, messageBytes: number): Chunk {
    const last = partition.chunks.at(-1)?.bytes.length ?? FIRST_CHUNK_BYTES / 2
    const chunk = createChunk(partition.next, Math.max(Math.min(last * 2, maxChunkBytes), messageBytes))
    partition.chunks.push(chunk)
    usedBytes += chunk.size
    while (usedBytes > maxBytes && removeOldestChunk(chunk));
    return chunk
  }

  return {
    topics,
    addTopic(name, count) {
      const partitions = Array.from({ length: count }, (_, index) => ({ topic: name, index, chunks: [], next: 0 }))
      const topic = { name, partitions }
      topics.set(name, topic)
      keys.set(topic, new Map())
      return topic
    },
    keyPlace(topic, key) {
      const known = keys.get(topic)!
      let place = known.get(key)
      if (!place) {
        if (known.size >= MAX_CACHED_KEYS) known.clear()
        const { partitions } = topic
        place = { bytes: Buffer.from(key), partition: partitions[partitionOf(key, partitions.length)] }
        known.set(key, place)
      }
      return place
    },
    add(partition, key, value, timestamp) {
      const size = key.length + (value?.length ?? 0)
      let chunk = partition.chunks.at(-1)
      if (!chunk || !hasRoom(chunk, size)) chunk = addChunk(partition, size)
      appendMessage(partition, chunk, { key, value, timestamp })
    },
    isFull() {
      while (usedBytes > maxBytes && removeOldestChunk());
      return usedBytes > maxBytes
    },
    dropMessages() {
      for (const { partitions } of topics.values()) for (const partition of partitions) partition.chunks = []
      usedBytes = 0
    },
  }
}
