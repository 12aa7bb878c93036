// A table's schema in DuckDB's words: types of its columns, and the field ids that its Parquet files carry.
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  INTEGER,
  LIST,
  MAP,
  TIMESTAMP,
  TIMESTAMPTZ,
  VARCHAR,
  type DuckDBType,
} from '@duckdb/node-api'
import { Failure } from '../../../contract/failure.ts'
import { quoteName } from '../../duck/quote.ts'
import { primitiveOf, type PrimitiveKind } from '../iceberg/primitive.ts'
import { asStruct, type Field, type IcebergType } from '../iceberg/schema.ts'

const plain: Partial<Record<PrimitiveKind, DuckDBType>> = {
  boolean: BOOLEAN,
  int: INTEGER,
  long: BIGINT,
  double: DOUBLE,
  date: DATE,
  timestamp: TIMESTAMP,
  timestamptz: TIMESTAMPTZ,
  string: VARCHAR,
  binary: BLOB,
}

/** A type that batches have no column for is refused: rows would lose what it holds. */
export function duckTypeOf({ name, type }: Field): DuckDBType {
  const found = duckType(type)
  if (found) return found
  const said = typeof type === 'string' ? type : type.type
  throw new Failure('INVALID_INPUT', `K2 does not write columns of type ${said} such as ${name}; nothing was written.`)
}

function duckType(type: IcebergType): DuckDBType | undefined {
  if (typeof type === 'string') {
    const primitive = primitiveOf(type)
    if (primitive?.kind !== 'decimal') return primitive && plain[primitive.kind]
    const { precision = 0, scale = 0 } = primitive
    // Narrower and wider ones are kept in other widths.
    return precision > 9 && precision <= 18 ? DECIMAL(precision, scale) : undefined
  }
  if (type.type === 'list') return type.element === 'string' ? LIST(VARCHAR) : undefined
  return type.type === 'map' && type.key === 'string' && type.value === 'string' ? MAP(VARCHAR, VARCHAR) : undefined
}

/** For COPY's FIELD_IDS. */
export function fieldIdsSql(fields: readonly Field[]): string {
  return `{${fields.map(field => `${quoteName(field.name)}: ${fieldIdSql(field)}`).join(', ')}}`
}

function fieldIdSql({ id, type }: Field): string {
  if (typeof type === 'string') return String(id)
  const inner = asStruct(type).fields.map(field => `${quoteName(field.name)}: ${fieldIdSql(field)}`)
  return `{__duckdb_field_id: ${id}, ${inner.join(', ')}}`
}
