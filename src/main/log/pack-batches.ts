// Many small batches as one, so that what crosses a process boundary is few large arrays: a partition has but a few
// messages at a time, and each array of its own costs more than the messages in it.
import { NONE, type LogBatch } from '../market/log-batch.ts'

/** Plain data that any port takes; the arrays are those of the batches one after the other. */
export interface PackedBatches {
  batches: { topic: string; partition: number; count: number; nextOffset: number; latest: number }[]
  offsets: Float64Array
  timestamps: Float64Array
  bytes: Uint8Array
  starts: Int32Array
  ends: Int32Array
  keyStarts: Int32Array
  keyEnds: Int32Array
}

export function packBatches(batches: readonly LogBatch[]): PackedBatches {
  const count = batches.reduce((sum, batch) => sum + batch.count, 0)
  // Not from Node's pool, of which some ports would copy all.
  const bytes = Buffer.allocUnsafeSlow(batches.reduce((sum, batch) => sum + batch.bytes.length, 0))
  const packed: PackedBatches = {
    batches: batches.map(({ topic, partition, count, nextOffset, latest }) => ({
      topic,
      partition,
      count,
      nextOffset,
      latest,
    })),
    offsets: new Float64Array(count),
    timestamps: new Float64Array(count),
    bytes,
    starts: new Int32Array(count),
    ends: new Int32Array(count),
    keyStarts: new Int32Array(count),
    keyEnds: new Int32Array(count),
  }
  let at = 0
  let base = 0
  for (const batch of batches) {
    bytes.set(batch.bytes, base)
    packed.offsets.set(batch.offsets, at)
    packed.timestamps.set(batch.timestamps, at)
    for (let i = 0; i < batch.count; i++, at++) {
      packed.starts[at] = batch.starts[i] === NONE ? NONE : batch.starts[i] + base
      packed.ends[at] = batch.ends[i] + base
      packed.keyStarts[at] = batch.keyStarts[i] === NONE ? NONE : batch.keyStarts[i] + base
      packed.keyEnds[at] = batch.keyEnds[i] + base
    }
    base += batch.bytes.length
  }
  return packed
}

/** They share the bytes. */
export function unpackBatches(packed: PackedBatches): LogBatch[] {
  const { buffer, byteOffset, byteLength } = packed.bytes
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  let end = 0
  return packed.batches.map(head => {
    const begin = end
    end += head.count
    return {
      ...head,
      bytes,
      offsets: packed.offsets.subarray(begin, end),
      timestamps: packed.timestamps.subarray(begin, end),
      starts: packed.starts.subarray(begin, end),
      ends: packed.ends.subarray(begin, end),
      keyStarts: packed.keyStarts.subarray(begin, end),
      keyEnds: packed.keyEnds.subarray(begin, end),
    }
  })
}
