// What a cell of a result says: numbers exact and grouped, times in the page's zone with their microseconds.
import { cellOf, timestampText, type Column, type ColumnBatch } from '../../contract/columns.ts'
import { decimalsNeeded } from '../stores/instruments.ts'
import { grouped, groupedDecimal } from '../ui/decimal-text.ts'
import { momentText } from '../ui/moment-text.ts'
import type { Zone } from '../ui/zone-time.ts'

/** A row is a place in columns, never an object of its own. */
export interface GridRow {
  batch: ColumnBatch
  row: number
}

export type CellText = (column: string, row: GridRow) => string

/** Numbers that only name something are not grouped: 2014, not 2,014. */
const NAMES_SOMETHING = /(^|_)(id|offset|partition|sequence|number|year|ordinal)$/i

/** Prices of one instrument all get as many decimals as any of them has needed so far. */
export function createCellText(zone: Zone, noValue: string): CellText {
  const decimals = new Map<string, number>()

  function decimalsOf(name: string, column: Column, { batch, row }: GridRow, value: number | bigint): number {
    const { symbol, exchange } = batch.columns
    const of = (names: Column | undefined) => (names ? plainText(names, row) : '')
    const key = `${name} ${of(symbol)} ${of(exchange)}`
    const needed = decimalsNeeded(value, column.scale ?? 0, decimals.get(key) ?? 0)
    decimals.set(key, needed)
    return needed
  }

  return (name, at) => {
    const column = at.batch.columns[name]
    const { row } = at
    if (!column || column.nulls?.[row]) return noValue
    const value = column.values[row]
    switch (column.type) {
      case 'decimal':
        return groupedDecimal(value, column.scale ?? 0, decimalsOf(name, column, at, value))
      case 'timestamp':
        return momentText(Number(value), zone)
      case 'long':
      case 'int':
        return NAMES_SOMETHING.test(name) ? String(value) : groupedWhole(value)
      default:
        return plainText(column, row)
    }
  }
}

function groupedWhole(value: number | bigint): string {
  return typeof value === 'bigint' ? groupedDecimal(value, 0) : grouped(value)
}

/** As files have it: nothing grouped, times in UTC. */
export function plainText(column: Column, row: number): string {
  if (column.nulls?.[row]) return ''
  if (column.type === 'timestamp') return timestampText(Number(column.values[row]))
  const cell = cellOf(column, row)
  if (Array.isArray(cell)) return cell.join(' ')
  if (typeof cell === 'object' && cell !== null)
    return Object.entries(cell)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(' ')
  return String(cell)
}

/** Rows as CSV with a head, CRLF between them, for a spreadsheet; a text that would be taken for a formula stays as it is. */
export function csvText(columns: readonly string[], rows: readonly GridRow[]): string {
  const lines = rows.map(({ batch, row }) => columns.map(name => csvCell(plainText(batch.columns[name], row))))
  return [columns.map(csvCell), ...lines].map(cells => cells.join(',') + '\r\n').join('')
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
