// A batch in two at an offset. Nothing is copied.
import type { StandardBatch } from '../market/standard-batch.ts'

/** What lies before the offset, and the rest; a part without messages is still there when the batch reaches over the offset. */
export function splitBatch(batch: StandardBatch, offset: number): { before?: StandardBatch; after?: StandardBatch } {
  const { count, offsets, nextOffset } = batch
  if (nextOffset <= offset) return { before: batch }
  let first = 0
  while (first < count && offsets[first] < offset) first++
  if (first === 0) return { after: batch }
  return { before: { ...part(batch, 0, first), nextOffset: offset }, after: part(batch, first, count) }
}

function part(batch: StandardBatch, from: number, to: number): StandardBatch {
  const { offsets, timestamps, starts, ends, keyStarts, keyEnds, problems } = batch
  const own = problems && new Map([...problems].map(([i, problem]) => [i - from, problem]))
  return {
    ...batch,
    count: to - from,
    offsets: offsets.subarray(from, to),
    timestamps: timestamps.subarray(from, to),
    starts: starts.subarray(from, to),
    ends: ends.subarray(from, to),
    keyStarts: keyStarts.subarray(from, to),
    keyEnds: keyEnds.subarray(from, to),
    ...(own && { problems: own }),
  }
}
