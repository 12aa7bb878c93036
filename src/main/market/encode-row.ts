// Any row of a table as the bytes that go into the log, its values given by column: for what comes one by one. Trades and
// quotes that come in columns are written by encode.ts, several times faster.
import type { ColumnSpec, TableSpec } from '../../contract/tables.ts'
import {
  endValue,
  putByte,
  putDecimal,
  putExactLong,
  putLong,
  putText,
  putWireHeader,
  reserve,
  type ValueBuffer,
} from './value-buffer.ts'

/**
 * Enums are their words, times microseconds since 1970, dates days since 1970, decimals whole numbers at scale 8.
 * What is null or left out must be optional.
 */
export type RowValue =
  string | number | bigint | boolean | readonly string[] | Readonly<Record<string, string>> | null | undefined

export type RowValues = Readonly<Record<string, RowValue>>

export type PutRow = (out: ValueBuffer, schemaId: number, row: RowValues) => void
/** The same with the values in the order of the columns, without the log's own. */
export type PutValues = (out: ValueBuffer, schemaId: number, row: readonly RowValue[]) => void

/** More than any value takes that is no text. */
const NUMBER_SIZE = 16

/** The record that avro-schemas.ts makes of the table. */
export function createRowEncoder(table: TableSpec): PutRow {
  const names = table.columns.map(({ name }) => name)
  const put = createValuesEncoder(table)
  return (out, schemaId, row) =>
    put(
      out,
      schemaId,
      names.map(name => row[name]),
    )
}

export function createValuesEncoder(table: TableSpec): PutValues {
  const fields = table.columns
    .filter(({ name }) => !name.startsWith('_'))
    .map(spec => ({ name: spec.name, required: spec.required, put: putterOf(spec) }))
  return (out, schemaId, row) => {
    reserve(out, NUMBER_SIZE)
    putWireHeader(out, schemaId)
    for (let i = 0; i < fields.length; i++) {
      const { name, required, put } = fields[i]
      const value = row[i]
      reserve(out, NUMBER_SIZE)
      if (value === null || value === undefined) {
        if (required) throw new TypeError(`A row of ${table.name} needs ${name}.`)
        putByte(out, 0)
        continue
      }
      if (!required) putByte(out, 2)
      put(out, value)
    }
    endValue(out)
  }
}

function putterOf({ name, type, values }: ColumnSpec): (out: ValueBuffer, value: NonNullable<RowValue>) => void {
  switch (type) {
    case 'string':
      return (out, value) => putText(out, value as string)
    case 'enum': {
      const places = new Map(values!.map((word, place) => [word, place]))
      return (out, value) => {
        const place = places.get(value as string)
        if (place === undefined) throw new TypeError(`${JSON.stringify(value)} is no ${name}.`)
        putLong(out, place)
      }
    }
    case 'decimal':
      return (out, value) => putDecimal(out, value as number | bigint)
    case 'boolean':
      return (out, value) => putByte(out, value ? 1 : 0)
    case 'list':
      return (out, value) => putTexts(out, value as readonly string[], 1)
    case 'map':
      return (out, value) => putTexts(out, Object.entries(value as Record<string, string>).flat(), 2)
    default:
      return (out, value) => putExactLong(out, value as number | bigint)
  }
}

/** A list's or map's one block and its end. */
function putTexts(out: ValueBuffer, texts: readonly string[], textsInItem: number): void {
  if (texts.length > 0) putLong(out, texts.length / textsInItem)
  for (const text of texts) putText(out, text)
  reserve(out, NUMBER_SIZE)
  putByte(out, 0)
}
