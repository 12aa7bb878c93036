// The product's total order over rows of different batches: time, sequence, partition, offset, message id, nulls last.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'

export interface OrderKeys {
  times: Column['values']
  /** After the time, those that decide where it is equal. */
  rest: readonly Column[]
}

const REST = ['source_sequence', '_partition', '_offset', 'message_id'] as const

export function orderKeys({ columns }: ColumnBatch): OrderKeys {
  return { times: columns.exchange_timestamp.values, rest: REST.map(name => columns[name]) }
}

export function compareRows(a: OrderKeys, i: number, b: OrderKeys, j: number): number {
  const [timeA, timeB] = [a.times[i], b.times[j]]
  if (timeA !== timeB) return timeA < timeB ? -1 : 1
  for (let k = 0; k < REST.length; k++) {
    const found = compareCells(a.rest[k], i, b.rest[k], j)
    if (found !== 0) return found
  }
  return 0
}

/** Doubles and 64-bit integers compare exactly with each other. */
function compareCells(a: Column, i: number, b: Column, j: number): number {
  const [nullA, nullB] = [a.nulls?.[i] ?? 0, b.nulls?.[j] ?? 0]
  if (nullA || nullB) return nullA - nullB
  const [valueA, valueB] = [a.values[i], b.values[j]]
  if (a.words && b.words) return compareTexts(a.words[Number(valueA)] as string, b.words[Number(valueB)] as string)
  return valueA < valueB ? -1 : valueA > valueB ? 1 : 0
}

/** By code point, as DuckDB has it. */
function compareTexts(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** The first row of an ascending run whose time is not below this one. */
export function rowAtTime({ columns }: ColumnBatch, micros: number, from: number, to: number): number {
  const { values } = columns.exchange_timestamp
  let [low, high] = [from, to]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle] < micros) low = middle + 1
    else high = middle
  }
  return low
}
