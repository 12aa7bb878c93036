// Some rows of a batch, in their order.
import type { Column, ColumnBatch, Values } from '../../../contract/columns.ts'

export function pickRows(batch: ColumnBatch, rows: Uint32Array): ColumnBatch {
  if (rows.length === batch.rowCount) return batch
  const columns = Object.entries(batch.columns).map(([name, column]) => [name, pickFrom(column, rows)])
  return { rowCount: rows.length, columns: Object.fromEntries(columns) as ColumnBatch['columns'] }
}

function pickFrom({ values, nulls, words, ...rest }: Column, rows: Uint32Array): Column {
  return {
    ...rest,
    values: pick(values, rows),
    ...(words && { words }),
    ...(nulls && { nulls: pick(nulls, rows) as Uint8Array }),
  }
}

function pick(values: Values, rows: Uint32Array): Values {
  const picked = new (values.constructor as new (length: number) => Values)(rows.length)
  for (let i = 0; i < rows.length; i++) picked[i] = values[rows[i]]
  return picked
}
