// Answers as text: a table for people, json, csv and ndjson for programs.
import { isColumnBatch, rowsOf } from '../../../contract/columns.ts'
import type { Format as AnyFormat } from './command-line.ts'
import { layOut, tableHead, tableLines, type Layout } from './table.ts'

/** Those that are text. */
export type Format = Exclude<AnyFormat, 'arrow' | 'parquet'>

type Record_ = Record<string, unknown>

/** Rows of whatever an answer holds; a plain object is one row. */
function rowsIn(data: unknown): Record_[] {
  if (isColumnBatch(data)) return rowsOf(data)
  return Array.isArray(data) ? (data as Record_[]) : [data as Record_]
}

/** Column names of an answer, also when it has no rows. */
function columnsIn(data: unknown): string[] {
  if (isColumnBatch(data)) return Object.keys(data.columns)
  return [...new Set(rowsIn(data).flatMap(row => Object.keys(row)))]
}

export function formatAnswer(data: unknown, format: Format, { width }: { width?: number } = {}): string {
  switch (format) {
    case 'json':
      return JSON.stringify(isColumnBatch(data) ? rowsOf(data) : data, jsonValue, 2) + '\n'
    case 'ndjson':
      return jsonLines(data)
    case 'csv':
      return csvLine(columnsIn(data)) + csvLines(data, columnsIn(data))
    case 'table':
      return isColumnBatch(data) || Array.isArray(data)
        ? tableOfRows(data, width)
        : tableOfFields(data as Record_, width)
  }
}

/** For batch after batch: the header once, and the columns of the first batch for all. */
export function streamFormatter(format: Format, width?: number): (data: unknown) => string {
  let columns: string[] | undefined
  let layout: Layout | undefined
  return data => {
    if (format === 'json' || format === 'ndjson') return jsonLines(data)
    const isFirst = columns === undefined
    columns ??= columnsIn(data)
    if (format === 'csv') return (isFirst ? csvLine(columns) : '') + csvLines(data, columns)
    const texts = textsOf(data, columns)
    layout ??= layOut(columns, texts, width)
    return (isFirst ? tableHead(layout) : '') + tableLines(layout, texts)
  }
}

function jsonLines(data: unknown): string {
  return rowsIn(data)
    .map(row => JSON.stringify(row, jsonValue) + '\n')
    .join('')
}

function csvLines(data: unknown, columns: readonly string[]): string {
  return textsOf(data, columns).map(csvLine).join('')
}

function csvLine(cells: readonly string[]): string {
  return cells.map(cell => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',') + '\r\n'
}

function textsOf(data: unknown, columns: readonly string[]): string[][] {
  return rowsIn(data).map(row => columns.map(name => cellText(row[name])))
}

function tableOfRows(data: unknown, width?: number): string {
  const columns = columnsIn(data)
  const texts = textsOf(data, columns)
  if (texts.length === 0) return 'No rows.\n'
  const layout = layOut(columns, texts, width)
  return tableHead(layout) + tableLines(layout, texts)
}

/** Longer lists are told by their length; json has them whole. */
const MOST_LISTED = 20

/** An object field by field; lists of objects inside follow as tables of their own. */
function tableOfFields(object: Record_, edge?: number): string {
  const fields = flatten(object)
  const lines = fields.filter(([, value]) => !isListOfObjects(value))
  const width = Math.max(...lines.map(([name]) => name.length))
  const lists = fields.filter((field): field is [string, Record_[]] => isListOfObjects(field[1]))
  return [
    ...lines.map(([name, value]) => `${name.padEnd(width)}  ${cellText(value)}\n`),
    ...lists.map(([name, rows]) =>
      rows.length > MOST_LISTED ? `\n${name}: ${rows.length} entries\n` : `\n${name}\n${tableOfRows(rows, edge)}`,
    ),
  ].join('')
}

function isListOfObjects(value: unknown): value is Record_[] {
  return Array.isArray(value) && value.length > 0 && value.every(item => item !== null && typeof item === 'object')
}

function flatten(object: Record_, path = ''): [string, unknown][] {
  return Object.entries(object).flatMap(([key, value]): [string, unknown][] =>
    value === null || typeof value !== 'object' || Array.isArray(value)
      ? [[path + key, value]]
      : flatten(value as Record_, `${path}${key}.`),
  )
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(jsonValue('', value), jsonValue)
}

function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
