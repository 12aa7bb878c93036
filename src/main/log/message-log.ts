// The seam between K2 and whatever keeps its messages: Kafka, or the log embedded in this process.
// Above it nobody knows which. Offsets only grow, may have gaps, and are doubles (exact below 2^53).

export interface TopicSpec {
  name: string
  partitions: number
}

/** Messages of one partition in offset order, as columns: the values lie in one buffer, so a batch costs no object per message. */
export interface LogBatch {
  topic: string
  partition: number
  count: number
  /** The offset after the last message here, gaps included: where the next read starts. */
  nextOffset: number
  offsets: Float64Array
  /** When the log took each message in, microseconds since 1970. */
  timestamps: Float64Array
  values: Uint8Array
  /** Value i is values[ends[i-1] … ends[i]). */
  ends: Uint32Array
}

/**
 * What a producer hands over for one topic; keys decide the partition by Kafka's murmur2.
 * The arrays are the producer's again when `append` has resolved: a log copies what it keeps.
 */
export interface Produced {
  count: number
  keys: readonly string[]
  values: Uint8Array
  ends: Uint32Array
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

export interface MessageLog {
  /** Identity of this log's offsets: another cluster, or an embedded log started anew, has another one. */
  readonly epoch: string
  topics(): Promise<TopicSpec[]>
  /** Creates what does not exist; a topic that exists with another partition count is CONFLICT. */
  createTopics(specs: readonly TopicSpec[]): Promise<void>
  append(topic: string, messages: Produced): Promise<void>
  ranges(topic: string): Promise<PartitionRange[]>
  /** The first offset of each partition whose message is not older than this time; its end when there is none. */
  offsetsAt(topic: string, micros: number): Promise<Map<number, number>>
  /**
   * Reads every partition of a topic from exactly these offsets on, until the signal aborts.
   * An offset that retention has removed is OFFSET_OUT_OF_RANGE, never a silent jump.
   */
  read(topic: string, from: (partition: number) => StartAt, signal: AbortSignal): AsyncIterable<LogBatch>
  close(): Promise<void>
}
