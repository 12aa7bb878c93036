// Times that the calendar of ISO 8601 with four digits of a year does not have: SQL can make years below 0 and above 9999,
// and infinity. A column with one is given as text.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'

const DAY_MICROS = 86_400_000_000
const FIRST_DAY = -719_528 // 0000-01-01
const LAST_DAY = 2_932_896 // 9999-12-31
/** DuckDB's infinity, as a double and in days. */
const ENDLESS = 9_223_372_036_854_775_000
const ENDLESS_DAYS = 2_147_483_647

export function tameTimes(batch: ColumnBatch): ColumnBatch {
  let columns: Record<string, Column> | undefined
  for (const [name, column] of Object.entries(batch.columns)) {
    if (column.type !== 'timestamp' && column.type !== 'date') continue
    if (isTame(column)) continue
    columns ??= { ...batch.columns }
    columns[name] = asText(column)
  }
  return columns ? { ...batch, columns } : batch
}

function isTame({ type, values }: Column): boolean {
  const unit = type === 'date' ? 1 : DAY_MICROS
  const [from, to] = [FIRST_DAY * unit, (LAST_DAY + 1) * unit]
  for (let row = 0; row < values.length; row++) if (!(values[row] >= from && values[row] < to)) return false
  return true
}

function asText({ type, values, nulls }: Column): Column {
  const words = Array.from(values as ArrayLike<number>, value => (type === 'date' ? dayText(value) : timeText(value)))
  return { type: 'string', values: Uint32Array.from(words.keys()), words, ...(nulls && { nulls }) }
}

function dayText(day: number): string {
  if (Math.abs(day) >= ENDLESS_DAYS) return endless(day)
  const date = new Date(day * 86_400_000)
  return Number.isNaN(date.getTime()) ? `${day} days since 1970` : date.toISOString().replace(/T.*/, '')
}

function timeText(micros: number): string {
  if (Math.abs(micros) >= ENDLESS) return endless(micros)
  const millis = Math.floor(micros / 1000)
  const date = new Date(millis)
  if (Number.isNaN(date.getTime())) return `${micros} microseconds since 1970`
  return `${date.toISOString().slice(0, -1)}${String(micros - millis * 1000).padStart(3, '0')}Z`
}

function endless(value: number): string {
  return value > 0 ? 'infinity' : '-infinity'
}
