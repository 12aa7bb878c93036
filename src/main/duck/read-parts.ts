// One answer as several batches, each of rows that follow each other in it. So the rows of many symbols come out of a file
// in one reading, which costs much less than one for each of them.
import { setImmediate } from 'node:timers/promises'
import type { DuckDBConnection, DuckDBDataChunk, DuckDBType } from '@duckdb/node-api'
import duckdb, { type DataChunk, type Vector } from '@duckdb/node-bindings'
import type { Column, ColumnBatch } from '../../contract/columns.ts'
import { usedWords } from '../../contract/take-rows.ts'
import { throwIfCancelled } from '../base/cancelled.ts'
import { createColumnReader } from './read-columns.ts'
import { createNarrowReader, isNarrowable, type NarrowReader } from './read-narrow.ts'
import { isValid, validityOf } from './read-texts.ts'
import { runSql } from './run-sql.ts'

/** Rows `from` up to `to` of an answer. */
export interface RowSpan {
  from: number
  to: number
}

/** Others of this process get their turn after so many chunks: about five milliseconds. */
const CHUNKS_AT_ONCE = 64
/** So many may be shared by columns of several parts. */
const FEW_WORDS = 64

/** As many batches as spans, which ascend and do not overlap. Times are doubles; decimals as in read-narrow.ts. */
export async function readParts(
  connection: DuckDBConnection,
  sql: string,
  /** One of all rows when left out; or what says it by the first column, which is then in no batch. */
  asked?: readonly RowSpan[] | ((first: Column) => readonly RowSpan[]),
  signal?: AbortSignal,
): Promise<ColumnBatch[]> {
  // A materialized result, because DuckDB uses all its threads only for those.
  const result = await runSql(connection, sql, signal)
  const { rowCount, chunkCount } = result
  const names = result.deduplicatedColumnNames()
  const types = result.columnTypes()
  const isByFirst = typeof asked === 'function'
  // Getting a chunk copies all of it, so those that say the parts are kept.
  const kept = isByFirst ? Array.from({ length: chunkCount }, (_, i) => result.getChunk(i)) : undefined
  const spans = isByFirst ? asked(firstColumn(types[0], kept!, rowCount)) : (asked ?? [{ from: 0, to: rowCount }])
  const readers = types.map((type, index) => {
    if (isByFirst && index === 0) return undefined
    return isNarrowable(type) ? readNarrow(type, index, spans) : readOther(type, index, { spans, rowCount })
  })
  // All columns of a chunk at once, as long as it is in the processor's caches: getting it has copied it.
  const held: DuckDBDataChunk[] = []
  for (let i = 0, row = 0; i < chunkCount; i++) {
    if (held.length === CHUNKS_AT_ONCE) {
      held.length = 0
      await setImmediate()
      throwIfCancelled(signal)
    }
    // What is read of it is its own memory, so it has to stay.
    const chunk = kept?.[i] ?? result.getChunk(i)
    held.push(chunk)
    const count = chunk.rowCount
    for (const reader of readers) reader?.take(chunk.chunk, row, count)
    row += count
  }
  const columns = readers.map(reader => reader?.finish())
  return spans.map(({ from, to }, part) => ({
    rowCount: to - from,
    columns: Object.fromEntries(names.flatMap((name, i) => (columns[i] ? [[name, columns[i][part]]] : []))),
  }))
}

function firstColumn(type: DuckDBType, chunks: readonly DuckDBDataChunk[], rowCount: number): Column {
  const { take, finish } = createColumnReader(type, 0, rowCount)
  for (const chunk of chunks) take(chunk.chunk, chunk.rowCount)
  return finish()
}

interface PartsReader {
  /** The next chunk, of which the first row is so many rows into the answer. */
  take: (chunk: DataChunk, firstRow: number, count: number) => void
  /** A column for each part. */
  finish: () => Column[]
}

function readNarrow(type: DuckDBType, index: number, spans: readonly RowSpan[]): PartsReader {
  const readers = spans.map(({ from, to }) => createNarrowReader(type, to - from))
  let first = 0
  return {
    take(chunk, firstRow, count) {
      while (first < spans.length && spans[first].to <= firstRow) first++
      if (first === spans.length || spans[first].from >= firstRow + count) return
      const vector = duckdb.data_chunk_get_vector(chunk, index)
      const pairs = pairsOf(vector, count)
      const validity = validityOf(vector, count)
      for (let part = first; part < spans.length && spans[part].from < firstRow + count; part++) {
        const from = Math.max(0, spans[part].from - firstRow)
        const to = Math.min(count, spans[part].to - firstRow)
        if (validity) takeValid(readers[part], pairs, validity, from, to)
        else readers[part].take(pairs, from, to)
      }
    },
    finish: () => readers.map(({ finish }) => finish()),
  }
}

function takeValid({ take, skip }: NarrowReader, pairs: Int32Array, validity: Uint8Array, from: number, to: number) {
  while (from < to) {
    let next = from
    while (next < to && isValid(validity, next)) next++
    if (next > from) take(pairs, from, next)
    for (; next < to && !isValid(validity, next); next++) skip()
    from = next
  }
}

function pairsOf(vector: Vector, rowCount: number): Int32Array {
  const bytes = duckdb.vector_get_data(vector, rowCount * 8)
  return new Int32Array(bytes.buffer, bytes.byteOffset, rowCount * 2)
}

interface Whole {
  spans: readonly RowSpan[]
  rowCount: number
}

/** Texts and the like: all rows as one column, then each part's rows of it. */
function readOther(type: DuckDBType, index: number, { spans, rowCount }: Whole): PartsReader {
  const { take, finish } = createColumnReader(type, index, rowCount)
  return {
    take: (chunk, _, count) => take(chunk, count),
    finish: () => {
      const whole = finish()
      const [{ from, to }] = spans
      return spans.length === 1 && to - from === rowCount ? [whole] : spans.map(span => cut(whole, span))
    },
  }
}

/** A copy, as one part may be kept when others are not. */
function cut({ values, nulls, ...more }: Column, { from, to }: RowSpan): Column {
  const own = { ...more, values: values.slice(from, to), ...(nulls && { nulls: nulls.slice(from, to) }) }
  return more.words && more.words.length > FEW_WORDS ? withOwnWords(own) : own
}

/** So that no part holds what the others say. */
function withOwnWords(column: Column): Column {
  const { values, words } = usedWords(column.values, column.words!)
  return { ...column, words, values: words.length <= 0x10000 ? new Uint16Array(values) : values }
}
