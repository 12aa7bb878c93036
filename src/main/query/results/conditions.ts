// What is asked of a column of a held result, as SQL: the column by its name in the result alone, the value bound with the
// column's own type, so that no comparison rounds.
import {
  DuckDBDecimalType,
  DuckDBDecimalValue,
  DuckDBTimestampTZValue,
  DuckDBTypeId as Id,
  type DuckDBValue,
} from '@duckdb/node-api'
import { Failure } from '../../../contract/failure.ts'
import { moment } from '../../../contract/fields.ts'
import { microsOf } from '../moments.ts'
import type { HeldColumn } from './hold-statement.ts'

export interface Condition {
  column: string
  op: '=' | '!=' | '<' | '<=' | '>' | '>=' | 'contains' | 'starts_with' | 'is_null' | 'is_not_null'
  value?: string | number | boolean
}

export interface Sort {
  column: string
  descending: boolean
}

export interface BoundSql {
  sql: string
  values: DuckDBValue[]
}

type Bind = (value: DuckDBValue) => string
type Compare = '=' | '<>' | '<' | '<=' | '>' | '>='

export function whereSql(columns: readonly HeldColumn[], filter: readonly Condition[]): BoundSql {
  const values: DuckDBValue[] = []
  const bind: Bind = value => `$${values.push(value)}`
  const parts = filter.map(condition => conditionSql(columnOf(columns, condition.column), condition, bind))
  return { sql: parts.length > 0 ? parts.join(' AND ') : 'TRUE', values }
}

/** Rows that are equal in all of it stay in the order of the statement. */
export function orderSql(columns: readonly HeldColumn[], sort: readonly Sort[]): string {
  const parts = sort.map(({ column, descending }) => {
    const { sqlName, duckType } = columnOf(columns, column)
    // An ENUM would be in the order of its definition.
    const key = duckType.typeId === Id.ENUM ? `${sqlName}::VARCHAR` : sqlName
    return `${key} ${descending ? 'DESC' : 'ASC'} NULLS LAST`
  })
  return [...parts, 'rowid'].join(', ')
}

function columnOf(columns: readonly HeldColumn[], name: string): HeldColumn {
  const column = columns.find(known => known.name === name)
  if (column) return column
  const names = columns.map(known => known.name).join(', ')
  throw new Failure('INVALID_INPUT', `The result has no column ${name}; it has ${names}.`)
}

const INTEGERS: ReadonlySet<Id> = new Set([
  Id.TINYINT,
  Id.SMALLINT,
  Id.INTEGER,
  Id.BIGINT,
  Id.HUGEINT,
  Id.UTINYINT,
  Id.USMALLINT,
  Id.UINTEGER,
  Id.UBIGINT,
])
const DOUBLES: ReadonlySet<Id> = new Set([Id.FLOAT, Id.DOUBLE])
const TIMES: ReadonlySet<Id> = new Set([
  Id.DATE,
  Id.TIMESTAMP,
  Id.TIMESTAMP_S,
  Id.TIMESTAMP_MS,
  Id.TIMESTAMP_NS,
  Id.TIMESTAMP_TZ,
])
const TEXTS: ReadonlySet<Id> = new Set([Id.VARCHAR, Id.ENUM, Id.UUID])

function conditionSql(column: HeldColumn, { op, value }: Condition, bind: Bind): string {
  const { sqlName, duckType } = column
  if (op === 'is_null') return `${sqlName} IS NULL`
  if (op === 'is_not_null') return `${sqlName} IS NOT NULL`
  const isPart = op === 'contains' || op === 'starts_with'
  const { typeId } = duckType
  const scale = duckType instanceof DuckDBDecimalType ? duckType.scale : INTEGERS.has(typeId) ? 0 : undefined
  const isOrdered = scale !== undefined || DOUBLES.has(typeId) || TIMES.has(typeId)
  if (isPart && (isOrdered || typeId === Id.BOOLEAN))
    throw unfit(column, `${op} is of texts; use =, != or, where it has an order, <, <=, >, >=`)
  if (isPart) return `${op}(lower(${textOf(column)}), lower(${bind(String(value))}))`
  const compare: Compare = op === '!=' ? '<>' : op
  if (scale !== undefined) return compareExactly(column, compare, digitsOf(column, value), scale, bind)
  // As text, because a large whole number would be bound as an integer.
  if (DOUBLES.has(typeId)) return `${sqlName} ${compare} ${bind(String(doubleOf(column, value)))}::DOUBLE`
  if (TIMES.has(typeId)) return `${sqlName}::TIMESTAMPTZ ${compare} ${bind(timeOf(column, value))}`
  if (!TEXTS.has(typeId) && compare !== '=' && compare !== '<>')
    throw unfit(column, `a column of ${String(duckType)} can be compared with = and != only`)
  if (typeId === Id.BOOLEAN) return `${sqlName} ${compare} ${bind(truthOf(column, value))}`
  return `${textOf(column)} ${compare} ${bind(String(value))}`
}

function textOf({ sqlName, duckType: { typeId } }: HeldColumn): string {
  if (typeId === Id.VARCHAR) return sqlName
  return typeId === Id.BLOB ? `to_base64(${sqlName})` : `${sqlName}::VARCHAR`
}

/** Of 128 bits, as DuckDB's decimals of 38 digits and its widest integers are. */
const MOST_DIGITS = 10n ** 38n - 1n

interface Digits {
  unscaled: bigint
  scale: number
}

/** With the column's own places: a value between two of them is either below or above each that there is. */
function compareExactly(
  { sqlName }: HeldColumn,
  compare: Compare,
  { unscaled, scale: given }: Digits,
  scale: number,
  bind: Bind,
): string {
  const [up, down] = [10n ** BigInt(Math.max(0, scale - given)), 10n ** BigInt(Math.max(0, given - scale))]
  const scaled = unscaled * up
  const floor = scaled / down - (scaled % down < 0n ? 1n : 0n)
  const isBetween = scaled % down !== 0n
  if (isBetween && compare === '=') return 'FALSE'
  if (isBetween && compare === '<>') return `${sqlName} IS NOT NULL`
  if (floor > MOST_DIGITS || floor < -MOST_DIGITS) {
    const isTrue = compare === '<>' || (floor > 0n ? compare.startsWith('<') : compare.startsWith('>'))
    return isTrue ? `${sqlName} IS NOT NULL` : 'FALSE'
  }
  const between: Partial<Record<Compare, Compare>> = { '<': '<=', '>=': '>' }
  const bound = bind(new DuckDBDecimalValue(floor, 38, scale))
  return `${sqlName}::DECIMAL(38, ${scale}) ${isBetween ? (between[compare] ?? compare) : compare} ${bound}`
}

function digitsOf(column: HeldColumn, value: Condition['value']): Digits {
  const [, sign, whole, fraction = '', exponent = '0'] =
    /^([+-]?)(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,3}))?$/i.exec(String(value).trim()) ?? []
  if (whole === undefined) throw unfit(column, `${String(value)} is no number`)
  const unscaled = BigInt(sign + whole + fraction)
  const scale = fraction.length - Number(exponent)
  return scale < 0 ? { unscaled: unscaled * 10n ** BigInt(-scale), scale: 0 } : { unscaled, scale }
}

function doubleOf(column: HeldColumn, value: Condition['value']): number {
  const number = Number(value)
  if (typeof value === 'boolean' || String(value).trim() === '' || Number.isNaN(number))
    throw unfit(column, `${String(value)} is no number`)
  return number
}

function timeOf(column: HeldColumn, value: Condition['value']): DuckDBTimestampTZValue {
  if (!moment.safeParse(value).success)
    throw unfit(column, `${String(value)} is no time such as 2014-03-10T09:30:00Z, or date such as 2014-03-10`)
  return new DuckDBTimestampTZValue(BigInt(microsOf(String(value), column.name)))
}

function truthOf(column: HeldColumn, value: Condition['value']): boolean {
  if (value === true || value === 'true') return true
  if (value === false || value === 'false') return false
  throw unfit(column, `${String(value)} is neither true nor false`)
}

function unfit({ name }: HeldColumn, problem: string): Failure {
  return new Failure('INVALID_INPUT', `${name}: ${problem}.`, { details: [{ field: name, problem }] })
}
