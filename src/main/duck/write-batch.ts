// Chosen rows of a column batch into DuckDB's chunks.
import type { DuckDBType } from '@duckdb/node-api'
import duckdb, { type DataChunk } from '@duckdb/node-bindings'
import type { ColumnBatch } from '../../contract/columns.ts'
import { createFiller, type VectorFiller } from './fill-vector.ts'

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
  return writeWith(types.map((type, i) => createFiller(columns[names[i]], type)))
}

export function writeWith(fillers: readonly VectorFiller[]): BatchWriter {
  return {
    write(chunk, rows, from, count) {
      duckdb.data_chunk_set_size(chunk, count)
      fillers.forEach(({ fill }, i) => fill(duckdb.data_chunk_get_vector(chunk, i), rows, from, count))
    },
    release: () => fillers.forEach(({ release }) => release()),
  }
}
