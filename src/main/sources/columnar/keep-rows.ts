// A batch without some of its rows.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'

/** `rows` are places in the batch, ascending. */
export function keepRows({ columns }: ColumnBatch, rows: Uint32Array): ColumnBatch {
  const kept = Object.entries(columns).map(([name, column]) => [name, keepValues(column, rows)])
  return { rowCount: rows.length, columns: Object.fromEntries(kept) as ColumnBatch['columns'] }
}

function keepValues(column: Column, rows: Uint32Array): Column {
  const { values, nulls } = column
  const kept = new (values.constructor as Float64ArrayConstructor)(rows.length) as Column['values']
  rows.forEach((from, row) => (kept[row] = values[from]))
  return { ...column, values: kept, ...(nulls && { nulls: Uint8Array.from(rows, from => nulls[from]) }) }
}
