// A catalog whose tables are rows, each naming its table's current metadata file. A commit writes a new file and then
// swaps the name in the row, which must still be the one it was made for.
import { Failure } from '../../../contract/failure.ts'
import type { Clock } from '../../base/clock.ts'
import { applyUpdates, unmetRequirement } from '../iceberg/apply-updates.ts'
import type { TableMetadata } from '../iceberg/metadata.ts'
import type { FileIO } from '../io/file-io.ts'
import type { Catalog, LoadedTable, TableName } from './catalog.ts'
import { findCommitted, readMetadata, removeForgottenMetadata, removeQuietly, writeMetadata } from './metadata-file.ts'

/**
 * A `NotDone` from one that writes says that certainly nothing happened; after any other error it is looked up.
 */
export interface TableRows {
  list: (namespace: string) => Promise<string[]>
  find: (table: TableName) => Promise<string | undefined>
  /** False when there is one. Makes the namespace too. */
  insert: (table: TableName, location: string) => Promise<boolean>
  /** The compare-and-swap: false when the row does not say `from`. */
  swap: (table: TableName, from: string, to: string) => Promise<boolean>
  remove: (table: TableName) => Promise<boolean>
  close: () => Promise<void>
}

export class NotDone extends Error {
  constructor(cause: unknown) {
    super('nothing was written', { cause })
    this.name = 'NotDone'
  }
}

export interface RowCatalogOptions {
  about: string
  rows: TableRows
  io: FileIO
  /** Where a table goes whose metadata names no location. */
  warehouse: string
  clock: Clock
  /** What a row's error means to a user. */
  translate: (error: unknown) => unknown
}

export function createRowCatalog({ about, rows, io, warehouse, clock, translate }: RowCatalogOptions): Catalog {
  /** The last metadata of each table that was read or committed here: unchanged, a load costs one look at its row. */
  const known = new Map<string, LoadedTable>()

  function failed(error: unknown): never {
    throw translate(error instanceof NotDone ? error.cause : error)
  }
  const find = (table: TableName) => rows.find(table).catch(failed)

  function absent(table: TableName): Failure {
    known.delete(textOf(table))
    return new Failure('NOT_FOUND', `There is no table ${textOf(table)} in ${about}; create it first.`)
  }

  async function read(table: TableName, location: string, signal?: AbortSignal): Promise<LoadedTable> {
    const before = known.get(textOf(table))
    if (before?.metadataLocation === location) return before
    const loaded = await readMetadata(io, location, signal)
    known.set(textOf(table), loaded)
    return loaded
  }

  async function loadTable(table: TableName, signal?: AbortSignal): Promise<LoadedTable> {
    for (let missing: string | undefined; ;) {
      const location = await find(table)
      if (location === undefined) throw absent(table)
      try {
        return await read(table, location, signal)
      } catch (error) {
        if (!(error instanceof Failure && error.code === 'NOT_FOUND')) throw error
        // Unless another writer has moved on and cleared it away since the row was read.
        if (missing === location) throw metadataGone(table, about, location, error)
        missing = location
      }
    }
  }

  /** After an error on the way: whether it landed, as the row tells; `undefined` when nobody can say. */
  async function hasLanded(error: unknown, table: TableName, from: string | undefined, to: string) {
    if (error instanceof NotDone) return false
    const now = await rows.find(table).catch(() => null)
    if (now === to) return true
    return now === from ? false : undefined
  }

  return {
    about,
    async listTables(namespace) {
      const names = await rows.list(namespace).catch(failed)
      return names.map(name => ({ namespace, name }))
    },

    async createTable(table, metadata) {
      const exists = () =>
        new Failure('CONFLICT', `The table ${textOf(table)} exists already in ${about}; it was left as it is.`)
      if ((await find(table)) !== undefined) throw exists()
      const location = metadata.location || `${warehouse.replace(/\/+$/, '')}/${table.namespace}/${table.name}`
      const created = { ...metadata, location }
      // An empty table in the place of one with rows would make these look like leftovers, to be cleared away.
      const committed = await findCommitted(io, created)
      // Unless another process was faster, and has committed to it already.
      if (committed !== undefined)
        throw (await find(table)) === undefined ? occupied(table, about, location, committed) : exists()
      const metadataLocation = await writeMetadata(io, created)
      const inserted = await rows.insert(table, metadataLocation).catch(async (error: unknown) => {
        const landed = await hasLanded(error, table, undefined, metadataLocation)
        if (landed === false) await removeQuietly(io, metadataLocation)
        return landed || failed(error)
      })
      if (!inserted) {
        await removeQuietly(io, metadataLocation)
        throw exists()
      }
      const loaded = { metadata: created, metadataLocation }
      known.set(textOf(table), loaded)
      return loaded
    },

    loadTable,

    async commit(table, base, requirements, updates) {
      const location = await find(table)
      if (location === undefined) throw absent(table)
      const current = location === base.metadataLocation ? base : await loadTable(table)
      const unmet = unmetRequirement(current.metadata, requirements)
      if (unmet !== undefined) return { state: 'conflict', why: unmet }
      const from = current.metadataLocation
      let metadata: TableMetadata
      try {
        metadata = applyUpdates(current.metadata, updates, { nowMs: clock.nowMs(), previousLocation: from })
      } catch (error) {
        // A commit to another branch has used up the sequence number.
        if (error instanceof Failure && error.code === 'CONFLICT') return { state: 'conflict', why: error.message }
        throw error
      }
      const to = await writeMetadata(io, metadata, from)
      let swapped: boolean
      try {
        swapped = await rows.swap(table, from, to) // the commit point
      } catch (error) {
        const landed = await hasLanded(error, table, from, to)
        if (landed === undefined) return { state: 'unknown', cause: translate(error) }
        if (!landed) {
          await removeQuietly(io, to)
          failed(error)
        }
        swapped = true
      }
      if (!swapped) {
        await removeQuietly(io, to)
        if ((await find(table)) === from) throw inconsistent(table, about)
        return { state: 'conflict', why: `another writer committed to ${textOf(table)} first` }
      }
      const loaded = { metadata, metadataLocation: to }
      known.set(textOf(table), loaded)
      await removeForgottenMetadata(io, current.metadata, loaded)
      return { state: 'committed', table: loaded }
    },

    async dropTable(table) {
      if (!(await rows.remove(table).catch(failed))) throw absent(table)
      known.delete(textOf(table))
    },

    close: () => rows.close(),
  }
}

function textOf({ namespace, name }: TableName): string {
  return `${namespace}.${name}`
}

function occupied(table: TableName, about: string, location: string, metadata: string): Failure {
  return new Failure(
    'INVALID_INPUT',
    `${about[0].toUpperCase()}${about.slice(1)} has no table ${textOf(table)}, but ${location} holds one, with ${metadata}. ` +
      'Nothing was changed. Restore the catalog from a copy, or move that folder away to begin anew.',
  )
}

/** Or every writer would take it for a conflict, and try again without end. */
function inconsistent(table: TableName, about: string): Failure {
  return new Failure(
    'CORRUPT',
    `${about[0].toUpperCase()}${about.slice(1)} has the row of ${textOf(table)} but does not find it to change it: it is damaged. Nothing was changed. Restore it from a copy.`,
  )
}

function metadataGone(table: TableName, about: string, location: string, cause: unknown): Failure {
  return new Failure(
    'CORRUPT',
    `The metadata of ${textOf(table)} is gone: ${about} names ${location}, which is not there. Restore that file from a copy.`,
    { cause },
  )
}
