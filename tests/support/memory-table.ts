// A table of the lake on memory alone, so that a test can let any step of a commit fail.
import { systemClock, type Clock } from '../../src/main/base/clock.ts'
import type { TableId } from '../../src/contract/tables.ts'
import { memoryCatalog, type MemoryCatalogOptions } from '../../src/main/lake/catalog/memory.ts'
import type { Catalog } from '../../src/main/lake/catalog/catalog.ts'
import type { DataFile } from '../../src/main/lake/iceberg/data-file.ts'
import { headOf } from '../../src/main/lake/iceberg/metadata.ts'
import type { FileIO } from '../../src/main/lake/io/file-io.ts'
import { memoryFiles, type MemoryFiles } from '../../src/main/lake/io/memory.ts'
import { createTable, openTable, type TableContext } from '../../src/main/lake/open-table.ts'
import { createManifestCache } from '../../src/main/lake/read/manifest-cache.ts'
import type { LakeTable } from '../../src/main/lake/table.ts'

interface Elsewhere {
  io?: FileIO
  clock?: Clock
  catalog?: Catalog
  pins?: TableContext['pins']
}

export interface MemoryTable {
  table: LakeTable
  files: MemoryFiles
  catalog: Catalog
  /** Another process's view of the same table. */
  elsewhere: (options?: Elsewhere) => LakeTable
  /** Gives a staged file its bytes, as far as a commit looks at them: not at all. */
  stage: (name: string, rows?: number, day?: number) => Promise<DataFile>
}

export async function memoryTable(
  fault?: MemoryCatalogOptions['fault'],
  {
    id = 'trades',
    wrap = io => io,
    clock = systemClock,
  }: { id?: TableId; wrap?: (io: FileIO) => FileIO; clock?: Clock } = {},
): Promise<MemoryTable> {
  const files = memoryFiles()
  const catalog = memoryCatalog({ io: files, fault, clock })
  const open = ({ io = files, clock: own = clock, catalog: other = catalog, pins }: Elsewhere = {}) =>
    openTable(id, { catalog: other, io, cache: createManifestCache(), clock: own, pins })
  await createTable(open(), 'file:///warehouse')
  return {
    table: open({ io: wrap(files) }),
    files,
    catalog,
    elsewhere: open,
    async stage(name, rows = 10, day = 20_000) {
      const path = `file:///warehouse/market_data/${id}/data/${name}.parquet`
      await files.write(path, new Uint8Array(rows))
      return {
        content: 'data',
        path,
        format: 'PARQUET',
        specId: 0,
        partition: [day],
        recordCount: rows,
        fileBytes: rows,
        sortOrderId: 1,
      }
    },
  }
}

/** Names of the files that the head holds. */
export async function liveFiles(table: LakeTable): Promise<string[]> {
  const loaded = await table.load()
  const manifests = await table.manifests(headOf(loaded.metadata))
  const entries = await Promise.all(manifests.map(manifest => table.entries(manifest, loaded)))
  return entries
    .flat()
    .filter(({ status }) => status !== 'deleted')
    .map(({ file }) => file.path.replace(/.*\//, ''))
    .sort()
}
