// Batches as a Parquet file: into a table of a DuckDB of its own, which goes to disk where they are many, then written by it.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ColumnBatch } from '../../../contract/columns.ts'
import { insertBatch } from '../../duck/insert-batch.ts'
import { openDuck } from '../../duck/open-duck.ts'
import { quoteName, quoteText } from '../../duck/quote.ts'
import { runSql } from '../../duck/run-sql.ts'
import type { NamedType } from './arrow-schema.ts'
import { AS_PARQUET, readFileBytes } from './parquet-file.ts'

export interface ParquetPlace {
  /** There already; what is made in it is removed. */
  tempFolder: string
  signal?: AbortSignal
}

const MEMORY_MB = 64

export async function* writeParquet(
  batches: AsyncIterable<ColumnBatch>,
  columns: readonly NamedType[],
  { tempFolder, signal }: ParquetPlace,
): AsyncGenerator<Uint8Array, void> {
  const folder = mkdtempSync(join(tempFolder, 'parquet-'))
  const duck = await openDuck({ threads: 1, memoryMb: MEMORY_MB, tempFolder: join(folder, 'spill') })
  try {
    const file = join(folder, 'rows.parquet')
    const connection = await duck.connect()
    const declared = columns.map(({ name, type }) => `${quoteName(name)} ${type}`)
    await runSql(connection, `CREATE TABLE answer (${declared.join(', ')})`)
    for await (const batch of batches) await insertBatch(connection, 'answer', batch)
    await runSql(connection, `COPY answer TO ${quoteText(file)} (${AS_PARQUET})`, signal)
    yield* readFileBytes(file, signal)
  } finally {
    await duck.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
