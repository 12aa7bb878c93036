// What is asked of a table, checked and in one form: two questions that mean the same rows are the same text.
import { Failure } from '../../../contract/failure.ts'
import { TABLES, type Side, type TableId, type TableSpec } from '../../../contract/tables.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import { parseDecimal } from '../../base/values/parse-number.ts'
import { microsOf } from '../moments.ts'
import { hasSequence, type Order } from './row-order.ts'

/** The input fields of all reads together. */
export interface ReadInput {
  symbol?: string
  symbols?: readonly string[]
  exchange?: string
  exchanges?: readonly string[]
  start_time?: string
  end_time?: string
  min_price?: string | number
  max_price?: string | number
  min_quantity?: string | number
  sides?: readonly Side[]
  fields?: readonly string[]
  order: Order
}

/** Rows of a table; an empty list is none, one that is left out is all. Prices and quantities are times 10^8. */
export interface AskedRows {
  table: TableId
  symbols?: readonly string[]
  /** Upper case. */
  exchanges?: readonly string[]
  /** The start is included, the end is not. */
  startMicros?: number
  endMicros?: number
  minPrice?: bigint
  maxPrice?: bigint
  minQuantity?: bigint
  sides?: readonly Side[]
  /** Columns to answer, in this order. */
  fields: readonly string[]
  order: Order
}

/** Columns that a filter needs, beside the table's times. */
const NEEDS = {
  symbols: 'symbol',
  exchanges: 'exchange',
  sides: 'side',
} as const

export function askedRows(table: TableId, input: ReadInput): AskedRows {
  const symbols = some(input.symbol, input.symbols)
  const exchanges = some(input.exchange, input.exchanges)?.map(name => name.toUpperCase())
  const sides = some(undefined, input.sides)
  const asked: AskedRows = {
    table,
    ...(symbols && { symbols: unique(symbols) }),
    ...(exchanges && { exchanges: unique(exchanges) }),
    ...moment('startMicros', 'start_time', input.start_time),
    ...moment('endMicros', 'end_time', input.end_time),
    ...amount('minPrice', 'min_price', input.min_price),
    ...amount('maxPrice', 'max_price', input.max_price),
    ...amount('minQuantity', 'min_quantity', input.min_quantity),
    ...(sides && { sides: unique(sides) }),
    fields: fieldsOf(table, input.fields),
    order: input.order,
  }
  refuseContradiction(asked, input)
  refuseAbsent(asked)
  return asked
}

/** The same for the same rows in the same order, whatever words they were asked for with. */
export function textOf(asked: AskedRows): string {
  return JSON.stringify(asked, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

function some<T>(one: T | undefined, many: readonly T[] | undefined): readonly T[] | undefined {
  if (one !== undefined) return [one]
  return many && many.length > 0 ? many : undefined
}

function unique<T extends string>(list: readonly T[]): T[] {
  return [...new Set(list)].sort()
}

function moment<K extends string>(name: K, field: string, text: string | undefined) {
  return text === undefined ? {} : ({ [name]: microsOf(text, field) } as Record<K, number>)
}

function amount<K extends string>(name: K, field: string, value: string | number | undefined) {
  if (value === undefined) return {}
  const bytes = Buffer.from(String(value))
  try {
    return { [name]: BigInt(parseDecimal(bytes, 0, bytes.length)) } as Record<K, bigint>
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    throw refused(field, `${value} ${error.message}`)
  }
}

function fieldsOf(table: TableId, wanted: readonly string[] | undefined): string[] {
  const { columns }: TableSpec = TABLES[table]
  const names = columns.map(({ name }) => name)
  if (!wanted || wanted.length === 0) return names
  const unknown = wanted.find(name => !names.includes(name))
  if (unknown !== undefined)
    throw refused('fields', `there is no column ${unknown}. The columns of ${table} are ${names.join(', ')}`)
  return [...new Set(wanted)]
}

function refuseContradiction({ startMicros, endMicros, minPrice, maxPrice }: AskedRows, input: ReadInput): void {
  if (startMicros !== undefined && endMicros !== undefined && startMicros > endMicros)
    throw refused('start_time', `${input.start_time} is after the end, ${input.end_time}; swap them`)
  if (minPrice !== undefined && maxPrice !== undefined && minPrice > maxPrice)
    throw refused('min_price', `${input.min_price} is above max_price ${input.max_price}; swap them`)
}

function refuseAbsent(asked: AskedRows): void {
  const { columns }: TableSpec = TABLES[asked.table]
  const has = (column: string) => columns.some(({ name }) => name === column)
  for (const [filter, column] of Object.entries(NEEDS))
    if (asked[filter as keyof typeof NEEDS] && !has(column))
      throw refused(filter, `${asked.table} has no column ${column}; leave it out`)
  const isPriced = asked.table === 'trades' || asked.table === 'quotes'
  if (!isPriced && [asked.minPrice, asked.maxPrice, asked.minQuantity].some(bound => bound !== undefined))
    throw refused(
      'min_price',
      `${asked.table} has no prices and quantities; leave min_price, max_price, min_quantity out`,
    )
  if (asked.order === 'sequence' && !hasSequence(asked.table))
    throw refused('order', `${asked.table} has no source_sequence; order by desc or asc`)
}

function refused(field: string, problem: string): Failure {
  return new Failure('INVALID_INPUT', `${field}: ${problem}.`, { details: [{ field, problem }] })
}
