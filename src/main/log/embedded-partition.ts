// One partition of the embedded log: messages in chunks of plain memory, no object per message.
import { Failure } from '../../contract/failure.ts'
import { NONE, type LogBatch } from '../market/log-batch.ts'
import type { PartitionRange, StartAt } from './message-log.ts'

/** A run of messages; only ever appended to, so what was read stays as it was. */
export interface Chunk {
  /** Offset of its first message. */
  first: number
  count: number
  /** Key, value, key, value … */
  bytes: Buffer
  keyEnds: Uint32Array
  ends: Uint32Array
  /** 1 where a message has no value. */
  tombstones: Uint8Array
  timestamps: Float64Array
  /** The latest timestamp in it. */
  newest: number
  /** Memory it takes, used or not. */
  size: number
}

export interface Partition {
  topic: string
  index: number
  chunks: Chunk[]
  /** The offset the next message will get. */
  next: number
}

/** A reader gets at most so much at once, so that decoding a batch holds up nobody for more than a few milliseconds. */
const BATCH_MESSAGES = 2048
/** Chunks are made for messages of this size or more; smaller ones fill the index before the bytes. */
const SMALLEST_USUAL_MESSAGE = 64
const INDEX_BYTES = 2 * Uint32Array.BYTES_PER_ELEMENT + Uint8Array.BYTES_PER_ELEMENT + Float64Array.BYTES_PER_ELEMENT

export function createChunk(first: number, byteCapacity: number): Chunk {
  const capacity = Math.ceil(byteCapacity / SMALLEST_USUAL_MESSAGE)
  return {
    first,
    count: 0,
    bytes: Buffer.allocUnsafeSlow(byteCapacity),
    keyEnds: new Uint32Array(capacity),
    ends: new Uint32Array(capacity),
    tombstones: new Uint8Array(capacity),
    timestamps: new Float64Array(capacity),
    newest: -Infinity,
    size: byteCapacity + capacity * INDEX_BYTES,
  }
}

export function hasRoom(chunk: Chunk, bytes: number): boolean {
  return chunk.count < chunk.ends.length && usedBytes(chunk) + bytes <= chunk.bytes.length
}

export interface Message {
  key: Uint8Array
  /** Nothing for a tombstone. */
  value: Uint8Array | null
  timestamp: number
}

/** The chunk has room for it. */
export function appendMessage(partition: Partition, chunk: Chunk, { key, value, timestamp }: Message): void {
  const keyAt = usedBytes(chunk)
  const at = keyAt + key.length
  chunk.bytes.set(key, keyAt)
  if (value) chunk.bytes.set(value, at)
  chunk.keyEnds[chunk.count] = at
  chunk.ends[chunk.count] = at + (value?.length ?? 0)
  chunk.tombstones[chunk.count] = value ? 0 : 1
  chunk.timestamps[chunk.count++] = timestamp
  if (timestamp > chunk.newest) chunk.newest = timestamp
  partition.next++
}

/** Uses up the offsets before this one without messages; the next message begins a chunk of its own. */
export function skipTo(partition: Partition, next: number): void {
  const last = partition.chunks.at(-1)
  // No room for another: its offsets follow each other.
  if (last) last.ends = last.ends.slice(0, last.count)
  partition.next = next
}

/** What there is from this offset on, within one chunk; nothing at the end of the partition. Copies, so that a batch is its reader's own. */
export function readBatch(partition: Partition, offset: number): LogBatch | undefined {
  checkOffset(partition, offset)
  if (offset === partition.next) return undefined
  const at = partition.chunks.findLastIndex(({ first }) => first <= offset)
  const chunk = partition.chunks[at]
  const from = offset - chunk.first
  if (from >= chunk.count) return emptyBatch(partition, partition.chunks.at(at + 1)?.first ?? partition.next)
  const count = Math.min(chunk.count - from, BATCH_MESSAGES)
  const base = from === 0 ? 0 : chunk.ends[from - 1]
  const offsets = new Float64Array(count)
  const [keyStarts, keyEnds, starts, ends] = Array.from({ length: 4 }, () => new Int32Array(count))
  let begin = 0
  for (let i = 0; i < count; i++) {
    offsets[i] = offset + i
    keyStarts[i] = begin
    keyEnds[i] = chunk.keyEnds[from + i] - base
    starts[i] = chunk.tombstones[from + i] ? NONE : keyEnds[i]
    begin = ends[i] = chunk.ends[from + i] - base
  }
  return {
    topic: partition.topic,
    partition: partition.index,
    count,
    nextOffset: offset + count,
    latest: partition.next,
    offsets,
    timestamps: chunk.timestamps.slice(from, from + count),
    // A copy: memory of a chunk may become another one's.
    bytes: Buffer.from(chunk.bytes.subarray(base, base + begin)),
    starts,
    ends,
    keyStarts,
    keyEnds,
  }
}

/** Offsets that were used up by nothing. */
function emptyBatch({ topic, index, next }: Partition, nextOffset: number): LogBatch {
  const none = new Int32Array(0)
  const noTimes = new Float64Array(0)
  const columns = { offsets: noTimes, timestamps: noTimes, starts: none, ends: none, keyStarts: none, keyEnds: none }
  return { topic, partition: index, count: 0, nextOffset, latest: next, bytes: Buffer.alloc(0), ...columns }
}

export function rangeOf({ index, chunks, next }: Partition): PartitionRange {
  return { partition: index, earliest: chunks[0]?.first ?? next, latest: next }
}

export function offsetOf(partition: Partition, start: StartAt): number {
  return typeof start === 'number' ? start : rangeOf(partition)[start]
}

/** The first offset whose message is not older than this time; the end when there is none. */
export function offsetAt({ chunks, next }: Partition, micros: number): number {
  for (const { newest, first, count, timestamps } of chunks) {
    if (newest < micros) continue
    for (let i = 0; i < count; i++) if (timestamps[i] >= micros) return first + i
  }
  return next
}

function checkOffset(partition: Partition, offset: number): void {
  const { earliest, latest } = rangeOf(partition)
  if (offset >= earliest && offset <= latest) return
  const { topic, index } = partition
  const place = `Offset ${offset} of partition ${index} of ${topic}`
  const what = offset < earliest ? 'is no longer held' : 'does not exist yet'
  const message = `${place} ${what}: the log holds ${earliest} to ${latest}. Read again from one of these.`
  throw new Failure('OFFSET_OUT_OF_RANGE', message, { details: { topic, partition: index, offset, earliest, latest } })
}

function usedBytes({ count, ends }: Chunk): number {
  return count === 0 ? 0 : ends[count - 1]
}
