// Some rows of columns, in the order they are asked for. Words stay as they are, unless those that are used are asked for.
import type { Column, ColumnBatch, Values, Word } from './columns.ts'

/** The rows at these places, in their order. */
export function takeRows(batch: ColumnBatch, rows: Uint32Array): ColumnBatch {
  return eachColumn(batch, rows.length, column => takeColumn(column, rows))
}

export function takeColumn(column: Column, rows: Uint32Array): Column {
  const { values, nulls } = column
  return { ...column, values: takeValues(values, rows), ...(nulls && { nulls: takeValues(nulls, rows) }) }
}

/** A loop that meets more than four kinds of arrays takes ten times as long (measured), so there are two of them. */
export function takeValues<V extends Values>(values: V, rows: Uint32Array): V
export function takeValues(values: Values, rows: Uint32Array): Values {
  if (values instanceof BigInt64Array) return takeLongs(values, rows)
  if (values instanceof Int32Array)
    return new Int32Array(takeNumbers(new Uint32Array(values.buffer, values.byteOffset, values.length), rows).buffer)
  return takeNumbers(values, rows)
}

type Numbers = Float64Array | Uint32Array | Uint16Array | Uint8Array

function takeNumbers(values: Numbers, rows: Uint32Array): Numbers {
  const taken = new (values.constructor as new (length: number) => Numbers)(rows.length)
  for (let i = 0; i < rows.length; i++) taken[i] = values[rows[i]]
  return taken
}

function takeLongs(values: BigInt64Array, rows: Uint32Array): BigInt64Array {
  const taken = new BigInt64Array(rows.length)
  for (let i = 0; i < rows.length; i++) taken[i] = values[rows[i]]
  return taken
}

/** From row `from` up to `to`, without a copy. */
export function viewRows(batch: ColumnBatch, from: number, to: number): ColumnBatch {
  if (from === 0 && to === batch.rowCount) return batch
  return eachColumn(batch, to - from, column => viewColumn(column, from, to))
}

export function viewColumn(column: Column, from: number, to: number): Column {
  const { values, nulls } = column
  if (from === 0 && to === values.length) return column
  return { ...column, values: values.subarray(from, to), ...(nulls && { nulls: nulls.subarray(from, to) }) }
}

/** The last row first. */
export function reversedRows(batch: ColumnBatch): ColumnBatch {
  return eachColumn(batch, batch.rowCount, column => {
    const { values, nulls } = column
    return { ...column, values: values.slice().reverse(), ...(nulls && { nulls: nulls.slice().reverse() }) }
  })
}

function eachColumn({ columns }: ColumnBatch, rowCount: number, change: (column: Column) => Column): ColumnBatch {
  const changed = Object.entries(columns).map(([name, column]) => [name, change(column)] as const)
  return { rowCount, columns: Object.fromEntries(changed) }
}

/** The same codes with no more words than they use. */
export function usedWords(codes: Values, words: readonly Word[]): { values: Uint32Array; words: Word[] } {
  const used: Word[] = []
  const codeOf = new Map<number, number>()
  const values = new Uint32Array(codes.length)
  for (let row = 0; row < codes.length; row++) {
    const old = Number(codes[row])
    let code = codeOf.get(old)
    if (code === undefined) codeOf.set(old, (code = used.push(words[old]) - 1))
    values[row] = code
  }
  return { values, words: used }
}
