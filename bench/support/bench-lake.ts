// Lakes for benchmarks: in a folder of their own, gone afterwards, or one that stays.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ColumnBatch } from '../../src/contract/columns.ts'
import { TABLES } from '../../src/contract/tables.ts'
import { commitChange, type Committed } from '../../src/main/lake/commit/commit-change.ts'
import { headOf } from '../../src/main/lake/iceberg/metadata.ts'
import { localPath } from '../../src/main/lake/io/location.ts'
import { openLake, type Lake, type LakeOptions } from '../../src/main/lake/lake.ts'
import { planScan } from '../../src/main/lake/read/plan-scan.ts'
import { stageBatches } from '../../src/main/lake/write/stage-batches.ts'

/** As the product opens it: the same memory, all cores. */
export const LAKE_MEMORY_MB = 384

export function localLakeOptions(folder: string): LakeOptions {
  const warehouse = join(folder, 'warehouse')
  return {
    warehouse,
    catalog: { kind: 'sqlite', file: join(warehouse, 'catalog.db') },
    s3: {},
    tempFolder: join(folder, 'spill'),
    memoryMb: LAKE_MEMORY_MB,
  }
}

/** PyIceberg's settings of the same catalog. */
export function catalogFor(folder: string): Record<string, string> {
  const warehouse = join(folder, 'warehouse')
  return {
    name: 'k2',
    type: 'sql',
    uri: `sqlite:///${join(warehouse, 'catalog.db')}`,
    warehouse: `file://${warehouse}`,
  }
}

export async function inTempFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'k2-bench-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function withLake<T>(options: LakeOptions, work: (lake: Lake) => Promise<T>): Promise<T> {
  const lake = await openLake(options)
  try {
    await lake.init()
    return await work(lake)
  } finally {
    await lake.close()
  }
}

/** Spec 0 is the one of a stream's small commits, spec 1 that of imports and compaction. */
export async function appendTrades(lake: Lake, batches: readonly ColumnBatch[], specId: number): Promise<Committed> {
  const table = lake.table('trades')
  const { metadata } = await table.load()
  const connection = await lake.duck.connect()
  try {
    const added = await stageBatches({ connection, io: lake.io, metadata, specId, spec: TABLES.trades, batches })
    return await commitChange(table, { operation: 'append', added })
  } finally {
    connection.closeSync()
  }
}

/** Those of the head, with the paths that other programs read them at. */
export async function dataFiles({ io, cache, table }: Lake): Promise<readonly { path: string; bytes: number }[]> {
  const { metadata } = await table('trades').load()
  const snapshotId = headOf(metadata)!['snapshot-id']
  const { files } = await planScan({ metadata, snapshotId, filter: [], io, cache })
  return files.map(({ file }) => ({ path: localPath(file.path), bytes: file.fileBytes }))
}

export function bytesOf(files: readonly { bytes: number }[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0)
}
