// Some rows of a held result, from a place on. An order is made once and kept as places of rows: four bytes a row, so that
// the next window of the same sort and filter reads its own rows alone.
import type { ColumnBatch } from '../../../contract/columns.ts'
import { takeColumn } from '../../../contract/take-rows.ts'
import { quoteName, quoteText } from '../../duck/quote.ts'
import { readBatch, streamBatches } from '../../duck/read-batch.ts'
import { interruptible } from '../../duck/run-sql.ts'
import { AS_PARQUET } from '../export/parquet-file.ts'
import { translateSqlError } from '../sql/sql-failures.ts'
import { orderSql, whereSql, type Condition, type Sort } from './conditions.ts'
import { HELD, type HeldColumn, type HeldRows } from './hold-statement.ts'

export interface WindowQuestion {
  first: number
  count: number
  sort: readonly Sort[]
  filter: readonly Condition[]
}

export interface Window {
  rows: ColumnBatch
  first: number
  row_count: number
}

/** By what was asked, those used last at the end. */
export type Orders = Map<string, Uint32Array>

const MOST_ORDERS = 2
const ORDER_ROWS = 1 << 18

export async function readWindow(
  held: HeldRows,
  orders: Orders,
  { first, count, sort, filter }: WindowQuestion,
  signal: AbortSignal,
): Promise<Window> {
  try {
    const order = sort.length + filter.length > 0 ? await orderOf(held, orders, { sort, filter }, signal) : undefined
    const rowCount = order?.length ?? held.rowCount
    const [from, to] = [Math.min(first, rowCount), Math.min(first + count, rowCount)]
    const places = order?.subarray(from, to)
    const rows = places ? await rowsAt(held, places, signal) : await rowsBetween(held, from, to, signal)
    return { rows, first, row_count: rowCount }
  } catch (error) {
    throw translateSqlError(error, '')
  }
}

async function orderOf(
  { connection, columns, rowCount, withMemory }: HeldRows,
  orders: Orders,
  { sort, filter }: Pick<WindowQuestion, 'sort' | 'filter'>,
  signal: AbortSignal,
): Promise<Uint32Array> {
  const key = JSON.stringify([sort, filter])
  const known = orders.get(key)
  orders.delete(key)
  if (known) {
    orders.set(key, known)
    return known
  }
  const { sql: where, values } = whereSql(columns, filter)
  const sql = `SELECT rowid AS place FROM ${HELD} WHERE ${where} ORDER BY ${orderSql(columns, sort)}`
  const places = await withMemory(async () => {
    const statement = await connection.prepare(sql)
    try {
      if (values.length > 0) statement.bind(values)
      const found = new Uint32Array(rowCount)
      let length = 0
      const begin = () => statement.stream()
      for await (const batch of streamBatches(connection, begin, { batchRows: ORDER_ROWS, signal })) {
        found.set(batch.columns.place.values as Float64Array, length)
        length += batch.rowCount
      }
      return found.slice(0, length)
    } finally {
      statement.destroySync()
    }
  })
  for (const oldest of [...orders.keys()].slice(0, Math.max(0, orders.size - MOST_ORDERS + 1))) orders.delete(oldest)
  orders.set(key, places)
  return places
}

/** All rows in an order as a Parquet file, at the one place where the result may write. DuckDB has their exact types. */
export async function copyRows(
  { connection, columns, file, withMemory }: HeldRows,
  { sort, filter }: Pick<WindowQuestion, 'sort' | 'filter'>,
  signal: AbortSignal,
): Promise<void> {
  const { sql: where, values } = whereSql(columns, filter)
  const rows = `SELECT ${namesOf(columns)} FROM ${HELD} WHERE ${where} ORDER BY ${orderSql(columns, sort)}`
  await withMemory(async () => {
    const statement = await connection.prepare(`COPY (${rows}) TO ${quoteText(file)} (${AS_PARQUET})`)
    try {
      if (values.length > 0) statement.bind(values)
      await interruptible(connection, signal, () => statement.run())
    } catch (error) {
      throw translateSqlError(error, '')
    } finally {
      statement.destroySync()
    }
  })
}

/** In the order of the statement: DuckDB keeps the order of a table that is only scanned. */
function rowsBetween({ connection, columns }: HeldRows, from: number, to: number, signal: AbortSignal) {
  const sql = `SELECT ${namesOf(columns)} FROM ${HELD} WHERE rowid >= ${from} AND rowid < ${to}`
  return readBatch(connection, sql, signal)
}

async function rowsAt(held: HeldRows, places: Uint32Array, signal: AbortSignal): Promise<ColumnBatch> {
  const { connection, columns } = held
  if (places.every((place, i) => place === places[0] + i))
    return rowsBetween(held, places.at(0) ?? 0, (places.at(0) ?? 0) + places.length, signal)
  const own = freeName(columns)
  const sql = `SELECT ${namesOf(columns)}, rowid AS ${own} FROM ${HELD} WHERE rowid IN (${places.join(', ')})`
  const { rowCount, columns: found } = await readBatch(connection, sql, signal)
  // A list is joined, so they come in any order.
  const rowOf = new Map<number, number>()
  ;(found[own].values as Float64Array).forEach((place, row) => rowOf.set(place, row))
  const rows = Uint32Array.from(places, place => rowOf.get(place)!)
  const taken = columns.map(({ name }) => [name, takeColumn(found[name], rows)] as const)
  return { rowCount, columns: Object.fromEntries(taken) }
}

function namesOf(columns: readonly HeldColumn[]): string {
  return columns.map(({ name, sqlName }) => `${sqlName} AS ${quoteName(name)}`).join(', ')
}

function freeName(columns: readonly HeldColumn[]): string {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()))
  let name = 'k2_place'
  while (taken.has(name)) name += '_'
  return name
}
