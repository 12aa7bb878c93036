// The first rows of a batch, as a batch over the same memory.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'

export function firstRows(batch: ColumnBatch, count: number): ColumnBatch {
  if (batch.rowCount <= count) return batch
  const columns = Object.entries(batch.columns).map(([name, column]): [string, Column] => {
    const { values, nulls } = column
    return [name, { ...column, values: values.slice(0, count), ...(nulls && { nulls: nulls.slice(0, count) }) }]
  })
  return { rowCount: count, columns: Object.fromEntries(columns) }
}
