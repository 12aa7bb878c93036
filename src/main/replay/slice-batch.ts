// Rows of a batch as a batch of their own, with no more words than they use: what crosses to another process crosses
// whole, and a word for each row of a whole window would cross with every batch.
import type { Column, ColumnBatch } from '../../contract/columns.ts'
import { takeValues, usedWords } from '../../contract/take-rows.ts'

/** Columns with few words keep all of them. */
const FEW_WORDS = 256

export function sliceBatch({ columns }: ColumnBatch, from: number, to: number, names?: readonly string[]): ColumnBatch {
  const sliced: ColumnBatch['columns'] = {}
  for (const name of names ?? Object.keys(columns)) sliced[name] = sliceColumn(columns[name], from, to)
  return { rowCount: to - from, columns: sliced }
}

function sliceColumn(column: Column, from: number, to: number): Column {
  const { nulls, words } = column
  const sliced: Column = { ...column, values: column.values.slice(from, to) }
  if (nulls) sliced.nulls = nulls.slice(from, to)
  return words && words.length > FEW_WORDS ? { ...sliced, ...usedWords(sliced.values, words) } : sliced
}

/** Chosen rows of a batch, in reverse as well. */
export function takeOwnRows({ columns }: ColumnBatch, rows: Uint32Array, names?: readonly string[]): ColumnBatch {
  const taken: ColumnBatch['columns'] = {}
  for (const name of names ?? Object.keys(columns)) {
    const { values, nulls, words, ...column } = columns[name]
    const picked: Column = { ...column, values: takeValues(values, rows), ...(words && { words }) }
    if (nulls) picked.nulls = takeValues(nulls, rows)
    taken[name] = words && words.length > FEW_WORDS ? { ...picked, ...usedWords(picked.values, words) } : picked
  }
  return { rowCount: rows.length, columns: taken }
}
