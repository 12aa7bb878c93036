// The types that DuckDB has for columns of the contract.
import type { CellType } from '../../contract/columns.ts'

export const COLUMN_TYPES: Readonly<Record<CellType, string>> = {
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
