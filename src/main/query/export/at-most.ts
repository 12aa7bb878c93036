// The first rows of batches, and no more read than they take.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'

export async function* atMost(batches: AsyncIterable<ColumnBatch>, limit: number): AsyncGenerator<ColumnBatch, void> {
  let left = limit
  for await (const batch of batches) {
    const first = firstRows(batch, left)
    yield first
    left -= first.rowCount
    if (left === 0) return
  }
}

export function firstRows(batch: ColumnBatch, count: number): ColumnBatch {
  if (batch.rowCount <= count) return batch
  const columns = Object.entries(batch.columns).map(([name, column]): [string, Column] => {
    const { values, nulls } = column
    return [name, { ...column, values: values.slice(0, count), ...(nulls && { nulls: nulls.slice(0, count) }) }]
  })
  return { rowCount: count, columns: Object.fromEntries(columns) }
}
