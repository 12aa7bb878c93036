// What came and what went between two snapshots, row by row. Only files that one of them has and the other has not are
// read; rows that compaction merely wrote anew are in both and cancel out, one for one, by all of their columns.
import type { DuckDBConnection } from '@duckdb/node-api'
import { cellOf, type ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import { readBatch } from '../../duck/read-batch.ts'
import { runSql } from '../../duck/run-sql.ts'
import { MAIN, snapshotOf, type Snapshot, type TableMetadata } from '../iceberg/metadata.ts'
import type { Lake } from '../lake.ts'
import type { ScanFile } from '../read/file-index.ts'
import type { Filter } from '../read/filter.ts'
import { planScan, type ScanPlan } from '../read/plan-scan.ts'
import { requireSnapshot } from '../read/resolve-snapshot.ts'
import { openScan, type OpenScan } from '../read/scan.ts'
import { sqlName } from '../read/sql-literal.ts'
import type { LakeTable } from '../table.ts'
import { without } from './without.ts'

export interface DiffQuestion {
  /** The earlier snapshot and the later one. */
  a: string
  b: string
  limit: number
  offset: number
  /** Other rows are in neither snapshot; all are when left out. */
  filter?: Filter
  signal?: AbortSignal
  /** One of the lake's own, without a limit, when left out. */
  lend?: Lend
}

/** Does a piece of work on a connection that is its own for as long; the signal says when its time is over. */
export type Lend = <T>(
  work: (lent: { connection: DuckDBConnection; signal?: AbortSignal }) => Promise<T>,
  signal?: AbortSignal,
) => Promise<T>

export interface Difference {
  data: { added: number; removed: number; rows: ColumnBatch }
  total: number
  head: Snapshot
  /** Of the files of both snapshots: those that both have need not be read. */
  files: { total: number; pruned: number; read: number }
}

export async function diffSnapshots(lake: Lake, table: LakeTable, question: DiffQuestion): Promise<Difference> {
  const { a, b, signal, lend = lendOwn(lake) } = question
  const { metadata } = await table.load(signal)
  const [earlier, later] = [requireSnapshot(metadata, a), requireSnapshot(metadata, b)]
  if (!mayDescend(metadata, earlier, later)) throw notAncestor(table, a, b)
  const letGo = [table.pin(a), table.pin(b)]
  try {
    return await lend(lent => difference(lake, table, { ...question, metadata, later, ...lent }), signal)
  } finally {
    for (const release of letGo) release()
  }
}

function lendOwn({ duck }: Lake): Lend {
  return async (work, signal) => {
    const connection = await duck.connect()
    try {
      return await work({ connection, signal })
    } finally {
      connection.closeSync()
    }
  }
}

interface Comparison extends DiffQuestion {
  metadata: TableMetadata
  later: Snapshot
  connection: DuckDBConnection
}

async function difference(lake: Lake, table: LakeTable, comparison: Comparison): Promise<Difference> {
  const { a, b, filter = [], metadata, later, connection, signal } = comparison
  const opened: OpenScan[] = []
  const open = async (plan: ScanPlan, files: readonly ScanFile[]): Promise<string> => {
    const scan = await openScan({ plan: { ...plan, files, schema: toPlan.schema }, io: lake.io, connection, signal })
    opened.push(scan)
    return scan.sql()
  }
  const planOf = (snapshotId: string) =>
    planScan({ metadata, snapshotId, filter, io: lake.io, cache: lake.cache, signal })
  const [fromPlan, toPlan] = [await planOf(a), await planOf(b)]
  try {
    const [from, to] = [keyed(fromPlan), keyed(toPlan)]
    const [gone, come] = [without(from, to), without(to, from)]
    const [before, after] = [await open(fromPlan, gone), await open(toPlan, come)]
    await runSql(
      connection,
      `CREATE OR REPLACE TEMP TABLE difference AS
       (SELECT 'added' AS change, * FROM ((${after}) EXCEPT ALL (${before})))
       UNION ALL BY NAME (SELECT 'removed' AS change, * FROM ((${before}) EXCEPT ALL (${after})))`,
      signal,
    )
    const data = await readPage(connection, table, comparison)
    const total = new Set([...from.keys(), ...to.keys()]).size
    const read = gone.length + come.length
    return { data, total: data.added + data.removed, head: later, files: { total, pruned: total - read, read } }
  } catch (error) {
    let told = error
    for (const scan of opened) told = await scan.blame(told)
    throw told
  } finally {
    for (const scan of opened) scan.release()
    await dropDifference(connection)
  }
}

/** The connection may go on to others. What has broken it was said already, and then the table has gone with it. */
async function dropDifference(connection: DuckDBConnection): Promise<void> {
  await runSql(connection, 'DROP TABLE IF EXISTS temp.difference').catch(() => {})
}

async function readPage(
  connection: DuckDBConnection,
  table: LakeTable,
  { limit, offset, signal }: DiffQuestion,
): Promise<Difference['data']> {
  const counts = await readBatch(
    connection,
    `SELECT count(*) FILTER (WHERE change = 'added') AS added, count(*) FILTER (WHERE change = 'removed') AS removed FROM difference`,
    signal,
  )
  const { spec, sortOrder } = table.definition
  const names = spec.columns.map(({ name }) => name)
  const sorted = sortOrder.fields.map(field => names[field['source-id'] - 1])
  // To the last column, so that any page is the same one each time.
  const order = [...new Set(['change', ...sorted, ...names])].map(sqlName).join(', ')
  const columns = ['change', ...names].map(sqlName).join(', ')
  const rows = await readBatch(
    connection,
    `SELECT ${columns} FROM difference ORDER BY ${order} LIMIT ${limit} OFFSET ${offset}`,
    signal,
  )
  const count = (name: string) => Number(cellOf(counts.columns[name], 0))
  return { added: count('added'), removed: count('removed'), rows }
}

/** A file from which more rows were deleted since is another one. */
function keyed({ files }: ScanPlan): Map<string, ScanFile> {
  return new Map(
    files.map(scanFile => [
      JSON.stringify([scanFile.file.path, ...scanFile.deletes.map(({ path }) => path)]),
      scanFile,
    ]),
  )
}

/**
 * By the chain of parents; where expiry has broken it, by the order of commits, as long as the table has but one branch.
 */
function mayDescend(metadata: TableMetadata, ancestor: Snapshot, snapshot: Snapshot): boolean {
  for (let at: Snapshot | undefined = snapshot; at;) {
    if (at === ancestor) return true
    const parent: string | undefined = at['parent-snapshot-id']
    if (parent === undefined) return false
    const next = snapshotOf(metadata, parent)
    if (!next) break
    at = next
  }
  const branches = Object.entries(metadata.refs).filter(([name, { type }]) => type === 'branch' && name !== MAIN)
  return branches.length === 0 && ancestor['sequence-number'] < snapshot['sequence-number']
}

function notAncestor({ id }: LakeTable, a: string, b: string): Failure {
  return new Failure(
    'CONFLICT',
    `Snapshot ${b} of ${id} does not come after ${a}, so there is no difference to tell. Name the earlier one first.`,
  )
}
