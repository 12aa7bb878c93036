// Several batches as one, so that one order and one set of files can be made of their rows.
import type { Column, ColumnBatch, Values, Word } from '../../../contract/columns.ts'
import { rescale } from '../../duck/fill-numbers.ts'

/** A column that only some of the batches have is null in the others. */
export function joinBatches(batches: readonly ColumnBatch[]): ColumnBatch {
  if (batches.length === 1) return batches[0]
  const rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0)
  const names = new Set(batches.flatMap(batch => Object.keys(batch.columns)))
  const columns = [...names].map(name => [name, joinColumns(batches, name, rowCount)])
  return { rowCount, columns: Object.fromEntries(columns) as ColumnBatch['columns'] }
}

interface Part {
  at: number
  rowCount: number
  column: Column | undefined
}

function joinColumns(batches: readonly ColumnBatch[], name: string, rowCount: number): Column {
  const parts: Part[] = []
  let at = 0
  for (const batch of batches) {
    if (batch.rowCount > 0) parts.push({ at, rowCount: batch.rowCount, column: batch.columns[name] })
    at += batch.rowCount
  }
  const columns = parts.flatMap(({ column }) => column ?? [])
  if (columns.length === 0) return { ...batches.find(batch => name in batch.columns)!.columns[name] }
  const { type } = columns[0]
  const nulls = joinNulls(parts, rowCount)
  if (columns[0].words) return { type, ...joinWords(parts, rowCount), ...nulls }
  return { type, ...joinNumbers(parts, rowCount), ...nulls }
}

function joinNulls(parts: readonly Part[], rowCount: number): { nulls?: Uint8Array } {
  if (parts.every(({ column }) => column && !column.nulls)) return {}
  const nulls = new Uint8Array(rowCount)
  for (const { at, rowCount: count, column } of parts) {
    if (!column) nulls.fill(1, at, at + count)
    else if (column.nulls) nulls.set(column.nulls, at)
  }
  return { nulls }
}

/** Words are put one after the other, those of batches that share them once; equal ones may stand there twice. */
function joinWords(parts: readonly Part[], rowCount: number): { values: Values; words: readonly Word[] } {
  const values = new Uint32Array(rowCount)
  const lists = [...new Set(parts.flatMap(({ column }) => (column?.words ? [column.words] : [])))]
  const firsts = new Map<readonly Word[], number>()
  let next = 0
  for (const list of lists) {
    firsts.set(list, next)
    next += list.length
  }
  for (const { at, column } of parts) {
    if (column?.words) copyCodes(values, column.values, at, firsts.get(column.words)!)
  }
  // One call: measured, pushing a million ids one by one took as long as encoding them.
  const words = ([] as Word[]).concat(...(lists as Word[][]))
  return { values, words }
}

function copyCodes(out: Uint32Array, codes: Values, at: number, first: number): void {
  out.set(codes as Uint32Array, at)
  if (first > 0) for (let row = at; row < at + codes.length; row++) out[row] += first
}

function joinNumbers(parts: readonly Part[], rowCount: number): { values: Values; scale?: number } {
  const columns = parts.flatMap(({ column }) => column ?? [])
  const scale = columns.reduce<number | undefined>((most, column) => maxScale(most, column.scale), undefined)
  const scaled = parts.map(({ at, column }) => ({ at, values: column && toScale(column, scale) }))
  const isWide = scaled.some(({ values }) => values instanceof BigInt64Array)
  const values = isWide ? new BigInt64Array(rowCount) : new Float64Array(rowCount)
  for (const { at, values: part } of scaled) {
    if (!part) continue
    if (!isWide) values.set(part as never, at)
    else values.set((part instanceof BigInt64Array ? part : Array.from(part as Float64Array, BigInt)) as never, at)
  }
  return { values, ...(scale !== undefined && { scale }) }
}

function maxScale(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : Math.max(a, b ?? 0)
}

function toScale({ values, scale = 0 }: Column, wanted = scale): Values {
  return wanted === scale ? values : rescale(values, wanted - scale)
}
