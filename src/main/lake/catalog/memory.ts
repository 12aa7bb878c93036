// A catalog in memory, for tests of what a commit may meet: conflicts, and answers that never come.
import { systemClock, type Clock } from '../../base/clock.ts'
import type { FileIO } from '../io/file-io.ts'
import type { Catalog, TableName } from './catalog.ts'
import { createRowCatalog, type TableRows } from './row-catalog.ts'

/** `unknown-applied` lands and does not say so, `unknown-not-applied` does not land and does not say so. */
export type CommitFault = 'conflict' | 'unknown-applied' | 'unknown-not-applied'

export interface MemoryCatalogOptions {
  io: FileIO
  warehouse?: string
  clock?: Clock
  /** Asked at each commit, counted from 1; a fault that is an error is thrown, and nothing lands. */
  fault?: (commit: number, table: TableName) => CommitFault | Error | undefined
}

export function memoryCatalog(options: MemoryCatalogOptions): Catalog {
  const { io, warehouse = '/warehouse', clock = systemClock, fault } = options
  const about = 'the catalog in memory'
  const catalog = createRowCatalog({ about, rows: memoryRows(), io, warehouse, clock, translate: error => error })
  let commits = 0
  return {
    ...catalog,
    async commit(table, base, requirements, updates) {
      const met = fault?.(++commits, table)
      if (met instanceof Error) throw met
      if (met === 'conflict') return { state: 'conflict', why: 'a conflict was asked for' }
      if (met === 'unknown-applied') await catalog.commit(table, base, requirements, updates)
      if (met !== undefined) return { state: 'unknown', cause: new Error('an unknown outcome was asked for') }
      return catalog.commit(table, base, requirements, updates)
    },
  }
}

export function memoryRows(): TableRows {
  const locations = new Map<string, Map<string, string>>()
  const tablesOf = (namespace: string) => locations.get(namespace) ?? new Map<string, string>()
  return {
    list: async namespace => [...tablesOf(namespace).keys()].sort(),
    find: async ({ namespace, name }) => tablesOf(namespace).get(name),
    async insert({ namespace, name }, location) {
      const tables = tablesOf(namespace)
      if (tables.has(name)) return false
      locations.set(namespace, tables.set(name, location))
      return true
    },
    async swap({ namespace, name }, from, to) {
      const tables = tablesOf(namespace)
      if (tables.get(name) !== from) return false
      tables.set(name, to)
      return true
    },
    remove: async ({ namespace, name }) => tablesOf(namespace).delete(name),
    close: async () => {},
  }
}
