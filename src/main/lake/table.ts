// One Iceberg table as the lake's parts see it: where its metadata and files are, and what is known of them.
import type { Clock } from '../base/clock.ts'
import type { TableId } from '../../contract/tables.ts'
import type { Catalog, LoadedTable, TableName } from './catalog/catalog.ts'
import type { ManifestEntry, ManifestFile } from './iceberg/data-file.ts'
import type { Operation, Snapshot } from './iceberg/metadata.ts'
import type { FileIO } from './io/file-io.ts'
import type { Pins } from './pins.ts'
import type { TableDefinition } from './tables.ts'

export interface CommitEvent {
  table: TableId
  operation: Operation
  /** Rows in the files that came. */
  rows: number
  elapsedMs: number
  attempts?: number
  error?: unknown
}

export interface LakeTable {
  id: TableId
  name: TableName
  definition: TableDefinition
  catalog: Catalog
  io: FileIO
  clock: Clock
  /** What was current when this process last looked; a commit made for it conflicts when that is no longer true. */
  known: () => Promise<LoadedTable>
  /** What is current now. */
  load: (signal?: AbortSignal) => Promise<LoadedTable>
  /** Takes note of what a commit made current. */
  learn: (loaded: LoadedTable) => void
  /** Sees how each commit made here ended. */
  onCommit: (commit: CommitEvent) => void
  manifests: (snapshot: Snapshot | undefined, signal?: AbortSignal) => Promise<readonly ManifestFile[]>
  entries: (manifest: ManifestFile, loaded: LoadedTable, signal?: AbortSignal) => Promise<readonly ManifestEntry[]>
  /** Who reads which snapshots, here and in other processes. */
  pins: Pins
  pin: Pins['pin']
  /** One commit at a time: those of one process need not conflict with each other. */
  inTurn: <T>(work: () => Promise<T>) => Promise<T>
}
