// What column of Arrow a column becomes, by its type in DuckDB: exact, and the same for every batch.
import {
  Binary,
  Bool,
  DateDay,
  Decimal,
  Field,
  Float64,
  Int32,
  Int64,
  TimestampMicrosecond,
  Utf8,
  type DataType,
} from 'apache-arrow'

export interface NamedType {
  name: string
  type: string
}

export function arrowField({ name, type }: NamedType): Field {
  return new Field(name, arrowType(type), true)
}

/** Text for what neither the columns of answers nor these types have. */
function arrowType(type: string): DataType {
  const [, precision, scale] = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(type) ?? []
  if (precision !== undefined) return new Decimal(Number(scale), Number(precision) <= 18 ? 18 : 38, 128)
  switch (type) {
    case 'BLOB':
      return new Binary()
    case 'BOOLEAN':
      return new Bool()
    case 'TINYINT':
    case 'UTINYINT':
    case 'SMALLINT':
    case 'USMALLINT':
    case 'INTEGER':
      return new Int32()
    case 'UINTEGER':
    case 'BIGINT':
      return new Int64()
    case 'UBIGINT':
    case 'HUGEINT':
    case 'UHUGEINT':
      return new Decimal(0, 38, 128)
    case 'FLOAT':
    case 'DOUBLE':
      return new Float64()
    case 'DATE':
      return new DateDay()
    case 'TIMESTAMP WITH TIME ZONE':
      return new TimestampMicrosecond('UTC')
    case 'TIMESTAMP':
    case 'TIMESTAMP_S':
    case 'TIMESTAMP_MS':
    case 'TIMESTAMP_NS':
      return new TimestampMicrosecond()
    default:
      return new Utf8()
  }
}
