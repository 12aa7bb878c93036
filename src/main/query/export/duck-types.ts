// The types that DuckDB has for columns of answers.
import type { CellType, Column } from '../../../contract/columns.ts'
import { TABLES, type TableId, type TableSpec } from '../../../contract/tables.ts'
import type { NamedType } from './arrow-schema.ts'

const DUCK_TYPES: Record<CellType, string> = {
  string: 'VARCHAR',
  enum: 'VARCHAR',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  decimal: 'DECIMAL(18,8)',
  long: 'BIGINT',
  int: 'INTEGER',
  boolean: 'BOOLEAN',
  date: 'DATE',
  list: 'VARCHAR[]',
  map: 'MAP(VARCHAR, VARCHAR)',
  bytes: 'BLOB',
  double: 'DOUBLE',
}

/** Of a table's columns. */
export function duckTypes(table: TableId, names: readonly string[]): NamedType[] {
  const { columns }: TableSpec = TABLES[table]
  return names.map(name => ({ name, type: DUCK_TYPES[columns.find(column => column.name === name)!.type] }))
}

export function duckTypeOf({ type, scale = 0 }: Column): string {
  return type === 'decimal' && scale > 8 ? `DECIMAL(38,${scale})` : DUCK_TYPES[type]
}
