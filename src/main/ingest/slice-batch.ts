// Parts of what the log and the intake hand out: up to a number of messages, or up to where a stream has to stop.
import type { Column, ColumnBatch } from '../../contract/columns.ts'
import type { LogBatch } from '../market/log-batch.ts'

/** Messages `from` … `to` of a batch, over the same memory. It ends where the next message begins. */
export function sliceBatch(batch: LogBatch, from: number, to: number): LogBatch {
  if (from === 0 && to === batch.count) return batch
  return {
    ...batch,
    count: to - from,
    nextOffset: to === batch.count ? batch.nextOffset : batch.offsets[to],
    offsets: batch.offsets.subarray(from, to),
    timestamps: batch.timestamps.subarray(from, to),
    starts: batch.starts.subarray(from, to),
    ends: batch.ends.subarray(from, to),
    keyStarts: batch.keyStarts.subarray(from, to),
    keyEnds: batch.keyEnds.subarray(from, to),
  }
}

/** How many messages of a batch are before this offset. */
export function countBefore({ offsets, count }: LogBatch, offset: number): number {
  let low = 0
  for (let high = count; low < high;) {
    const middle = (low + high) >>> 1
    if (offsets[middle] < offset) low = middle + 1
    else high = middle
  }
  return low
}

/** The rows for which `isKept` holds; the same batch where it does for all. */
export function filterRows(batch: ColumnBatch, isKept: (row: number) => boolean): ColumnBatch {
  const kept = new Uint8Array(batch.rowCount)
  let rowCount = 0
  for (let row = 0; row < batch.rowCount; row++) if (isKept(row)) rowCount += kept[row] = 1
  if (rowCount === batch.rowCount) return batch
  const pick = <T extends Column['values']>(values: T) => (values as Float64Array).filter((_, row) => kept[row] === 1)
  const columns = Object.entries(batch.columns).map(
    ([name, { type, values, words, scale, nulls }]): [string, Column] => [
      name,
      {
        type,
        values: pick(values),
        ...(words && { words }),
        ...(scale !== undefined && { scale }),
        ...(nulls && { nulls: nulls.filter((_, row) => kept[row] === 1) }),
      },
    ],
  )
  return { rowCount, columns: Object.fromEntries(columns) }
}
