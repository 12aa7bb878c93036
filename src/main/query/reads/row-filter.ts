// What is asked as the conditions that files are pruned by, and as the one that needs two columns at once.
import { decimalText } from '../../../contract/columns.ts'
import type { Condition, Filter } from '../../lake/reads.ts'
import type { AskedRows } from './asked-rows.ts'
import { timeColumnOf } from './row-order.ts'

/** From … to in microseconds, the end not included. */
export interface TimeRange {
  fromMicros: number
  toMicros: number
}

export function timeRangeOf({ startMicros = -Infinity, endMicros = Infinity }: AskedRows): TimeRange {
  return { fromMicros: startMicros, toMicros: endMicros }
}

export function rowFilter(asked: AskedRows, { fromMicros, toMicros }: TimeRange): Filter {
  const time = timeColumnOf(asked.table)
  const { symbols, exchanges, sides, minPrice, maxPrice, minQuantity } = asked
  const isOfTrades = asked.table === 'trades'
  const conditions: (Condition | undefined)[] = [
    oneOf('symbol', symbols),
    oneOf('exchange', exchanges),
    Number.isFinite(fromMicros) ? { column: time, op: '>=', value: BigInt(fromMicros) } : undefined,
    Number.isFinite(toMicros) ? { column: time, op: '<', value: BigInt(toMicros) } : undefined,
    oneOf('side', sides),
    isOfTrades ? bound('price', '>=', minPrice) : undefined,
    isOfTrades ? bound('price', '<=', maxPrice) : undefined,
    isOfTrades ? bound('quantity', '>=', minQuantity) : undefined,
  ]
  return conditions.filter(condition => condition !== undefined)
}

function oneOf(column: string, values: readonly string[] | undefined): Condition | undefined {
  if (!values) return undefined
  return values.length === 1 ? { column, op: '=', value: values[0] } : { column, op: 'in', values }
}

function bound(column: string, op: '>=' | '<=', value: bigint | undefined): Condition | undefined {
  return value === undefined ? undefined : { column, op, value }
}

const QUOTE_SIDES = [
  { price: 'bid_price', quantity: 'bid_quantity' },
  { price: 'ask_price', quantity: 'ask_quantity' },
] as const

/** Of quotes, that one side has the price and the quantity; a side that is not there has neither. */
export function sideSql({ table, minPrice, maxPrice, minQuantity }: AskedRows): string {
  if (table !== 'quotes' || [minPrice, maxPrice, minQuantity].every(value => value === undefined)) return 'TRUE'
  const of = QUOTE_SIDES.map(({ price, quantity }) =>
    [
      ...(minPrice === undefined ? [] : [`${price} >= ${literal(minPrice)}`]),
      ...(maxPrice === undefined ? [] : [`${price} <= ${literal(maxPrice)}`]),
      ...(minQuantity === undefined ? [] : [`${quantity} >= ${literal(minQuantity)}`]),
    ].join(' AND '),
  )
  return `((${of.join(') OR (')}))`
}

/** The columns that `sideSql` looks at. */
export function sideColumns(asked: AskedRows): string[] {
  return sideSql(asked) === 'TRUE' ? [] : QUOTE_SIDES.flatMap(({ price, quantity }) => [price, quantity])
}

function literal(value: bigint): string {
  return `'${decimalText(value, 8)}'::DECIMAL(18,8)`
}
