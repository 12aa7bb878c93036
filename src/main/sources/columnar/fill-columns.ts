// What a file need not say: instrument, currency and times from flags and exchange table, ids from the row's number.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import { ASSET_CLASSES, TABLES } from '../../../contract/tables.ts'
import { exchangeOf } from '../../market/exchanges.ts'
import { messageIdOf } from '../../market/message-id.ts'
import { constantColumn, nullColumn } from '../values/columns.ts'
import type { FileOptions } from '../file-source.ts'
import type { LoadTable } from '../load-target.ts'
import type { BadRows } from './bad-rows.ts'
import { cellText } from './cell-text.ts'

type Columns = Record<string, Column>
type Defaults = Pick<FileOptions, 'exchange' | 'assetClass' | 'loadedAtMicros'>

/** Which instrument a row is of, before bad rows are taken out: one whose asset class nobody knows is one. */
export function fillInstrument(columns: Columns, rowCount: number, options: Defaults, bad: BadRows): void {
  columns.exchange = orElse(columns.exchange, rowCount, () => options.exchange?.toUpperCase())
  reportMissing('exchange', columns.exchange, bad)
  const exchangeAt = (row: number) => exchangeOf(cellText(columns.exchange, row))
  columns.asset_class = orElse(
    columns.asset_class,
    rowCount,
    row => options.assetClass ?? exchangeAt(row).assetClass,
    ASSET_CLASSES,
  )
  reportMissing('asset_class', columns.asset_class, bad)
  columns.currency = orElse(columns.currency, rowCount, row => exchangeAt(row).currency)
}

function reportMissing(name: string, { nulls }: Column, bad: BadRows): void {
  nulls?.forEach((none, row) => none && bad.missing(row, name))
}

/** The column with its holes filled; null where there is nothing to fill them with. */
function orElse(
  column: Column | undefined,
  rowCount: number,
  fallback: (row: number) => string | undefined,
  known: readonly string[] = [],
): Column {
  if (column && !column.nulls?.includes(1)) return column
  const words = [...((column?.words as readonly string[] | undefined) ?? known)]
  const codeOf = new Map(words.map((word, code) => [word, code]))
  const values = new Uint32Array(rowCount)
  const nulls = new Uint8Array(rowCount)
  for (let row = 0; row < rowCount; row++) {
    if (column && column.nulls![row] !== 1) {
      values[row] = Number(column.values[row])
      continue
    }
    const word = fallback(row)
    if (word === undefined) nulls[row] = 1
    else {
      if (!codeOf.has(word)) codeOf.set(word, words.push(word) - 1)
      values[row] = codeOf.get(word)!
    }
  }
  const type = column?.type ?? (known.length > 0 ? 'enum' : 'string')
  return { type, values, words: words.length > 0 ? words : [''], ...(nulls.includes(1) && { nulls }) }
}

/** All columns of the table; `ordinals` are the rows' numbers in the file, bad ones counted, from 1. */
export function fillRows(
  table: LoadTable,
  { rowCount, columns }: ColumnBatch,
  ordinals: Float64Array,
  { loadedAtMicros }: Defaults,
): ColumnBatch {
  const made: Columns = { ...columns }
  made.ingestion_timestamp = orNumber(columns.ingestion_timestamp, rowCount, loadedAtMicros)
  if (table === 'reference_data') {
    made.is_active = orActive(columns, rowCount, loadedAtMicros)
    made.message_id = orTexts(columns.message_id, rowCount, row => referenceIdOf(made, row, ordinals[row]))
  } else {
    const id = table === 'trades' ? 'trade_id' : 'quote_id'
    made[id] = orTexts(columns[id], rowCount, row => String(ordinals[row]))
    made.message_id = orTexts(columns.message_id, rowCount, row => {
      const [exchange, symbol, own] = [made.exchange, made.symbol, made[id]].map(column => cellText(column, row))
      return messageIdOf(exchange, Number(made.exchange_timestamp.values[row]), symbol, own)
    })
  }
  const all = TABLES[table].columns.map(({ name, type }) => [
    name,
    Object.hasOwn(made, name) ? made[name] : nullColumn(type, rowCount),
  ])
  return { rowCount, columns: Object.fromEntries(all) as Columns }
}

function referenceIdOf({ exchange, company_id }: Columns, row: number, ordinal: number): string {
  return `${cellText(exchange, row)}:${cellText(company_id, row)}:${ordinal}`
}

function orNumber(column: Column | undefined, rowCount: number, fallback: number): Column {
  if (!column) return constantColumn('timestamp', fallback, rowCount)
  if (!column.nulls) return column
  const { nulls, type } = column
  return {
    type,
    values: Float64Array.from(column.values as Float64Array, (value, row) => (nulls[row] ? fallback : value)),
  }
}

function orTexts(column: Column | undefined, rowCount: number, fallback: (row: number) => string): Column {
  if (column && !column.nulls?.includes(1)) return column
  const words = Array.from({ length: rowCount }, (_, row) =>
    column && column.nulls?.[row] !== 1 ? cellText(column, row) : fallback(row),
  )
  return { type: 'string', values: Uint32Array.from(words.keys()), words: words.length > 0 ? words : [''] }
}

/** A company is active while its last day is not over. */
function orActive({ is_active, delisting_date }: Columns, rowCount: number, atMicros: number): Column {
  const today = Math.floor(atMicros / 86_400e6)
  const isActive = (row: number) =>
    !delisting_date || delisting_date.nulls?.[row] === 1 || Number(delisting_date.values[row]) >= today
  const values = Uint8Array.from({ length: rowCount }, (_, row) =>
    is_active && is_active.nulls?.[row] !== 1 ? Number(is_active.values[row]) : Number(isActive(row)),
  )
  return { type: 'boolean', values }
}
