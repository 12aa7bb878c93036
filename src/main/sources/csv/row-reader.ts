// Records into the columns of a table: a function a field, and one that fills in what follows from them.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import type { TableSpec } from '../../../contract/tables.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import { nullColumn } from '../values/columns.ts'
import type { CsvRecord } from './scan-records.ts'

/** Reads the bytes from … to into a row, or throws a BadValue; not called for an empty field that may be empty. */
export type ReadField = (row: number, bytes: Buffer, from: number, to: number) => void

export interface FieldReader {
  /** The field's place in a record. */
  at: number
  /** What the reason calls it. */
  name: string
  read: ReadField
  /** What an empty field is; without it, a bad row. */
  readEmpty?: (row: number) => void
}

/** What a form makes of a table: readers in the order they are to run. */
export interface Form {
  table: TableSpec
  fieldCount: number
  fields: readonly FieldReader[]
  /** After the fields: what follows from them. `ordinal` counts the file's records from 1, bad ones too. */
  endRow: (row: number, ordinal: number) => void
  begin: (capacity: number) => void
  /** Columns that are not here are null. */
  finish: (rowCount: number) => Record<string, Column>
}

export interface RowReader {
  readonly rowCount: number
  /** No more rows fit: they are to be taken. */
  readonly isFull: boolean
  /** Takes the record in as the next row, or gives the reason why it is none. */
  read: (record: CsvRecord) => string | undefined
  /** The rows so far as a batch. */
  take: () => ColumnBatch
}

/** What one flush to Parquet takes: measured, putting smaller ones together costs as much as parsing a field. */
export const BATCH_ROWS = 262_144
const MOST_SHOWN = 60

/** `capacity` is how many rows a batch has at most. */
export function createRowReader(form: Form, capacity = BATCH_ROWS): RowReader {
  const { table, fieldCount, fields, endRow, begin, finish } = form
  let row = 0
  let ordinal = 0
  begin(capacity)

  return {
    get rowCount() {
      return row
    },
    get isFull() {
      return row === capacity
    },
    read(record) {
      ordinal++
      if (record.problem !== undefined) return `the line ${record.problem}`
      if (record.fieldCount !== fieldCount) return `has ${record.fieldCount} fields where ${fieldCount} are expected`
      const { bytes, starts, ends } = record
      let field = 0
      try {
        for (; field < fields.length; field++) {
          const { at, read, readEmpty } = fields[field]
          const from = starts[at]
          const to = ends[at]
          if (from === to && readEmpty) readEmpty(row)
          else read(row, bytes, from, to)
        }
        endRow(row, ordinal)
      } catch (error) {
        if (!(error instanceof BadValue)) throw error
        return reasonOf(error, record, fields[field])
      }
      row++
      return undefined
    },
    take() {
      const made = finish(row)
      const columns = Object.fromEntries(
        table.columns.map(({ name, type }) => [name, Object.hasOwn(made, name) ? made[name] : nullColumn(type, row)]),
      )
      const batch = { rowCount: row, columns }
      row = 0
      begin(capacity)
      return batch
    },
  }
}

/** «price "abc" is not a number»; what `endRow` says stands alone. */
function reasonOf({ message }: BadValue, { bytes, starts, ends }: CsvRecord, field: FieldReader | undefined): string {
  if (!field) return message
  const text = bytes.toString('utf8', starts[field.at], ends[field.at])
  if (text === '') return `${field.name} is missing`
  return `${field.name} "${text.length > MOST_SHOWN ? text.slice(0, MOST_SHOWN) + '…' : text}" ${message}`
}
