// Messages of one partition in offset order, as a log hands them out: columns over one run of bytes, no object a message.
// Nothing is copied on the way: keys and values lie where the log has them, with whatever it has between them.

export interface LogBatch {
  topic: string
  partition: number
  /** May be 0: offsets can be used up by what is no message, such as the marks of transactions. */
  count: number
  /** The offset after the last message here, gaps included: where the next read starts. */
  nextOffset: number
  /** The offset the partition's next message will get, as far as the log knew when it handed this out. */
  latest: number
  offsets: Float64Array
  /** When the log took each message in, microseconds since 1970. */
  timestamps: Float64Array
  bytes: Buffer
  /** Value i is bytes[starts[i] … ends[i]); a start of NONE is a message without a value, a tombstone. */
  starts: Int32Array
  ends: Int32Array
  /** Key i is bytes[keyStarts[i] … keyEnds[i]); a start of NONE is a message without a key. */
  keyStarts: Int32Array
  keyEnds: Int32Array
}

/** In `starts` and `keyStarts`: there is none, which is something else than an empty one. */
export const NONE = -1

export function valueOf({ bytes, starts, ends }: LogBatch, i: number): Buffer | null {
  return starts[i] === NONE ? null : bytes.subarray(starts[i], ends[i])
}

export function keyOf({ bytes, keyStarts, keyEnds }: LogBatch, i: number): Buffer | null {
  return keyStarts[i] === NONE ? null : bytes.subarray(keyStarts[i], keyEnds[i])
}
