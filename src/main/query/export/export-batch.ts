// Rows that are here already, as the bytes of a file.
import { tmpdir } from 'node:os'
import type { ColumnBatch } from '../../../contract/columns.ts'
import { duckTypeOf } from './duck-types.ts'
import { exportRows } from './export-rows.ts'
import { writeParquet } from './write-parquet.ts'

export async function* exportBatch(batch: ColumnBatch, format: 'arrow' | 'parquet'): AsyncGenerator<Uint8Array, void> {
  const columns = Object.entries(batch.columns).map(([name, column]) => ({ name, type: duckTypeOf(column) }))
  if (format === 'parquet') yield* writeParquet(only(batch), columns, { tempFolder: tmpdir() })
  else yield* exportRows(only(batch), columns, format)
}

async function* only(batch: ColumnBatch): AsyncGenerator<ColumnBatch, void> {
  yield batch
}
