// The seam between K2 and whatever keeps its messages: Kafka, or the log embedded in this process.
// Above it nobody knows which. Offsets only grow, may have gaps, and are doubles (exact below 2^53).
import type { LogBatch } from '../market/log-batch.ts'

export interface TopicSpec {
  name: string
  partitions: number
  /** Copies of each partition; the log's own default when left out. */
  replication?: number
  /** Of the log's own settings, such as `retention.ms` and `cleanup.policy`. */
  config?: Readonly<Record<string, string>>
}

export interface TopicInfo {
  name: string
  partitions: number
  /** Another one when the topic was deleted and made anew: its offsets are other messages then. */
  epoch: string
}

/**
 * What a producer hands over for one topic; keys decide the partition by Kafka's murmur2.
 * The arrays are the producer's again when `append` has resolved: a log copies what it keeps.
 */
export interface Produced {
  count: number
  keys: readonly string[]
  values: Uint8Array
  /** Value i is values[ends[i-1] … ends[i]). */
  ends: Uint32Array
  /** 1 where a message has no value: it says that its key is gone. */
  tombstones?: Uint8Array
  /** Microseconds since 1970; the log's own clock when absent. */
  timestamps?: Float64Array
}

export interface PartitionRange {
  partition: number
  /** The oldest offset still held. */
  earliest: number
  /** The offset the next message will get. */
  latest: number
}

/** Where to read from: an offset, or an end of the log. */
export type StartAt = number | 'earliest' | 'latest'

export interface ReadOptions {
  topics: readonly string[]
  /** Asked once a partition, also for one that is added while reading. */
  from: (topic: string, partition: number) => StartAt
  signal: AbortSignal
  /** What is read ahead of whoever takes the batches, at most. A reader that takes none stops the reading, and loses nothing. */
  maxBytesAhead?: number
  /** The log cannot be reached just now. Reading goes on by itself when it can; nothing when it does again. */
  onTrouble?: (trouble: Error | undefined) => void
}

export interface MessageLog {
  readonly kind: 'kafka' | 'embedded'
  /** Identity of all its offsets: those of another cluster are other messages. */
  cluster(): Promise<string>
  topics(): Promise<TopicInfo[]>
  /** Creates what does not exist; a topic that exists with another partition count is CONFLICT. */
  createTopics(specs: readonly TopicSpec[]): Promise<void>
  append(topic: string, messages: Produced): Promise<void>
  ranges(topic: string): Promise<PartitionRange[]>
  /** The first offset of each partition whose message is not older than this time; its end when there is none. */
  offsetsAt(topic: string, micros: number): Promise<Map<number, number>>
  /**
   * Reads every partition of the topics from exactly these offsets on, until the signal aborts.
   * An offset that retention has removed, or that is beyond the end, is OFFSET_OUT_OF_RANGE, never a silent jump.
   */
  read(options: ReadOptions): AsyncIterable<LogBatch>
  /** Tells the log's own tools how far a reader is. For them only: nobody ever starts from it. */
  noteProgress(group: string, topic: string, next: Readonly<Record<string, number>>): Promise<void>
  close(): Promise<void>
}
