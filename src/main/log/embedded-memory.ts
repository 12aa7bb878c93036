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
  /** From where on a partition's messages are held: as was said last, in this life of the log or the one before. */
  heldFrom: (topic: string, partition: number) => number
  /** Until it is said again: what was said in the life before, null for Infinity. */
  keepFrom: (topic: string, partitions: readonly (number | null)[]) => void
  /** The topic of which most is held, where that leaves no room for more. */
  fullOf: () => string | undefined
  /** Lets all messages go and keeps the topics. */
  dropMessages: () => void
}

/** Partitions begin small, as most stay so; a busy one soon has large chunks. */
const FIRST_CHUNK_BYTES = 16 * 1024
const MAX_CHUNK_BYTES = 1024 * 1024
/** Retention removes whole chunks, so one is to be a small part of all there may be. */
const CHUNKS_IN_LOG = 128
const MIN_CHUNK_BYTES = 1024
/** The newest one of each partition stays: with many they have to be smaller. */
const CHUNKS_IN_PARTITION = 4
const MAX_CACHED_KEYS = 100_000

/** What lies from an offset of a partition on; Infinity where nobody writes it, nothing while that is not known yet. */
export type HeldFrom = (topic: string, partition: number) => number | undefined

export function createMemory(maxBytes: number, saidNow: HeldFrom = () => Infinity): EmbeddedMemory {
  const topics = new Map<string, EmbeddedTopic>()
  const keys = new Map<EmbeddedTopic, Map<string, KeyPlace>>()
  /** As it was in the life before. */
  const saidBefore = new Map<string, readonly (number | null)[]>()
  let usedBytes = 0
  let maxChunkBytes = 0

  const heldFrom = (topic: string, partition: number) =>
    saidNow(topic, partition) ?? saidBefore.get(topic)?.[partition] ?? Infinity

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

  function heldBytes({ partitions }: EmbeddedTopic): number {
    const held = partitions.flatMap(partition => partition.chunks.filter(chunk => isHeld(partition, chunk)))
    return held.reduce((sum, { size }) => sum + size, 0)
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
      const all = [...topics.values()].reduce((sum, { partitions }) => sum + partitions.length, 0)
      const wanted = Math.floor(maxBytes / Math.max(CHUNKS_IN_LOG, CHUNKS_IN_PARTITION * all))
      maxChunkBytes = Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, wanted))
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
    heldFrom,
    keepFrom: (topic, partitions) => void saidBefore.set(topic, partitions),
    fullOf() {
      while (usedBytes > maxBytes && removeOldestChunk());
      if (usedBytes <= maxBytes) return undefined
      return [...topics.values()].sort((a, b) => heldBytes(b) - heldBytes(a))[0].name
    },
    dropMessages() {
      for (const { partitions } of topics.values()) for (const partition of partitions) partition.chunks = []
      usedBytes = 0
    },
  }
}
