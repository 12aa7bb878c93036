// What a reading knows of each partition, and the bytes it has fetched ahead of whoever takes them.
import { createBell, type Bell } from '../../base/bell.ts'
import type { FetchedBatches } from './decode-batches.ts'

export interface PartitionReader {
  topic: string
  /** Nothing from an old broker. */
  topicId: string | undefined
  partition: number
  /** -1 while it has none. */
  leader: number
  /** The next to fetch; NaN until it is known where to begin. */
  offset: number
  /** Under which leader the last that was fetched was written; -1 before the first. */
  epoch: number
  /** Fetched and not taken yet. */
  bytesAhead: number
  failures: number
  /** Left alone until then, in milliseconds of the monotonic clock. */
  resumeAt: number
}

export interface ReadState {
  readers: PartitionReader[]
  queue: { reader: PartitionReader; fetched: FetchedBatches }[]
  bytesAhead: number
  readonly maxBytesAhead: number
  /** Ends the reading behind what is queued. */
  failure: Error | undefined
  /** Something to take: a batch, or the end. */
  arrived: Bell
  /** Something to fetch: room, or another leader. */
  moved: Bell
  /** The brokers are to be asked who leads now. */
  stale: Bell
}

/** Brokers cut at this size; larger answers only make the first message wait. */
const MAX_PARTITION_BYTES = 1024 * 1024
const MIN_PARTITION_BYTES = 64 * 1024
const MAX_FETCH_BYTES = 16 * 1024 * 1024

export function createReadState(maxBytesAhead: number): ReadState {
  return {
    readers: [],
    queue: [],
    bytesAhead: 0,
    maxBytesAhead,
    failure: undefined,
    arrived: createBell(),
    moved: createBell(),
    stale: createBell(),
  }
}

/** Each partition has its share, so that a busy one leaves room for the others. */
export function partitionBytes({ maxBytesAhead, readers }: ReadState): number {
  const share = Math.floor(maxBytesAhead / 2 / Math.max(1, readers.length))
  return Math.min(MAX_PARTITION_BYTES, Math.max(MIN_PARTITION_BYTES, share))
}

export function fetchBytes({ maxBytesAhead, bytesAhead }: ReadState): number {
  return Math.min(MAX_FETCH_BYTES, Math.max(MIN_PARTITION_BYTES, maxBytesAhead - bytesAhead))
}

/** A broker sends one batch whole, however large, so the bound is passed by one batch a partition at most. */
export function hasRoom(state: ReadState, { bytesAhead }: PartitionReader): boolean {
  if (state.bytesAhead >= state.maxBytesAhead) return false
  const share = Math.floor(state.maxBytesAhead / state.readers.length)
  return bytesAhead === 0 || bytesAhead + partitionBytes(state) <= share
}

export function enqueue(state: ReadState, reader: PartitionReader, fetched: FetchedBatches): void {
  state.queue.push({ reader, fetched })
  reader.bytesAhead += fetched.bytes.length
  state.bytesAhead += fetched.bytes.length
  state.arrived.ring()
}

export function dequeue(state: ReadState): FetchedBatches | undefined {
  const next = state.queue.shift()
  if (!next) return undefined
  const { reader, fetched } = next
  reader.bytesAhead -= fetched.bytes.length
  state.bytesAhead -= fetched.bytes.length
  state.moved.ring()
  return fetched
}

/** Until it rings, or so much later. */
export async function ringOrTime(bell: Bell, ms: number, signal: AbortSignal): Promise<void> {
  const timer = setTimeout(() => bell.ring(), ms)
  await bell.wait(signal)
  clearTimeout(timer)
}
