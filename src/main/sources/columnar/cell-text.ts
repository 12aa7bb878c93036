// A value of a column as text for people and for ids.
import { cellOf, type Column } from '../../../contract/columns.ts'

/** Beyond it JavaScript has no dates. */
const LAST: Partial<Record<Column['type'], number>> = { timestamp: 8.6e18, date: 99_000_000 }

export function cellText(column: Column, row: number): string {
  const last = LAST[column.type]
  // A time that no calendar has is what makes some rows bad: its number is what can be said of it.
  if (last !== undefined && !(Math.abs(Number(column.values[row])) < last)) return String(column.values[row])
  const cell = cellOf(column, row)
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell)
}
