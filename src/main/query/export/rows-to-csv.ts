// Rows as CSV (RFC 4180), straight from the columns into bytes. Nothing between two commas is null, "" an empty text.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import { plainCell, type CellWriter } from '../../base/write-cells.ts'
import { writeLines } from '../../base/write-lines.ts'

export function csvHead(names: readonly string[]): Buffer {
  return Buffer.from(`${names.map(csvText).join(',')}\r\n`)
}

/** The columns of these names, in this order. */
export function rowsToCsv({ rowCount, columns }: ColumnBatch, names: readonly string[]): Buffer {
  const cells = names.map((name, i) => {
    const before = i === 0 ? '' : ','
    return { nulls: columns[name].nulls, empty: before, cell: cellWriter(before, columns[name]) }
  })
  const lineOf = (row: number) => {
    let line = ''
    for (const { nulls, empty, cell } of cells) line += nulls?.[row] ? empty : cell(row)
    return line
  }
  return writeLines(rowCount, lineOf, { before: '', between: '\r\n', after: rowCount > 0 ? '\r\n' : '' })
}

function cellWriter(before: string, column: Column): CellWriter {
  const { values, words } = column
  if (!words) return plainCell(before, column, '')
  const written = new Array<string | undefined>(words.length)
  return row => {
    const code = Number(values[row])
    return (written[code] ??= before + wordText(words[code]))
  }
}

/** Lists and maps as JSON. */
function wordText(word: NonNullable<Column['words']>[number]): string {
  return word === null ? '' : csvText(typeof word === 'string' ? word : JSON.stringify(word))
}

function csvText(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
