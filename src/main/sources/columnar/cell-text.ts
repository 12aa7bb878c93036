// A value of a column as text for people and for ids.
import { cellOf, type Column } from '../../../contract/columns.ts'

export function cellText(column: Column, row: number): string {
  const cell = cellOf(column, row)
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell)
}
