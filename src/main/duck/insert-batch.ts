// Column batches into a table of DuckDB.
import { DuckDBDataChunk, type DuckDBConnection, type DuckDBType } from '@duckdb/node-api'
import duckdb, { type DataChunk } from '@duckdb/node-bindings'
import type { ColumnBatch } from '../../contract/columns.ts'
import { translateDuckError } from './failures.ts'
import { createFiller, VECTOR_ROWS } from './fill-vector.ts'

export interface BatchWriter {
  /** Rows `rows[from]` up to `rows[from + count]` of the batch; at most VECTOR_ROWS. */
  write: (chunk: DataChunk, rows: Uint32Array, from: number, count: number) => void
  /** After the last chunk was taken over by DuckDB. */
  release: () => void
}

/** `names` and `types` of the chunks' columns. What the batch lacks is null. */
export function createBatchWriter(
  { columns }: ColumnBatch,
  names: readonly string[],
  types: readonly DuckDBType[],
): BatchWriter {
  const fillers = types.map((type, i) => createFiller(columns[names[i]], type))
  return {
    write(chunk, rows, from, count) {
      duckdb.data_chunk_set_size(chunk, count)
      fillers.forEach(({ fill }, i) => fill(duckdb.data_chunk_get_vector(chunk, i), rows, from, count))
    },
    release: () => fillers.forEach(({ release }) => release()),
  }
}

/** Rows of a batch at the end of a table, in their order or in the one given. All of them are in when it resolves. */
export async function insertBatch(
  connection: DuckDBConnection,
  table: string,
  batch: ColumnBatch,
  order: Uint32Array = allRows(batch.rowCount),
): Promise<void> {
  const empty = await connection.run(`SELECT * FROM ${quoteName(table)} LIMIT 0`)
  const types = empty.columnTypes()
  const appender = await connection.createAppender(table)
  const writer = createBatchWriter(batch, empty.columnNames(), types)
  try {
    for (let from = 0; from < order.length; from += VECTOR_ROWS) {
      // A chunk of its own each time: a list's vector keeps its items when a chunk is used again.
      const chunk = DuckDBDataChunk.create(types)
      writer.write(chunk.chunk, order, from, Math.min(VECTOR_ROWS, order.length - from))
      appender.appendDataChunk(chunk)
    }
    appender.closeSync()
  } catch (error) {
    throw translateDuckError(error)
  } finally {
    writer.release()
  }
}

export function allRows(count: number): Uint32Array {
  return new Uint32Array(count).map((_, row) => row)
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
