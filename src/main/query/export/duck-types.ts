// The types that DuckDB has for columns of answers.
import type { Column } from '../../../contract/columns.ts'
import { TABLES, type TableId, type TableSpec } from '../../../contract/tables.ts'
import { COLUMN_TYPES } from '../../duck/column-types.ts'
import type { NamedType } from './arrow-schema.ts'

/** Of a table's columns. */
export function duckTypes(table: TableId, names: readonly string[]): NamedType[] {
  const { columns }: TableSpec = TABLES[table]
  return names.map(name => ({ name, type: COLUMN_TYPES[columns.find(column => column.name === name)!.type] }))
}

export function duckTypeOf({ type, scale = 0 }: Column): string {
  return type === 'decimal' && scale > 8 ? `DECIMAL(38,${scale})` : COLUMN_TYPES[type]
}
