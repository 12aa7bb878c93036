// The two orders in which rows can be replayed, as SQL and between two rows at hand. The keys come in levels, because
// most rows differ in the first and reading the others costs: a level is only asked for where rows tie in the one before.
import type { ColumnBatch } from '../../contract/columns.ts'
import { TAIL_TABLES, type TailTable } from '../../contract/tables.ts'
import { quoteName } from '../duck/quote.ts'
import { compareCells } from '../market/row-order.ts'

/** When things happened, or when they were taken in. */
export type Order = 'event' | 'arrival'

export type TimeColumn = 'exchange_timestamp' | 'ingestion_timestamp'

const KEYS: Readonly<Record<Order, readonly [TimeColumn, ...string[]]>> = {
  event: ['exchange_timestamp', 'source_sequence', '_partition', '_offset'],
  arrival: ['ingestion_timestamp', '_partition', '_offset'],
}

/** On this level rows that still tie are the same in every column. */
export const LAST_LEVEL = 2

export function timeColumnOf(order: Order): TimeColumn {
  return KEYS[order][0]
}

/** What must be read to know how rows stand to each other at a level. */
export function keysOf(order: Order, level: number): readonly string[] {
  return level === 0 ? KEYS[order] : [...KEYS[order], 'message_id']
}

export function orderSql(order: Order, level: number, table: TailTable, direction: 'asc' | 'desc'): string {
  const nulls = direction === 'asc' ? 'NULLS LAST' : 'NULLS FIRST'
  const keys = keysOf(order, level).map(quoteName)
  // Equal in all of this they are one row for everybody. Texts, as lists and maps have no order of their own.
  const rest = level < LAST_LEVEL ? [] : TAIL_TABLES[table].columns.map(({ name }) => `${quoteName(name)}::VARCHAR`)
  return [...keys, ...rest].map(key => `${key} ${direction} ${nulls}`).join(', ')
}

/** Whether neighbours tie in these keys, of which the first is the time. */
export function haveTies(batch: ColumnBatch, times: Float64Array, keys: readonly string[]): boolean {
  const others = keys.slice(1).map(name => batch.columns[name])
  for (let row = 1; row < times.length; row++)
    if (times[row] === times[row - 1] && others.every(column => compareCells(column, row - 1, column, row) === 0))
      return true
  return false
}

/** In the keys after the time; rows without a value come last. */
export function compareKeys(a: ColumnBatch, i: number, b: ColumnBatch, j: number, keys: readonly string[]): number {
  for (let k = 1; k < keys.length; k++) {
    const sign = compareCells(a.columns[keys[k]], i, b.columns[keys[k]], j)
    if (sign !== 0) return sign
  }
  return 0
}
