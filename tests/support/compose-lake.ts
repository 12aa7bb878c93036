// A lake put together from its parts, so that a test chooses its files, its catalog's rows and its clock.
import { TABLES, type TableId } from '../../src/contract/tables.ts'
import { systemClock, type Clock } from '../../src/main/base/clock.ts'
import { openDuck, type Duck } from '../../src/main/duck/open-duck.ts'
import type { Catalog } from '../../src/main/lake/catalog/catalog.ts'
import { memoryRows } from '../../src/main/lake/catalog/memory.ts'
import { createRowCatalog, type TableRows } from '../../src/main/lake/catalog/row-catalog.ts'
import type { FileIO } from '../../src/main/lake/io/file-io.ts'
import { memoryFiles, type MemoryFiles } from '../../src/main/lake/io/memory.ts'
import type { Lake } from '../../src/main/lake/lake.ts'
import { createTable, openTable } from '../../src/main/lake/open-table.ts'
import { createManifestCache } from '../../src/main/lake/read/manifest-cache.ts'

export const WAREHOUSE = 'file:///warehouse'

export interface LakeParts {
  io: FileIO
  duck: Duck
  /** Either the catalog itself, or the rows of one. */
  catalog?: Catalog
  rows?: TableRows
  clock?: Clock
  warehouse?: string
}

/** It has the tables that its catalog has; `init` makes the table of trades only. */
export function composeLake({
  io,
  duck,
  rows = memoryRows(),
  clock = systemClock,
  warehouse = WAREHOUSE,
  ...given
}: LakeParts): Lake {
  const catalog =
    given.catalog ??
    createRowCatalog({ about: 'the catalog of the test', rows, io, warehouse, clock, translate: error => error })
  const cache = createManifestCache()
  const ids = Object.keys(TABLES) as TableId[]
  const tables = new Map(ids.map(id => [id, openTable(id, { catalog, io, cache, clock })]))
  const table = (id: TableId) => tables.get(id)!
  return {
    warehouse,
    catalog,
    io,
    duck,
    openSorter: () => openDuck({ threads: 1 }),
    cache,
    table,
    async ensure() {
      const known = await catalog.listTables(table('trades').name.namespace)
      if (known.length === 0) await createTable(table('trades'), warehouse)
      return 'there'
    },
    async init() {
      await this.ensure('trades')
      return Object.fromEntries(ids.map(id => [id, 'there'])) as Record<TableId, 'there'>
    },
    close: () => io.close(),
  }
}

/** All that a lake on memory is: to begin many runs from the same state. */
export interface LakeState {
  files: MemoryFiles
  rows: TableRows
}

export function emptyState(nowMs?: () => number): LakeState {
  return { files: memoryFiles(nowMs), rows: memoryRows() }
}

export async function copyState({ files, rows }: LakeState, nowMs?: () => number): Promise<LakeState> {
  const copy = emptyState(nowMs)
  for (const location of files.locations()) copy.files.replace(location, await files.read(location))
  for (const name of await rows.list('market_data')) {
    const table = { namespace: 'market_data', name }
    await copy.rows.insert(table, (await rows.find(table))!)
  }
  return copy
}
