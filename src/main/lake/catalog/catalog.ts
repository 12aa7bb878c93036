// The seam between the lake and whatever knows which metadata is a table's current one: a SQL catalog, a REST
// catalog, memory. A commit is one compare-and-swap: it lands whole, or nothing of it is visible.
import type { Requirement, TableMetadata, Update } from '../iceberg/metadata.ts'

export interface TableName {
  namespace: string
  name: string
}

export interface LoadedTable {
  metadata: TableMetadata
  metadataLocation: string
  /** Storage credentials and the like, as a REST catalog vends them. */
  config?: Readonly<Record<string, string>>
}

/** How a commit ended. `unknown`: the connection broke or the server failed on the way, it may have landed. */
export type CommitOutcome =
  { state: 'committed'; table: LoadedTable } | { state: 'conflict'; why: string } | { state: 'unknown'; cause: unknown }

export interface Catalog {
  /** For messages: `the SQL catalog /…/catalog.db`, `the REST catalog http://…`. */
  readonly about: string
  listTables(namespace: string): Promise<TableName[]>
  /** Creates the namespace too. A table that exists is CONFLICT. `location` is decided by a REST catalog itself. */
  createTable(name: TableName, metadata: TableMetadata): Promise<LoadedTable>
  /** NOT_FOUND when there is none. */
  loadTable(name: TableName, signal?: AbortSignal): Promise<LoadedTable>
  /** `base` is what the updates were made for; requirements are checked against what is current at that moment. */
  commit(
    name: TableName,
    base: LoadedTable,
    requirements: readonly Requirement[],
    updates: readonly Update[],
  ): Promise<CommitOutcome>
  dropTable(name: TableName): Promise<void>
  close(): Promise<void>
}
