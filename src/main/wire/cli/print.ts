// Answers as text: a table for people, json, csv and ndjson for programs.
import Table from 'cli-table3'
import { isColumnBatch, rowsOf } from '../../../contract/columns.ts'
import type { Format } from './command-line.ts'

type Record_ = Record<string, unknown>

/** Rows of whatever an answer holds; a plain object is one row, told field by field. */
export function rowsIn(data: unknown): Record_[] {
  if (isColumnBatch(data)) return rowsOf(data)
  if (Array.isArray(data)) return data as Record_[]
  return [data as Record_]
}

/** Column names of an answer, also when it has no rows. */
export function columnsIn(data: unknown): string[] {
  if (isColumnBatch(data)) return Object.keys(data.columns)
  return [...new Set(rowsIn(data).flatMap(row => Object.keys(row)))]
}

export function formatAnswer(data: unknown, format: Format, { width }: { width?: number } = {}): string {
  switch (format) {
    case 'json':
      return JSON.stringify(isColumnBatch(data) ? rowsOf(data) : data, jsonValue, 2) + '\n'
    case 'ndjson':
      return rowsIn(data)
        .map(row => JSON.stringify(row, jsonValue) + '\n')
        .join('')
    case 'csv':
      return (
        csvLine(columnsIn(data)) +
        rowsIn(data)
          .map(row => csvRow(row, columnsIn(data)))
          .join('')
      )
    case 'table':
      return isColumnBatch(data) || Array.isArray(data) ? tableOfRows(data, width) : tableOfFields(data as Record_)
  }
}

export function csvRow(row: Record_, columns: readonly string[]): string {
  return csvLine(columns.map(name => cellText(row[name])))
}

function csvLine(cells: readonly string[]): string {
  return cells.map(cell => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',') + '\r\n'
}

/** For a person: columns without any value and the log's own are left out, and ids come last, as they are the least read. */
function tableOfRows(data: unknown, width = 120): string {
  const rows = rowsIn(data)
  if (rows.length === 0) return 'No rows.\n'
  const filled = columnsIn(data).filter(
    name => !name.startsWith('_') && rows.some(row => row[name] !== null && cellText(row[name]) !== ''),
  )
  const isId = (name: string) => name.endsWith('_id')
  const shown = [...filled.filter(name => !isId(name)), ...filled.filter(isId)]
  const numeric = shown.map(name => rows.every(row => /^-?[\d.]*$/.test(cellText(row[name]))))
  const texts = rows.map(row => shown.map(name => cellText(row[name])))
  const widths = shown.map((name, i) => Math.max(name.length, ...texts.map(cells => cells[i].length)) + 2)
  const fits = widths.filter((_, i) => widths.slice(0, i + 1).reduce((sum, w) => sum + w + 1, 1) <= width).length
  const kept = Math.max(1, fits)
  const table = new Table({
    head: shown.slice(0, kept),
    colAligns: numeric.slice(0, kept).map(is => (is ? 'right' : 'left')),
    style: { head: [], border: [] },
    chars: {
      'top-mid': '',
      'bottom-mid': '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      'right-mid': '',
      middle: '',
      top: '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      right: '',
    },
  })
  for (const cells of texts) table.push(cells.slice(0, kept))
  const left = shown.slice(kept)
  return table.toString() + '\n' + (left.length ? `… ${left.join(', ')}: use --output json or a wider terminal\n` : '')
}

/** Longer lists are told by their length; json has them whole. */
const MOST_LISTED = 20

/** An object field by field; lists of objects inside follow as tables of their own. */
function tableOfFields(object: Record_): string {
  const fields = flatten(object)
  const lines = fields.filter(([, value]) => !isListOfObjects(value))
  const width = Math.max(...lines.map(([name]) => name.length))
  const lists = fields.filter((field): field is [string, Record_[]] => isListOfObjects(field[1]))
  return [
    ...lines.map(([name, value]) => `${name.padEnd(width)}  ${cellText(value)}\n`),
    ...lists.map(([name, rows]) =>
      rows.length > MOST_LISTED ? `\n${name}: ${rows.length} entries\n` : `\n${name}\n${tableOfRows(rows)}`,
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
