// The order of a table's rows, and where in it a page ended. Nulls come last, so they come first when it is read backwards.
// Few rows are alike in every key; what else they hold is read only where there are such.
import { cellOf, type ColumnBatch } from '../../../contract/columns.ts'
import { TABLES, type ColumnSpec, type ColumnType, type TableId, type TableSpec } from '../../../contract/tables.ts'
import { quoteName } from '../../duck/quote.ts'
import { TOTAL_ORDER } from '../../market/row-order.ts'

export type Order = 'desc' | 'asc' | 'sequence'

/** The cells of a row that say where it stands: times in microseconds, numbers and texts as text. */
export type PlaceInOrder = readonly (string | null)[]

export interface RowOrder {
  keys: readonly ColumnSpec[]
  isBackwards: boolean
}

const ORDERS: Record<TableId, readonly string[]> = {
  trades: TOTAL_ORDER,
  quotes: TOTAL_ORDER,
  reference_data: ['ingestion_timestamp', '_partition', '_offset', 'message_id'],
  sequence_gaps: ['detected_at', '_topic', '_partition', '_offset', 'symbol', 'exchange', 'expected_sequence'],
  dead_letters: ['detected_at', 'topic', 'partition', 'offset'],
}

/** The column of a table's times, which its order begins with. */
export function timeColumnOf(table: TableId): string {
  return ORDERS[table][0]
}

export function hasSequence(table: TableId): boolean {
  return ORDERS[table].includes('source_sequence')
}

export function rowOrder(table: TableId, order: Order): RowOrder {
  const names = [...ORDERS[table]]
  if (order === 'sequence') names.sort((a, b) => Number(b === 'source_sequence') - Number(a === 'source_sequence'))
  const { columns }: TableSpec = TABLES[table]
  return { keys: names.map(name => columns.find(column => column.name === name)!), isBackwards: order === 'desc' }
}

export function orderSql({ keys, isBackwards }: RowOrder): string {
  const direction = isBackwards ? 'DESC NULLS FIRST' : 'ASC NULLS LAST'
  return keys.map(({ name }) => `${quoteName(name)} ${direction}`).join(', ')
}

/** Of rows that are alike in every key the other columns decide: those that tie even then are the same for everybody. */
export function wholeOrderSql(order: RowOrder, table: TableId): string {
  const direction = order.isBackwards ? 'DESC NULLS FIRST' : 'ASC NULLS LAST'
  const { columns }: TableSpec = TABLES[table]
  const others = columns.filter(({ name }) => !order.keys.some(key => key.name === name))
  // As texts, as lists and maps have no order of their own.
  return [orderSql(order), ...others.map(({ name }) => `${quoteName(name)}::VARCHAR ${direction}`)].join(', ')
}

export function reversed({ keys, isBackwards }: RowOrder): RowOrder {
  return { keys, isBackwards: !isBackwards }
}

export function placeOf({ keys }: RowOrder, batch: ColumnBatch, row: number): PlaceInOrder {
  return keys.map(({ name, type }) => {
    const column = batch.columns[name]
    if (column.nulls?.[row]) return null
    const cell = type === 'timestamp' ? column.values[row] : (cellOf(column, row) as string | number)
    return typeof cell === 'string' ? cell : String(cell)
  })
}

/** How many rows at the end of a batch stand at this place. */
export function countAtEnd(order: RowOrder, batch: ColumnBatch, place: PlaceInOrder): number {
  let count = 0
  while (count < batch.rowCount && isAt(placeOf(order, batch, batch.rowCount - 1 - count), place)) count++
  return count
}

export function isAt(a: PlaceInOrder, b: PlaceInOrder): boolean {
  return a.length === b.length && a.every((cell, i) => cell === b[i])
}

/** True of the rows at a place and of those after it; of all where none is given. */
export function fromPlaceSql({ keys, isBackwards }: RowOrder, place: PlaceInOrder): string {
  if (place.length === 0) return 'TRUE'
  return keys.reduceRight((rest, { name, type, required }, i) => {
    const column = quoteName(name)
    const cell = place[i]
    if (cell === null) {
      const isSame = `${column} IS NULL AND ${rest}`
      return isBackwards ? `(${column} IS NOT NULL OR (${isSame}))` : `(${isSame})`
    }
    const value = literal(type, cell)
    const later = isBackwards ? `${column} < ${value}` : `${column} > ${value}`
    const orNull = isBackwards || required ? '' : ` OR ${column} IS NULL`
    return `(${later}${orNull} OR (${column} = ${value} AND ${rest}))`
  }, 'TRUE')
}

/** Texts as bytes in hexadecimal: whatever they say, they say nothing to a parser. */
function literal(type: ColumnType, cell: string): string {
  switch (type) {
    case 'timestamp':
      return `make_timestamptz(${BigInt(cell)})`
    case 'long':
    case 'int':
      return `(${BigInt(cell)})`
    default:
      return `decode(from_hex('${Buffer.from(cell).toString('hex')}'))`
  }
}
