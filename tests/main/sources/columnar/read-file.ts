// Columnar files in a test: written by DuckDB or Arrow, loaded whole, seen as rows.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { rowsOf, type ColumnBatch, type Row } from '../../../../src/contract/columns.ts'
import { openDuck } from '../../../../src/main/duck/open-duck.ts'
import { streamBatches } from '../../../../src/main/duck/read-batch.ts'
import type { BadRow } from '../../../../src/main/sources/file-source.ts'
import { openColumnarFile, type ColumnarOptions } from '../../../../src/main/sources/columnar/open-columnar.ts'
import type { ReadParquet } from '../../../../src/main/sources/columnar/read-parquet.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

export const LOADED_AT = Date.UTC(2026, 0, 2, 3, 4, 5) * 1000

export interface Loaded {
  batches: ColumnBatch[]
  rows: Row[]
  bad: readonly BadRow[]
}

async function openDuckForTest() {
  const duck = await openDuck({ threads: 1 })
  onTestFinished(() => duck.close())
  const connection = await duck.connect()
  const readParquet: ReadParquet = (sql, signal) => streamBatches(connection, sql, { signal })
  return { connection, readParquet }
}

/** A Parquet file of a SELECT. */
export async function parquetOf(select: string, options = ''): Promise<{ path: string; readParquet: ReadParquet }> {
  const { connection, readParquet } = await openDuckForTest()
  const path = join(makeTempFolder(), 'rows.parquet')
  await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet${options})`)
  return { path, readParquet }
}

export function fileOf(bytes: Uint8Array, name: string): string {
  const path = join(makeTempFolder(), name)
  writeFileSync(path, bytes)
  return path
}

const unused: ReadParquet = () => {
  throw new Error('DuckDB is not asked for an Arrow file')
}

export function optionsOf(options: Partial<ColumnarOptions> = {}): ColumnarOptions {
  return { table: 'trades', exchange: 'asx', loadedAtMicros: LOADED_AT, readParquet: unused, ...options }
}

export async function load(path: string, options: Partial<ColumnarOptions> = {}): Promise<Loaded> {
  const { signal } = new AbortController()
  const source = await openColumnarFile(path, optionsOf(options), signal)
  const loaded: Loaded = { batches: [], rows: [], bad: [] }
  for await (const { batch, badRows } of source!.read(signal)) {
    if (batch) loaded.batches.push(batch)
    loaded.bad = [...loaded.bad, ...badRows]
  }
  loaded.rows = loaded.batches.flatMap(rowsOf)
  return loaded
}
