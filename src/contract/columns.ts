// Column batches: how rows travel between engines, processes and the page. Typed arrays, one per column;
// strings, enums, lists and maps as codes into `words`. Row objects exist only where a person or a JSON client reads them.
import type { ColumnSpec, ColumnType } from './tables.ts'

export type Word = string | null | readonly string[] | Readonly<Record<string, string>>
export type Values = Float64Array | Int32Array | BigInt64Array | Uint32Array | Uint16Array | Uint8Array

/** `double` only in answers: averages and the like. No table has such a column. */
export type CellType = ColumnType | 'double'

/**
 * One column. What `values` hold depends on `type`:
 * - string, enum, list, map: codes into `words`
 * - timestamp: microseconds since 1970 as doubles (exact until 2255)
 * - decimal: the number times 10^scale as integers, doubles while exact (below 2^53) and 64-bit beyond
 * - long, int, boolean (0, 1): the number itself, doubles while exact and 64-bit beyond
 * - date: days since 1970
 * - bytes: codes into `words`, which hold them as base64
 * - double: the number itself
 */
export interface Column {
  type: CellType
  values: Values
  words?: readonly Word[]
  scale?: number
  /** 1 where there is no value; absent when there is one everywhere. */
  nulls?: Uint8Array
}

export interface ColumnBatch {
  rowCount: number
  columns: Record<string, Column>
}

/** A value as JSON clients see it: decimals, 64-bit integers and times are strings. */
export type Cell = string | number | boolean | null | readonly string[] | Readonly<Record<string, string>>
export type Row = Record<string, Cell>

export function isColumnBatch(value: unknown): value is ColumnBatch {
  return typeof value === 'object' && value !== null && 'rowCount' in value && 'columns' in value
}

export function cellOf(column: Column, row: number): Cell {
  if (column.nulls?.[row]) return null
  const value = column.values[row]
  if (column.words) return column.words[Number(value)]
  switch (column.type) {
    case 'decimal':
      return decimalText(value, column.scale ?? 0)
    case 'timestamp':
      return timestampText(Number(value))
    case 'long':
      return String(value)
    case 'boolean':
      return value === 1
    case 'date':
      return new Date(Number(value) * 86_400_000).toISOString().slice(0, 10)
    default:
      return Number(value)
  }
}

export function rowOf(batch: ColumnBatch, row: number): Row {
  const out: Row = {}
  for (const name in batch.columns) out[name] = cellOf(batch.columns[name], row)
  return out
}

export function rowsOf(batch: ColumnBatch): Row[] {
  return Array.from({ length: batch.rowCount }, (_, row) => rowOf(batch, row))
}

/** An unscaled integer as the shortest exact decimal: (3618n, 2) → "36.18", (3600000000, 8) → "36". */
export function decimalText(unscaled: number | bigint, scale: number): string {
  const negative = unscaled < 0
  const digits = String(negative ? -unscaled : unscaled).padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '')
  return (negative ? '-' : '') + whole + (fraction && '.' + fraction)
}

/** Microseconds since 1970 as ISO 8601 in UTC, always with six decimals. */
export function timestampText(micros: number): string {
  const millis = Math.floor(micros / 1000)
  // A double so far out is no whole microsecond.
  const rest = String(Math.min(999, Math.max(0, micros - millis * 1000))).padStart(3, '0')
  return (Math.abs(millis) <= MOST_OF_DATE ? new Date(millis).toISOString() : farText(millis)).slice(0, -1) + rest + 'Z'
}

const MOST_OF_DATE = 8.64e15
/** After so long the calendar is the same again. */
const YEARS_400 = 146_097 * 86_400_000

/** A time that no Date can be, as a damaged file or another engine may hold: the year 275760 and later. */
function farText(millis: number): string {
  const cycles = Math.trunc(millis / YEARS_400)
  return new Date(millis - cycles * YEARS_400).toISOString().replace(/^[+-]?\d+/, text => {
    const year = Number(text) + 400 * cycles
    return (year < 0 ? '-' : '+') + String(Math.abs(year)).padStart(6, '0')
  })
}

/** Of such a text. */
export function timestampMicros(text: string): number {
  return Date.parse(`${text.slice(0, 23)}Z`) * 1000 + Number(text.slice(23, 26))
}

/** An empty batch of a table, so that an answer without rows still names its columns. */
export function emptyBatch(specs: readonly ColumnSpec[]): ColumnBatch {
  const columns: Record<string, Column> = {}
  for (const { name, type } of specs) columns[name] = emptyColumn(type)
  return { rowCount: 0, columns }
}

function emptyColumn(type: ColumnType): Column {
  if (type === 'string' || type === 'enum' || type === 'list' || type === 'map' || type === 'bytes')
    return { type, values: new Uint16Array(0), words: [] }
  return type === 'decimal' ? { type, values: new Float64Array(0), scale: 0 } : { type, values: new Float64Array(0) }
}
