// An answer of DuckDB as a batch in its order: the order is found by the keys, then every column is put in it while it is
// read, so that no column lies in memory twice.
import { setImmediate } from 'node:timers/promises'
import {
  DuckDBDecimalType,
  DuckDBTypeId,
  type DuckDBConnection,
  type DuckDBResult,
  type DuckDBType,
} from '@duckdb/node-api'
import duckdb, { type DataChunk } from '@duckdb/node-bindings'
import type { Column, ColumnBatch } from '../../contract/columns.ts'
import { takeColumn } from '../../contract/take-rows.ts'
import { createColumnReader } from './read-columns.ts'
import { isValid, validityOf } from './read-texts.ts'
import { interruptible, runSql } from './run-sql.ts'
import { isExactAsDouble } from '../market/decode-rows.ts'
import { orderRows } from './order-rows.ts'

export interface InOrder {
  batch: ColumnBatch
  times: Float64Array
  /** How many rows the answer has. */
  found: number
  /** Some of them tie in all keys. */
  hasTies: boolean
}

export interface OrderWanted {
  /** The first is the time. */
  keys: readonly string[]
  /** Answers with more rows are not read. */
  most: number
  /** Which rows of the order are wanted, of so many. */
  cut: (found: number) => { from: number; to: number }
}

const TWO_32 = 2 ** 32
/** So much is read before it is asked for: what a stretch takes, so that reading ahead does not wait for anyone. */
const BUFFER_MB = 128

/** Nothing where the answer has more rows than wanted. */
export async function readInOrder(
  connection: DuckDBConnection,
  sql: string,
  { keys, most, cut }: OrderWanted,
  signal?: AbortSignal,
): Promise<InOrder | undefined> {
  await runSql(connection, `SET streaming_buffer_size = '${BUFFER_MB}MB'`, signal)
  try {
    const result = await interruptible(connection, signal, () => connection.stream(sql))
    const chunks = await interruptible(connection, signal, () => fetchChunks(result, most))
    return (
      chunks &&
      (await putInOrder(result, chunks, { keys, cut }, () => interruptible(connection, signal, () => setImmediate())))
    )
  } finally {
    // What is still open ends with the next statement. A connection that is lost by now has been told of.
    await runSql(connection, 'RESET streaming_buffer_size').catch(() => {})
  }
}

async function putInOrder(
  result: DuckDBResult,
  chunks: readonly DataChunk[],
  { keys, cut }: Pick<OrderWanted, 'keys' | 'cut'>,
  breathe: () => Promise<void>,
): Promise<InOrder> {
  const counts = chunks.map(chunk => duckdb.data_chunk_get_size(chunk))
  const found = counts.reduce((sum, count) => sum + count, 0)
  const names = result.deduplicatedColumnNames()
  const types = result.columnTypes()
  const whole = (index: number): Column => {
    const { take, finish } = createColumnReader(types[index], index, found)
    chunks.forEach((chunk, i) => take(chunk, counts[i]))
    return finish()
  }
  const [time, ...others] = keys.map(key => names.indexOf(key))
  const ordered = orderRows(whole(time).values as Float64Array, () => others.map(whole))
  const { from, to } = cut(found)
  const times = from === 0 && to === found ? ordered.times : ordered.times.slice(from, to)
  const wanted = ordered.rows.subarray(from, to)
  const places = placesOf(wanted, found)
  const batch: ColumnBatch = { rowCount: to - from, columns: {} }
  for (const [index, name] of names.entries()) {
    // Others of this process get their turn between two columns.
    await breathe()
    const type = types[index]
    batch.columns[name] =
      index === time
        ? { type: 'timestamp', values: times }
        : (readNumbers({ chunks, counts, index, type, places, rowCount: to - from }) ??
          takeColumn(whole(index), wanted))
  }
  return { batch, times, found, hasTies: ordered.hasTies }
}

/** As they come, because a LIMIT takes as long as sorting does; nothing when there are more rows than wanted. */
async function fetchChunks(result: DuckDBResult, most: number): Promise<DataChunk[] | undefined> {
  const chunks: DataChunk[] = []
  for (let found = 0; found <= most;) {
    const chunk = await result.fetchChunk()
    if (!chunk || chunk.rowCount === 0) return chunks
    found += chunk.rowCount
    chunks.push(chunk.chunk)
  }
  return undefined
}

const NOWHERE = 0xffffffff

/** Where each row of the answer goes. */
function placesOf(rows: Uint32Array, found: number): Uint32Array {
  const places = new Uint32Array(found)
  if (rows.length < found) places.fill(NOWHERE)
  for (let place = 0; place < rows.length; place++) places[rows[place]] = place
  return places
}

interface NumbersAsked {
  chunks: readonly DataChunk[]
  counts: readonly number[]
  index: number
  type: DuckDBType
  places: Uint32Array
  rowCount: number
}

/** Of 64 bits and exact as doubles; nothing for a column that is anything else. */
function readNumbers({ chunks, counts, index, type, places, rowCount }: NumbersAsked): Column | undefined {
  const kind = kindOf(type)
  if (!kind) return undefined
  const values = new Float64Array(rowCount)
  let nulls: Uint8Array | undefined
  for (let i = 0, at = 0; i < chunks.length; at += counts[i++]) {
    const vector = duckdb.data_chunk_get_vector(chunks[i], index)
    const { buffer, byteOffset } = duckdb.vector_get_data(vector, counts[i] * 8)
    const pairs = new Int32Array(buffer, byteOffset, counts[i] * 2)
    const validity = validityOf(vector, counts[i])
    if (validity) nulls ??= new Uint8Array(rowCount)
    if (!scatter(pairs, validity, places, at, counts[i], values, nulls)) return undefined
  }
  return { ...kind, values, ...(nulls?.includes(1) && { nulls }) }
}

function kindOf(type: DuckDBType): Pick<Column, 'type' | 'scale'> | undefined {
  if (type.typeId === DuckDBTypeId.TIMESTAMP_TZ) return { type: 'timestamp' }
  if (type.typeId === DuckDBTypeId.BIGINT) return { type: 'long' }
  const isDecimal = type instanceof DuckDBDecimalType && type.width > 9 && type.width <= 18
  return isDecimal ? { type: 'decimal', scale: type.scale } : undefined
}

/** Ends, with false, at a number that no double holds. */
function scatter(
  pairs: Int32Array,
  validity: Uint8Array | null,
  places: Uint32Array,
  at: number,
  count: number,
  values: Float64Array,
  nulls: Uint8Array | undefined,
): boolean {
  for (let row = 0; row < count; row++) {
    // What has no place is past the end, where writing does nothing.
    const place = places[at + row]
    if (validity && !isValid(validity, row)) {
      nulls![place] = 1
      continue
    }
    const high = pairs[2 * row + 1]
    if (!isExactAsDouble(high)) return false
    values[place] = high * TWO_32 + (pairs[2 * row] >>> 0)
  }
  return true
}
