// Column batches into a table of DuckDB.
import { DuckDBDataChunk, type DuckDBConnection } from '@duckdb/node-api'
import type { ColumnBatch } from '../../contract/columns.ts'
import { translateDuckError } from './failures.ts'
import { VECTOR_ROWS } from './fill-vector.ts'
import { quoteName } from './quote.ts'
import { createBatchWriter } from './write-batch.ts'

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
