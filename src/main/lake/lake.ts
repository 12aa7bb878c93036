// The lake: a catalog, a place for files, a DuckDB for rows, and the tables over them.
import { Failure } from '../../contract/failure.ts'
import { TABLES, type TableId } from '../../contract/tables.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import { openDuck, type Duck } from '../duck/open-duck.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import type { Catalog } from './catalog/catalog.ts'
import { openRestCatalog } from './catalog/rest.ts'
import { openSqlCatalog } from './catalog/sql.ts'
import type { FileIO } from './io/file-io.ts'
import { localFiles } from './io/local.ts'
import { canonicalLocation } from './io/location.ts'
import { routeFiles } from './io/route-files.ts'
import { s3Files, type S3Options } from './io/s3.ts'
import { offsetsAt } from './offsets.ts'
import { createTable, openTable } from './open-table.ts'
import { createManifestCache, type ManifestCache } from './read/manifest-cache.ts'
import type { LakeTable } from './table.ts'
import { NAMESPACE } from './tables.ts'
import { createVendedStorage } from './vended-storage.ts'

export const CATALOG_NAME = 'k2'

export type CatalogOptions =
  | { kind: 'sqlite'; file: string }
  | { kind: 'rest'; url: string; token?: string; credential?: string; warehouse?: string; caFile?: string }

export interface LakeOptions {
  /** A folder's path, or `s3://bucket/prefix`. */
  warehouse: string
  catalog: CatalogOptions
  s3: S3Options
  /** Where DuckDB spills to when a sort exceeds its memory. */
  tempFolder: string
  memoryMb?: number
  threads?: number
  clock?: Clock
  onCommit?: LakeTable['onCommit']
}

export interface Lake {
  readonly warehouse: string
  catalog: Catalog
  io: FileIO
  duck: Duck
  cache: ManifestCache
  table: (id: TableId) => LakeTable
  /** Creates one table where it is missing. */
  ensure: (id: TableId) => Promise<'created' | 'there'>
  /** Creates the tables that are missing; those that are there stay as they are. */
  init: () => Promise<Record<TableId, 'created' | 'there'>>
  close: () => Promise<void>
}

/** About 25,000 data files, bounds included. */
const MANIFEST_CACHE_BYTES = 128_000_000

const TABLE_IDS = Object.keys(TABLES) as TableId[]

export async function openLake(options: LakeOptions): Promise<Lake> {
  const { clock = systemClock, tempFolder, memoryMb, threads, onCommit } = options
  const { warehouse, storage, io, catalog } = await openStorage(options)
  const duck = await openDuck({ tempFolder, memoryMb, threads })
  const cache = createManifestCache({ maxBytes: MANIFEST_CACHE_BYTES })
  const tables = new Map(
    TABLE_IDS.map(id => [id, openTable(id, { catalog, io, cache, clock, onLoaded: storage.learn, onCommit })]),
  )
  const table = (id: TableId) => tables.get(id)!
  return {
    warehouse,
    catalog,
    io,
    duck,
    cache,
    table,
    ensure: id => ensureTable(table(id), warehouse),
    async init() {
      const states = await Promise.all(
        TABLE_IDS.map(async id => [id, await ensureTable(table(id), warehouse)] as const),
      )
      return Object.fromEntries(states) as Record<TableId, 'created' | 'there'>
    },
    async close() {
      await duck.close()
      await catalog.close()
      await io.close()
    },
  }
}

export interface LakeHeads {
  /** How far the log is in a table; nothing where there is no such table. */
  offsets: (id: TableId, signal?: AbortSignal) => Promise<OffsetVector | undefined>
  close: () => Promise<void>
}

/** Only what says how far the log is in the tables: without DuckDB, for those who follow and do not read rows. */
export async function openLakeHeads(options: Pick<LakeOptions, 'warehouse' | 'catalog' | 's3'>): Promise<LakeHeads> {
  const { io, catalog } = await openStorage(options)
  return {
    async offsets(id, signal) {
      try {
        const { metadata } = await catalog.loadTable({ namespace: NAMESPACE, name: id }, signal)
        return offsetsAt(metadata)
      } catch (error) {
        if (error instanceof Failure && error.code === 'NOT_FOUND') return undefined
        throw error
      }
    },
    async close() {
      await catalog.close()
      await io.close()
    },
  }
}

async function openStorage(options: Pick<LakeOptions, 'warehouse' | 'catalog' | 's3'>) {
  const warehouse = locationOf(options.warehouse)
  const storage = createVendedStorage(options.s3)
  const io: FileIO = routeFiles(localFiles(), {
    scopeOf: storage.scopeOf,
    open: scope => s3Files(storage.options(scope)),
  })
  const catalog = await openCatalog(options.catalog, io, warehouse)
  return { warehouse, storage, io, catalog }
}

function openCatalog(catalog: CatalogOptions, io: FileIO, warehouse: string): Promise<Catalog> | Catalog {
  if (catalog.kind === 'rest') return openRestCatalog(catalog)
  return openSqlCatalog({ file: catalog.file, name: CATALOG_NAME, io, warehouse })
}

async function ensureTable(table: LakeTable, warehouse: string): Promise<'created' | 'there'> {
  try {
    await table.load()
    return 'there'
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'NOT_FOUND')) throw error
  }
  try {
    await createTable(table, warehouse)
    return 'created'
  } catch (error) {
    // Another process was faster.
    if (!(error instanceof Failure && error.code === 'CONFLICT')) throw error
    await table.load()
    return 'there'
  }
}

/** As it stands in metadata: other engines want a scheme. */
function locationOf(warehouse: string): string {
  return canonicalLocation(warehouse).replace(/\/+$/, '')
}
