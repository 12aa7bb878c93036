// Rows of a table that are here already, as the bytes of a file.
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CellType, Column, ColumnBatch } from '../../../contract/columns.ts'
import { insertBatch } from '../../duck/insert-batch.ts'
import { openDuck } from '../../duck/open-duck.ts'
import { quoteName, quoteText } from '../../duck/quote.ts'
import { runSql } from '../../duck/run-sql.ts'
import type { NamedType } from './arrow-schema.ts'
import { exportRows } from './export-rows.ts'

const DUCK_TYPES: Record<CellType, string> = {
  string: 'VARCHAR',
  enum: 'VARCHAR',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  decimal: 'DECIMAL(18,8)',
  long: 'BIGINT',
  int: 'INTEGER',
  boolean: 'BOOLEAN',
  date: 'DATE',
  list: 'VARCHAR[]',
  map: 'MAP(VARCHAR, VARCHAR)',
  bytes: 'BLOB',
  double: 'DOUBLE',
}

export async function* exportBatch(batch: ColumnBatch, format: 'arrow' | 'parquet'): AsyncGenerator<Uint8Array, void> {
  const columns = Object.entries(batch.columns).map(([name, column]) => ({ name, type: typeOf(column) }))
  if (format === 'parquet') yield await parquetOf(batch, columns)
  else yield* exportRows(only(batch), columns, format)
}

function typeOf({ type, scale = 0 }: Column): string {
  return type === 'decimal' && scale > 8 ? `DECIMAL(38,${scale})` : DUCK_TYPES[type]
}

async function* only(batch: ColumnBatch): AsyncGenerator<ColumnBatch, void> {
  yield batch
}

async function parquetOf(batch: ColumnBatch, columns: readonly NamedType[]): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'k2-rows-'))
  const duck = await openDuck({ threads: 1 })
  try {
    const file = join(folder, 'rows.parquet')
    const connection = await duck.connect()
    const declared = columns.map(({ name, type }) => `${quoteName(name)} ${type}`)
    await runSql(connection, `CREATE TABLE answer (${declared.join(', ')})`)
    await insertBatch(connection, 'answer', batch)
    await runSql(connection, `COPY answer TO ${quoteText(file)} (FORMAT parquet, COMPRESSION zstd)`)
    return await readFile(file)
  } finally {
    await duck.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
