// What replays are made with. The functions are those of queries, handed in, so that both mean the same.
import type { Client } from '../../contract/capability.ts'
import type { PastState, QueryMeta } from '../../contract/fields.ts'
import type { TailTable } from '../../contract/tables.ts'
import type { Clock } from '../base/clock.ts'
import type { FileCounts, SnapshotChoice, TableAt } from '../lake/reads.ts'
import type { tailContract } from '../tail/relay-contract.ts'
import type { ReadTools } from './row-source.ts'

export interface PageCursors {
  sign: (place: PagePlace, query: string) => string
  open: (cursor: string, query: string) => PagePlace
}

/** Where a page of rows ended, and of which snapshot. */
export interface PagePlace {
  snapshot: string
  micros: number
  skip: number
}

export interface ReplayTools extends ReadTools {
  /** The process that holds the live view. */
  live: () => Promise<Client<typeof tailContract>>
  clock: Clock
  cursors: PageCursors
  microsOf: (text: string, field: string) => number
  choiceOf: (past: PastState) => SnapshotChoice | undefined
  /** A table as it was then: a snapshot of another table means the moment it was committed. */
  stateOf: (reads: ReadTools['reads'], table: TailTable, past: PastState, signal?: AbortSignal) => Promise<TableAt>
  metaOf: (share: { at: TableAt; files: FileCounts; rows: number; startedMs: number }) => QueryMeta
}
