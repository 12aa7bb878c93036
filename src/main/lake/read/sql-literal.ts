// Iceberg's types, names and values as DuckDB's SQL writes them: the one place where a value becomes SQL.
import { decimalText } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import { primitiveOf } from '../iceberg/primitive.ts'
import type { IcebergType, PrimitiveType, Value } from '../iceberg/schema.ts'

/** The type a column comes out of DuckDB as. */
export function sqlType(type: IcebergType): string {
  if (typeof type === 'string') return sqlPrimitive(type)
  if (type.type === 'list') return `${sqlType(type.element)}[]`
  if (type.type === 'map') return `MAP(${sqlType(type.key)}, ${sqlType(type.value)})`
  return `STRUCT(${type.fields.map(field => `${sqlName(field.name)} ${sqlType(field.type)}`).join(', ')})`
}

function sqlPrimitive(type: PrimitiveType): string {
  const primitive = primitiveOf(type)
  switch (primitive?.kind) {
    case 'boolean':
      return 'BOOLEAN'
    case 'int':
      return 'INTEGER'
    case 'long':
      return 'BIGINT'
    case 'float':
      return 'FLOAT'
    case 'double':
      return 'DOUBLE'
    case 'decimal':
      return `DECIMAL(${primitive.precision}, ${primitive.scale})`
    case 'date':
      return 'DATE'
    case 'time':
      return 'TIME'
    case 'timestamp':
      return 'TIMESTAMP'
    case 'timestamptz':
      return 'TIMESTAMPTZ'
    case 'string':
      return 'VARCHAR'
    case 'uuid':
      return 'UUID'
    case 'fixed':
    case 'binary':
      return 'BLOB'
    case undefined:
      throw new Failure('INVALID_INPUT', `K2 does not read columns of type ${type}; leave them out of the columns.`)
  }
}

/** A column's or function's name. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** DuckDB's parser ends a statement at a NUL, so texts with one are put together. */
export function sqlText(text: string): string {
  const parts = text.split('\0').map(part => `'${part.replaceAll("'", "''")}'`)
  return parts.length === 1 ? parts[0] : `(${parts.join(' || chr(0) || ')})`
}

/** A file for `read_parquet`, which takes `*`, `?` and `[` in names for patterns. */
export function sqlPath(path: string): string {
  return sqlText(path.replace(/[[*?]/g, '[$&]'))
}

export function sqlLiteral(type: PrimitiveType, value: Value): string {
  const primitive = primitiveOf(type)
  switch (primitive?.kind) {
    case 'boolean':
      return value ? 'TRUE' : 'FALSE'
    case 'int':
      return `(${Number(value)})` // in brackets, for the minus
    case 'long':
      return `(${BigInt(value as bigint)})`
    case 'float':
    case 'double':
      return `'${Number(value)}'::DOUBLE`
    case 'decimal':
      return decimalLiteral(BigInt(value as bigint), primitive.precision!, primitive.scale!)
    case 'date':
      return `(DATE '1970-01-01' + (${Number(value)}))`
    case 'time':
      return `(TIME '00:00:00' + to_microseconds(${BigInt(value as bigint)}))`
    case 'timestamp':
      return `make_timestamp(${BigInt(value as bigint)})`
    case 'timestamptz':
      return `make_timestamptz(${BigInt(value as bigint)})`
    case 'string':
      return sqlText(value as string)
    case 'uuid':
      return `'${hexOf(value)}'::UUID`
    case 'fixed':
    case 'binary':
      return `from_hex('${hexOf(value)}')`
    case undefined:
      throw new Failure('INVALID_INPUT', `K2 does not compare columns of type ${type}.`)
  }
}

/** Wider than the column where the value has more digits than it holds: the comparison is exact all the same. */
function decimalLiteral(unscaled: bigint, precision: number, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).length
  if (digits > 38) throw new Failure('INVALID_INPUT', `${decimalText(unscaled, scale)} has more than 38 digits.`)
  return `'${decimalText(unscaled, scale)}'::DECIMAL(${Math.max(precision, digits)}, ${scale})`
}

function hexOf(value: Value): string {
  return Buffer.from(value as Uint8Array).toString('hex')
}
