// Batches of one read as one batch: all have the same columns, read by the same statement.
import type { Column, ColumnBatch, Values, Word } from '../../contract/columns.ts'

export function joinRows(batches: readonly ColumnBatch[]): ColumnBatch {
  if (batches.length === 1) return batches[0]
  const rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0)
  const columns: ColumnBatch['columns'] = {}
  for (const name of Object.keys(batches[0].columns))
    columns[name] = joinColumns(
      batches.map(batch => batch.columns[name]),
      rowCount,
    )
  return { rowCount, columns }
}

function joinColumns(parts: readonly Column[], rowCount: number): Column {
  const [{ type, scale }] = parts
  const joined: Column = { type, values: joinValues(parts, rowCount), ...(scale !== undefined && { scale }) }
  if (parts[0].words) joined.words = parts.flatMap(({ words }) => words as Word[])
  if (parts.some(({ nulls }) => nulls)) joined.nulls = joinNulls(parts, rowCount)
  return joined
}

function joinValues(parts: readonly Column[], rowCount: number): Values {
  let at = 0
  if (parts[0].words) {
    const codes = new Uint32Array(rowCount)
    let first = 0
    for (const { values, words } of parts) {
      for (let row = 0; row < values.length; row++) codes[at++] = first + Number(values[row])
      first += words!.length
    }
    return codes
  }
  // The same numbers come as doubles from where all are small, as 64 bits from where one is not.
  if (parts.some(({ values }) => values instanceof BigInt64Array)) {
    const longs = new BigInt64Array(rowCount)
    for (const { values } of parts) for (let row = 0; row < values.length; row++) longs[at++] = BigInt(values[row])
    return longs
  }
  const Kind = parts[0].values.constructor as new (length: number) => Float64Array
  const numbers = new Kind(rowCount)
  for (const { values } of parts) {
    numbers.set(values as Float64Array, at)
    at += values.length
  }
  return numbers
}

function joinNulls(parts: readonly Column[], rowCount: number): Uint8Array {
  const nulls = new Uint8Array(rowCount)
  let at = 0
  for (const { nulls: own, values } of parts) {
    if (own) nulls.set(own, at)
    at += values.length
  }
  return nulls
}
