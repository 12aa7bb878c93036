// The lake as queries see it: which snapshot of a table is meant, and its rows as SQL over the files that hold them.
import type { DuckDBConnection } from '@duckdb/node-api'
import { Failure } from '../../contract/failure.ts'
import { TABLES, type TableId } from '../../contract/tables.ts'
import { COLUMN_TYPES } from '../duck/column-types.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import type { Snapshot, TableMetadata } from './iceberg/metadata.ts'
import type { Lake } from './lake.ts'
import { lineOf } from './line.ts'
import { offsetsOf, validThroughOf } from './offsets.ts'
import { columnExtent } from './read/extent.ts'
import type { ScanFile } from './read/file-index.ts'
import type { Filter } from './read/filter.ts'
import { planScan } from './read/plan-scan.ts'
import { resolveSnapshot, type SnapshotChoice } from './read/resolve-snapshot.ts'
import { openScan } from './read/scan.ts'
import { sqlName } from './read/sql-literal.ts'

export type { Condition, Filter } from './read/filter.ts'
export type { SnapshotChoice } from './read/resolve-snapshot.ts'

/** A table as it was after one commit. Its rows never change. */
export interface TableAt {
  table: TableId
  /** Nothing where the table is not there yet, or was never written to. */
  snapshotId: string | undefined
  committedMicros: number | undefined
  /** Every record up to here is in it; nothing where no log is behind it. */
  validThroughMicros: number | undefined
  /** How far the log is in it. */
  offsets: OffsetVector | undefined
}

/** The newest snapshot of a table, as one sees it who adds what the log has beyond it. */
export interface TableHead extends TableAt {
  /** How far the log is in it, also after a commit of another engine; nothing where nobody knows. */
  knownOffsets: OffsetVector | undefined
  /** Those offsets tell which rows of the log are in it and which are not. */
  isCertain: boolean
  /** Whether nothing but the stream's own rows, and rows written anew, came after a snapshot. */
  goesOnFrom: (snapshotId: string) => boolean
}

export interface FileCounts {
  total: number
  pruned: number
  read: number
}

/** Files of a snapshot, ready on this machine until `release`. */
export interface OpenRows {
  files: FileCounts
  /** A SELECT of the passing rows, in no order, for use in a larger one. All columns when left out. */
  sql: (columns?: readonly string[], numbered?: string) => string
  /** Where `numbered` names a first column, it is the place here of a row's file. Without deletes rows come in that order. */
  order: readonly ScanFile[]
  /** The files on this machine that the SELECT reads, and no others. */
  paths: readonly string[]
  /** Says which file it was when an error of a query over `sql` came from one. */
  blame: (error: unknown) => Promise<unknown>
  release: () => void
}

export interface RowsQuestion {
  filter: Filter
  /** What will be read, to be checked now; all columns when left out. */
  columns?: readonly string[]
  /** Of the files that may hold passing rows, only these. */
  isWanted?: (file: ScanFile) => boolean
}

export interface LakeReads {
  /** The newest snapshot when no other is chosen; SNAPSHOT_NOT_FOUND names what there is. */
  at: (table: TableId, choice?: SnapshotChoice, signal?: AbortSignal) => Promise<TableAt>
  head: (table: TableId, signal?: AbortSignal) => Promise<TableHead>
  /** The snapshot and its ancestors, newest first, with what each did. */
  history: (table: TableId, signal?: AbortSignal) => Promise<readonly (TableAt & { operation: string })[]>
  /** The files that may hold passing rows: what is there to be read, without reading it. */
  plan: (at: TableAt, question: RowsQuestion, signal?: AbortSignal) => Promise<readonly ScanFile[]>
  /** Of those files, between which values of a column of times their rows lie. */
  spans: (at: TableAt, question: RowsQuestion, column: string, signal?: AbortSignal) => Promise<readonly FileSpan[]>
  open: (at: TableAt, question: RowsQuestion, connection: DuckDBConnection, signal?: AbortSignal) => Promise<OpenRows>
}

export interface FileSpan {
  rows: number
  /** Both included; infinite where the file does not say. */
  fromMicros: number
  toMicros: number
}

export function lakeReads(lake: Lake): LakeReads {
  async function metadataOf(id: TableId, signal?: AbortSignal): Promise<TableMetadata | undefined> {
    try {
      return (await lake.table(id).load(signal)).metadata
    } catch (error) {
      // A table that is not there has no rows. What else is wrong is an error.
      if (error instanceof Failure && error.code === 'NOT_FOUND') return undefined
      throw error
    }
  }

  async function planOf({ table, snapshotId }: TableAt, question: RowsQuestion, signal?: AbortSignal) {
    const metadata = await metadataOf(table, signal)
    if (!metadata || snapshotId === undefined) return undefined
    const { filter, columns, isWanted } = question
    const { io, cache } = lake
    const plan = await planScan({ metadata, snapshotId, filter, columns, io, cache, signal })
    if (!isWanted) return plan
    const files = plan.files.filter(isWanted)
    const { total } = plan.counts
    return { ...plan, files, counts: { total, pruned: total - files.length, read: files.length } }
  }

  return {
    async at(table, choice, signal) {
      const metadata = await metadataOf(table, signal)
      if (metadata) return stateOf(table, resolveSnapshot(metadata, choice))
      if (choice) throw noTable(table, choice)
      return stateOf(table, undefined)
    },
    async head(table, signal) {
      const metadata = await metadataOf(table, signal)
      if (!metadata) return { ...stateOf(table, undefined), knownOffsets: [], isCertain: true, goesOnFrom: () => false }
      const { head, offsets: knownOffsets, ...line } = lineOf(metadata)
      return { ...stateOf(table, head), knownOffsets, ...line }
    },
    async history(table, signal) {
      const metadata = await metadataOf(table, signal)
      if (!metadata) return []
      const byId = new Map(metadata.snapshots.map(snapshot => [snapshot['snapshot-id'], snapshot]))
      const line: (TableAt & { operation: string })[] = []
      for (let one = resolveSnapshot(metadata); one; one = byId.get(one['parent-snapshot-id'] ?? '')) {
        line.push({ ...stateOf(table, one), operation: one.summary.operation })
        byId.delete(one['snapshot-id'])
      }
      return line
    },
    plan: async (at, question, signal) => (await planOf(at, question, signal))?.files ?? [],
    async spans(at, question, column, signal) {
      const plan = await planOf(at, question, signal)
      const field = plan?.schema.fields.find(({ name }) => name === column)
      if (!plan || !field) return []
      const files = plan.files.map(({ file }) => file)
      const { lower, upper } = columnExtent(files, field.id, 'time')
      return files.map(({ recordCount: rows }, i) => ({ rows, fromMicros: lower[i], toMicros: upper[i] }))
    },
    async open(at, question, connection, signal) {
      const plan = await planOf(at, question, signal)
      if (!plan) return noRows(at.table)
      const letGo = lake.table(at.table).pin(plan.snapshotId)
      try {
        const scan = await openScan({ plan, io: lake.io, connection, signal })
        const release = () => {
          scan.release()
          letGo()
        }
        const { sql, order, paths, blame } = scan
        return { files: plan.counts, sql, order, paths, blame, release }
      } catch (error) {
        letGo()
        throw error
      }
    },
  }
}

function stateOf(table: TableId, snapshot: Snapshot | undefined): TableAt {
  return {
    table,
    snapshotId: snapshot?.['snapshot-id'],
    committedMicros: snapshot && snapshot['timestamp-ms'] * 1000,
    validThroughMicros: snapshot && validThroughOf(snapshot),
    offsets: snapshot && offsetsOf(snapshot),
  }
}

function noRows(table: TableId): OpenRows {
  const types = new Map(TABLES[table].columns.map(({ name, type }) => [name, COLUMN_TYPES[type]]))
  return {
    files: { total: 0, pruned: 0, read: 0 },
    paths: [],
    order: [],
    sql: (columns = [...types.keys()], numbered) => {
      const cells = columns.map(name => `NULL::${types.get(name) ?? 'VARCHAR'} AS ${sqlName(name)}`)
      const own = numbered === undefined ? [] : [`NULL::INTEGER AS ${sqlName(numbered)}`]
      return `SELECT ${[...own, ...cells].join(', ')} LIMIT 0`
    },
    blame: error => Promise.resolve(error),
    release() {},
  }
}

function noTable(table: TableId, choice: SnapshotChoice): Failure {
  const message = `There is no table ${table} yet, and so no snapshot of it.`
  return new Failure('SNAPSHOT_NOT_FOUND', message, { details: { before_first: 'asOfMicros' in choice } })
}
