// How rows stand to each other: the product's total order, key by key, nulls last.
import type { Column, ColumnBatch } from '../../contract/columns.ts'

/**
 * Of trades and quotes. Rows from the log are told apart by their place in it. Those from files have none, so they may be
 * alike in all of it and still differ; who cuts rows off, or goes on after some, orders them by the other columns too.
 */
export const TOTAL_ORDER = ['exchange_timestamp', 'source_sequence', '_partition', '_offset', 'message_id'] as const

/** Doubles and 64-bit integers compare exactly with each other. */
export function compareCells(a: Column, i: number, b: Column, j: number): number {
  const [nullA, nullB] = [a.nulls?.[i] ?? 0, b.nulls?.[j] ?? 0]
  if (nullA || nullB) return nullA - nullB
  const [valueA, valueB] = [a.values[i], b.values[j]]
  if (a.words && b.words) return compareTexts(a.words[Number(valueA)] as string, b.words[Number(valueB)] as string)
  return valueA < valueB ? -1 : valueA > valueB ? 1 : 0
}

/** Whether neighbours are alike in all these keys. */
export function hasTies({ rowCount, columns }: ColumnBatch, keys: readonly string[]): boolean {
  const ordered = keys.map(name => columns[name])
  for (let row = 1; row < rowCount; row++)
    if (ordered.every(column => compareCells(column, row - 1, column, row) === 0)) return true
  return false
}

/** By code point, as DuckDB has it. */
export function compareTexts(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** The first of ascending times from … to that is not below this one; `to` where there is none. */
export function firstNotBelow(times: Column['values'], micros: number, from = 0, to = times.length): number {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (times[middle] < micros) low = middle + 1
    else high = middle
  }
  return low
}
