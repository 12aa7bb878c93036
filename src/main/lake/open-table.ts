// A table of the lake, with what this process knows of it: its last metadata, and decoded manifests.
import { Failure } from '../../contract/failure.ts'
import type { TableId } from '../../contract/tables.ts'
import type { Clock } from '../base/clock.ts'
import type { Catalog, LoadedTable } from './catalog/catalog.ts'
import { newTableMetadata } from './iceberg/new-table.ts'
import type { FileIO } from './io/file-io.ts'
import type { ManifestCache } from './read/manifest-cache.ts'
import { createPins, type PinOptions } from './pins.ts'
import type { LakeTable } from './table.ts'
import { definitionOf, NAMESPACE } from './tables.ts'

export interface TableContext {
  catalog: Catalog
  io: FileIO
  cache: ManifestCache
  clock: Clock
  /** Sees every state of the table that is loaded or committed here. */
  onLoaded?: (loaded: LoadedTable) => void
  onCommit?: LakeTable['onCommit']
  /** How soon and how often others are told, where not as usual. */
  pins?: Partial<PinOptions>
}

export function openTable(id: TableId, context: TableContext): LakeTable {
  const { catalog, io, cache, clock, onLoaded = () => {}, onCommit = () => {} } = context
  const name = { namespace: NAMESPACE, name: id }
  let known: LoadedTable | undefined
  let turn: Promise<unknown> = Promise.resolve()
  const pins = createPins({ io, location: () => known?.metadata.location, ...context.pins })
  async function load(signal?: AbortSignal): Promise<LoadedTable> {
    try {
      return await catalog.loadTable(name, signal)
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'NOT_FOUND')) throw error
      const message = `There is no table ${id} in ${catalog.about} yet. Make the tables with \`k2 lake init\`, or load a file.`
      throw new Failure('NOT_FOUND', message, { cause: error })
    }
  }

  function learn(loaded: LoadedTable): LoadedTable {
    onLoaded(loaded)
    return (known = loaded)
  }

  return {
    id,
    name,
    definition: definitionOf(id),
    catalog,
    io,
    clock,
    known: async () => known ?? learn(await load()),
    load: async signal => learn(await load(signal)),
    learn,
    onCommit,
    manifests: async (snapshot, signal) => (snapshot ? cache.manifests(snapshot['manifest-list'], { io, signal }) : []),
    entries: (manifest, { metadata }, signal) => cache.entries(manifest, { io, metadata, signal }),
    pins,
    pin: pins.pin,
    inTurn<T>(work: () => Promise<T>): Promise<T> {
      const mine = turn.then(work)
      turn = mine.catch(() => {})
      return mine
    },
  }
}

/** What a new table of ours starts with; other engines obey these too. */
const PROPERTIES = {
  'write.parquet.compression-codec': 'zstd',
  'write.metadata.delete-after-commit.enabled': 'true',
  'write.metadata.previous-versions-max': '100',
}

/** Creates the table; its place is the catalog's to choose where it does so itself. */
export async function createTable(table: LakeTable, warehouse: string): Promise<LoadedTable> {
  const { schema, partitionSpecs, sortOrder, lastColumnId } = table.definition
  const location = `${warehouse}/${table.name.namespace}/${table.name.name}`
  const nowMs = table.clock.nowMs()
  const metadata = newTableMetadata({
    location,
    schema,
    partitionSpecs,
    sortOrder,
    lastColumnId,
    properties: PROPERTIES,
    nowMs,
  })
  const created = await table.catalog.createTable(table.name, metadata)
  table.learn(created)
  return created
}
