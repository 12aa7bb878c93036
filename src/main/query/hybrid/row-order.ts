// The product's total order over rows of different batches.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import { compareCells, TOTAL_ORDER } from '../../market/row-order.ts'

export interface OrderKeys {
  times: Column['values']
  /** After the time, those that decide where it is equal. */
  rest: readonly Column[]
}

const [TIME, ...REST] = TOTAL_ORDER

export function orderKeys({ columns }: ColumnBatch): OrderKeys {
  return { times: columns[TIME].values, rest: REST.map(name => columns[name]) }
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
