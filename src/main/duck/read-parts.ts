// One answer as several batches: which part a row belongs to is in its first column. So the rows of many symbols come out
// of a file in one reading, which costs much less than one for each of them.
import { setImmediate } from 'node:timers/promises'
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api'
import duckdb, { type DataChunk, type Vector } from '@duckdb/node-bindings'
import type { Column, ColumnBatch, Values, Word } from '../../contract/columns.ts'
import { throwIfCancelled } from '../base/cancelled.ts'
import { runForChunks } from './read-batch.ts'
import { createColumnReader } from './read-columns.ts'
import { createNarrowReader, isNarrowable } from './read-narrow.ts'
import { isValid, validityOf } from './read-texts.ts'

/** Others of this process get their turn after so many vectors: about five milliseconds. */
const VECTORS_AT_ONCE = 128
/** So many may be shared by columns of several parts. */
const FEW_WORDS = 64

/**
 * As many batches as asked for, each with its rows in the order of the answer. With more than one, the first column is
 * the number of each row's part as a USMALLINT. Times are doubles; decimals as in read-narrow.ts.
 */
export async function readParts(
  connection: DuckDBConnection,
  sql: string,
  partCount: number,
  signal?: AbortSignal,
): Promise<ColumnBatch[]> {
  const { result, chunks } = await runForChunks(connection, sql, signal)
  const runs = partCount > 1 ? splitRuns(chunks, partCount) : wholeRuns(chunks)
  const names = result.deduplicatedColumnNames()
  const parts = Array.from(runs.rowCounts, (rowCount): ColumnBatch => ({ rowCount, columns: {} }))
  for (let index = partCount > 1 ? 1 : 0; index < names.length; index++) {
    const read = isNarrowable(result.columnType(index)) ? readNarrow : readOther
    const columns = await read({ result, chunks, index, runs }, signal)
    columns.forEach((column, part) => (parts[part].columns[names[index]] = column))
  }
  return parts
}

/** Rows `from` up to `to` of a vector that are of the same part. */
interface Runs {
  /** For each vector where its runs end in the three lists. */
  ends: number[]
  part: number[]
  from: number[]
  to: number[]
  rowCounts: Float64Array
}

interface Asked {
  result: DuckDBResult
  chunks: readonly DataChunk[]
  index: number
  runs: Runs
}

function wholeRuns(chunks: readonly DataChunk[]): Runs {
  const to = chunks.map(chunk => duckdb.data_chunk_get_size(chunk))
  const rowCount = to.reduce((sum, count) => sum + count, 0)
  const none = to.map(() => 0)
  return { ends: to.map((_, i) => i + 1), part: none, from: none, to, rowCounts: Float64Array.of(rowCount) }
}

function splitRuns(chunks: readonly DataChunk[], partCount: number): Runs {
  const runs: Runs = { ends: [], part: [], from: [], to: [], rowCounts: new Float64Array(partCount) }
  for (const chunk of chunks) {
    const rowCount = duckdb.data_chunk_get_size(chunk)
    const bytes = duckdb.vector_get_data(duckdb.data_chunk_get_vector(chunk, 0), rowCount * 2)
    const parts = new Uint16Array(bytes.buffer, bytes.byteOffset, rowCount)
    for (let from = 0, to = 0; from < rowCount; from = to) {
      const part = parts[from]
      while (to < rowCount && parts[to] === part) to++
      runs.part.push(part)
      runs.from.push(from)
      runs.to.push(to)
      runs.rowCounts[part] += to - from
    }
    runs.ends.push(runs.part.length)
  }
  return runs
}

async function readNarrow({ result, chunks, index, runs }: Asked, signal?: AbortSignal): Promise<Column[]> {
  const readers = Array.from(runs.rowCounts, rowCount => createNarrowReader(result.columnType(index), rowCount))
  for (let i = 0, run = 0; i < chunks.length; i++) {
    if (i % VECTORS_AT_ONCE === VECTORS_AT_ONCE - 1) await setImmediate()
    throwIfCancelled(signal)
    const rowCount = duckdb.data_chunk_get_size(chunks[i])
    const vector = duckdb.data_chunk_get_vector(chunks[i], index)
    const pairs = pairsOf(vector, rowCount)
    const validity = validityOf(vector, rowCount)
    for (; run < runs.ends[i]; run++) {
      const { take, skip } = readers[runs.part[run]]
      const to = runs.to[run]
      if (!validity) {
        take(pairs, runs.from[run], to)
        continue
      }
      for (let from = runs.from[run]; from < to;) {
        let next = from
        while (next < to && isValid(validity, next)) next++
        if (next > from) take(pairs, from, next)
        for (; next < to && !isValid(validity, next); next++) skip()
        from = next
      }
    }
  }
  return readers.map(({ finish }) => finish())
}

function pairsOf(vector: Vector, rowCount: number): Int32Array {
  const bytes = duckdb.vector_get_data(vector, rowCount * 8)
  return new Int32Array(bytes.buffer, bytes.byteOffset, rowCount * 2)
}

/** Texts and the like: all rows as one column, then each part's rows of it. */
async function readOther({ result, chunks, index, runs }: Asked, signal?: AbortSignal): Promise<Column[]> {
  const rowCount = runs.rowCounts.reduce((sum, count) => sum + count, 0)
  const { take, finish } = createColumnReader(result.columnType(index), index, rowCount)
  for (let i = 0; i < chunks.length; i++) {
    if (i % VECTORS_AT_ONCE === VECTORS_AT_ONCE - 1) await setImmediate()
    throwIfCancelled(signal)
    take(chunks[i], duckdb.data_chunk_get_size(chunks[i]))
  }
  const whole = finish()
  return runs.rowCounts.length === 1 ? [whole] : splitColumn(whole, runs)
}

function splitColumn({ values, nulls, ...more }: Column, { part, from, to, rowCounts }: Runs): Column[] {
  const Values_ = values.constructor as new (length: number) => Values
  const split = Array.from(rowCounts, count => ({
    ...more,
    values: new Values_(count),
    ...(nulls && { nulls: new Uint8Array(count) }),
  }))
  const ends = new Float64Array(rowCounts.length)
  let row = 0
  for (let run = 0; run < part.length; run++) {
    const count = to[run] - from[run]
    const own = split[part[run]]
    own.values.set(values.subarray(row, row + count) as never, ends[part[run]])
    if (nulls) own.nulls!.set(nulls.subarray(row, row + count), ends[part[run]])
    ends[part[run]] += count
    row += count
  }
  return more.words && more.words.length > FEW_WORDS ? split.map(withOwnWords) : split
}

/** So that no part holds what the others say. */
function withOwnWords({ words = [], ...column }: Column): Column {
  const own: Word[] = []
  const codeOf = new Map<number, number>()
  const codes = Uint32Array.from(column.values as Uint32Array, code => {
    let found = codeOf.get(code)
    if (found === undefined) codeOf.set(code, (found = own.push(words[code]) - 1))
    return found
  })
  return { ...column, words: own, values: own.length <= 0x10000 ? new Uint16Array(codes) : codes }
}
