// The newest rows of one snapshot in a span of time, kept decoded: a snapshot never changes, so nothing is invalidated,
// and one that is asked again and again is read once.
import { emptyBatch, type ColumnBatch } from '../../../contract/columns.ts'
import { TAIL_TABLES, type ColumnSpec } from '../../../contract/tables.ts'
import { quoteName } from '../../duck/quote.ts'
import { readBatch } from '../../duck/read-batch.ts'
import type { Condition, FileCounts, TableAt } from '../../lake/reads.ts'
import { createBoundedCache, type BoundedCache } from '../blocks/bounded-cache.ts'
import { bytesOfColumn } from '../blocks/combine-columns.ts'
import type { QueryTools } from '../tools.ts'
import type { HybridQuestion } from './question.ts'

export interface Window {
  /** Ascending in the total order. */
  rows: ColumnBatch
  files: FileCounts
  /** Earlier rows are not in it. */
  sinceMicros: number
  /** It has the newest so many; all when it has fewer. */
  mostRows: number
  bytes: number
}

export interface LakeWindows {
  /** The newest rows that the question may need. */
  read: (at: TableAt, question: HybridQuestion, signal?: AbortSignal) => Promise<{ window: Window; isHeld: boolean }>
}

const MAX_BYTES = 96 * 1024 * 1024
/** So that a larger limit than before is seldom a reason to read again. */
const SIZES = [1_000, 10_000]

export function lakeWindows(tools: Pick<QueryTools, 'reads' | 'pool'>): LakeWindows {
  const held: BoundedCache<Window> = createBoundedCache(MAX_BYTES)

  return {
    async read(at, question, signal) {
      if (at.snapshotId === undefined) return { window: emptyWindow(question), isHeld: true }
      const key = keyOf(at, question)
      const known = held.get(key)
      if (known && serves(known, question)) return { window: known, isHeld: true }
      const mostRows = SIZES.find(size => size >= question.limit) ?? question.limit
      const sinceMicros = Math.min(question.sinceMicros, known?.sinceMicros ?? Infinity)
      const { rows, files } = await readNewest(tools, at, { ...question, sinceMicros, limit: mostRows }, { signal })
      const bytes = Object.values(rows.columns).reduce((sum, column) => sum + bytesOfColumn(column), 1_000)
      const window = { rows, files, sinceMicros, mostRows, bytes }
      held.put(key, window)
      return { window, isHeld: false }
    },
  }
}

function emptyWindow({ table, sinceMicros, limit: mostRows }: HybridQuestion): Window {
  const rows = emptyBatch(TAIL_TABLES[table].columns)
  return { rows, files: { total: 0, pruned: 0, read: 0 }, sinceMicros, mostRows, bytes: 0 }
}

function keyOf({ snapshotId }: TableAt, { table, symbols, exchange, untilMicros }: HybridQuestion): string {
  return JSON.stringify([table, snapshotId, symbols && [...symbols].sort(), exchange?.toUpperCase(), untilMicros])
}

/** One that is full has the newest rows, wherever it would have begun. */
function serves({ rows, sinceMicros, mostRows }: Window, question: HybridQuestion): boolean {
  const isAll = rows.rowCount < mostRows
  return isAll ? sinceMicros <= question.sinceMicros : question.limit <= mostRows
}

export interface ReadOf {
  /** A condition that only passing rows keep, beside the question's. */
  where?: string
  signal?: AbortSignal
}

/** The newest rows of a snapshot, in the total order. */
export async function readNewest(
  { reads, pool }: Pick<QueryTools, 'reads' | 'pool'>,
  at: TableAt,
  question: HybridQuestion,
  { where, signal }: ReadOf = {},
): Promise<{ rows: ColumnBatch; files: FileCounts }> {
  const { columns } = TAIL_TABLES[question.table]
  const filter = conditionsOf(question)
  return pool.run(async lease => {
    const opened = await reads.open(at, { filter }, lease.connection, lease.signal)
    try {
      const isEmpty = opened.files.read === 0
      const sql = newestFirst(opened.sql(), columns, { where, limit: question.limit })
      const rows = isEmpty ? emptyBatch(columns) : await readBatch(lease.connection, sql, lease.signal)
      return { rows, files: opened.files }
    } catch (error) {
      throw await opened.blame(error)
    } finally {
      opened.release()
    }
  }, signal)
}

function conditionsOf({ symbols, exchange, sinceMicros, untilMicros }: HybridQuestion): Condition[] {
  const filter: Condition[] = [{ column: 'exchange_timestamp', op: '>=', value: sinceMicros }]
  if (untilMicros !== undefined) filter.push({ column: 'exchange_timestamp', op: '<', value: untilMicros })
  if (symbols) filter.push({ column: 'symbol', op: 'in', values: symbols })
  if (exchange !== undefined) filter.push({ column: 'exchange', op: '=', value: exchange.toUpperCase() })
  return filter
}

const ORDER = ['exchange_timestamp', 'source_sequence', '_partition', '_offset', 'message_id'].map(quoteName)

function newestFirst(
  rows: string,
  columns: readonly ColumnSpec[],
  { where = 'TRUE', limit }: { where?: string; limit: number },
): string {
  const names = columns.map(({ name }) => quoteName(name)).join(', ')
  const descending = ORDER.map(name => `${name} DESC NULLS FIRST`).join(', ')
  const ascending = ORDER.map(name => `${name} ASC NULLS LAST`).join(', ')
  const newest = `SELECT ${names} FROM (${rows}) WHERE ${where} ORDER BY ${descending} LIMIT ${limit}`
  return `SELECT ${names} FROM (${newest}) ORDER BY ${ascending}`
}
