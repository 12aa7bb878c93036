// The columns that a file of the k2 form may have or not: how each is read, and what an empty field is.
import { SIDES } from '../../../contract/tables.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import { checkedText, makeNumbers, makeWords, type ColumnMaker } from '../values/columns.ts'
import { decimalInto, longInto, oneOf, quantityInto, wordInto } from './field-readers.ts'
import { parseInstant } from '../../base/values/parse-time.ts'
import type { ReadField } from './row-reader.ts'
import { createWallClock } from '../../base/values/zone.ts'

export interface OptionalColumn {
  maker: ColumnMaker
  read: ReadField
  /** Without it, an empty field is a bad row. */
  readEmpty?: (row: number) => void
}

const SHORT_SIDES = { B: 'BUY', S: 'SELL', SS: 'SELL_SHORT' }

export function optionalColumns(
  type: 'trades' | 'quotes',
  loadedAtMicros: number,
): Readonly<Record<string, OptionalColumn>> {
  const common = { ingestion_timestamp: ingestionColumn(loadedAtMicros), platform_sequence: longColumn() }
  if (type === 'quotes') {
    return {
      ...common,
      bid_price: orNull(decimalColumn(decimalInto)),
      bid_quantity: orNull(decimalColumn(quantityInto)),
      ask_price: orNull(decimalColumn(decimalInto)),
      ask_quantity: orNull(decimalColumn(quantityInto)),
    }
  }
  const side = makeWords('enum', oneOf(SIDES, SHORT_SIDES))
  const conditions = makeWords('list', conditionsOf)
  return {
    ...common,
    price: decimalColumn(decimalInto),
    quantity: decimalColumn(quantityInto),
    side: orNull({ maker: side, read: wordInto(side) }),
    trade_conditions: orNull({ maker: conditions, read: wordInto(conditions) }),
  }
}

function decimalColumn(into: typeof decimalInto): OptionalColumn {
  const maker = makeNumbers('decimal')
  return { maker, read: into(maker) }
}

function longColumn(): OptionalColumn {
  const maker = makeNumbers('long')
  return orNull({ maker, read: longInto(maker) })
}

function orNull(column: OptionalColumn): OptionalColumn {
  return { ...column, readEmpty: column.maker.setNull }
}

/** The producer's own where it gave one, which is never a wall time of the exchange's. */
function ingestionColumn(loadedAtMicros: number): OptionalColumn {
  const maker = makeNumbers('timestamp')
  const utc = createWallClock('UTC')
  return {
    maker,
    read: (row, bytes, from, to) => maker.set(row, parseInstant(bytes, from, to, utc)),
    readEmpty: row => maker.set(row, loadedAtMicros),
  }
}

/** As K2 itself writes a list into CSV, or one code as it is. */
function conditionsOf(bytes: Buffer, from: number, to: number): string[] {
  const text = checkedText(bytes, from, to)
  if (!text.startsWith('[')) return [text]
  const list = parsed(text)
  if (Array.isArray(list) && list.every(item => typeof item === 'string')) return list
  throw new BadValue('is not a JSON list of texts')
}

/** As K2 itself writes a map into CSV. */
export function mapText(bytes: Buffer, from: number, to: number): string {
  const text = checkedText(bytes, from, to)
  const map = text === '' ? {} : parsed(text)
  const isMap = typeof map === 'object' && map !== null && !Array.isArray(map)
  if (isMap && Object.values(map).every(value => typeof value === 'string')) return text
  throw new BadValue('is not a JSON object of texts')
}

/** Nothing for what is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
