// Messages given as bytes, as a reader of the log would get them.
import { NONE, type LogBatch } from '../../src/main/market/log-batch.ts'

export interface MessageBatchOptions {
  topic: string
  partition?: number
  offset?: number
  /** When the log took them in, microseconds. */
  logMicros?: number
  keys?: readonly (Buffer | null)[]
}

/** A null is a tombstone. */
export function messageBatch(
  values: readonly (Uint8Array | string | null)[],
  { topic, partition = 0, offset = 0, logMicros = 0, keys = [] }: MessageBatchOptions,
): LogBatch {
  const parts: Buffer[] = []
  let at = 0
  const place = (value: Uint8Array | string | null | undefined) => {
    if (value === null || value === undefined) return [NONE, NONE] as const
    const bytes = Buffer.from(value)
    parts.push(bytes)
    return [at, (at += bytes.length)] as const
  }
  const keyPlaces = values.map((_, i) => place(keys[i]))
  const places = values.map(place)
  const count = values.length
  return {
    topic,
    partition,
    count,
    nextOffset: offset + count,
    latest: offset + count,
    offsets: Float64Array.from({ length: count }, (_, i) => offset + i),
    timestamps: new Float64Array(count).fill(logMicros),
    bytes: Buffer.concat(parts),
    starts: Int32Array.from(places, ([start]) => start),
    ends: Int32Array.from(places, ([, end]) => end),
    keyStarts: Int32Array.from(keyPlaces, ([start]) => start),
    keyEnds: Int32Array.from(keyPlaces, ([, end]) => end),
  }
}
