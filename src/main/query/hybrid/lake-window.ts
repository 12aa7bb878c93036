// The newest rows of one snapshot in a span of time, kept decoded, so that what is asked again and again is read from files
// once. A snapshot never changes; and while the live view still holds what was committed since, its rows bring those that
// are held on to a newer snapshot, without reading a file.
import { emptyBatch, type ColumnBatch } from '../../../contract/columns.ts'
import { TAIL_TABLES, type TailTable } from '../../../contract/tables.ts'
import { takeRows, viewRows } from '../../../contract/take-rows.ts'
import { quoteName } from '../../duck/quote.ts'
import { readBatch } from '../../duck/read-batch.ts'
import type { Condition, FileCounts, TableAt } from '../../lake/reads.ts'
import { offsetIn, type OffsetVector } from '../../market/topic-offsets.ts'
import type { FreshRows } from '../../tail/relay-contract.ts'
import { createBoundedCache, type BoundedCache } from '../../base/bounded-cache.ts'
import { bytesOfColumn } from '../blocks/combine-columns.ts'
import { orderSql, rowOrder, wholeOrderSql, type RowOrder } from '../reads/row-order.ts'
import { NO_FILES, type QueryTools } from '../tools.ts'
import type { Base, Ground } from './base.ts'
import { mergeNewest, type RowRun } from './merge-rows.ts'
import { firstNotBelow, hasTies, TOTAL_ORDER } from '../../market/row-order.ts'
import type { HybridQuestion } from './question.ts'

export interface Window {
  base: Base
  era: number
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
  /** What is held decoded of the rows that a question may need. */
  held: (question: HybridQuestion, ground: Ground) => Window | undefined
  /** Those rows of the newest snapshot. */
  read: (question: HybridQuestion, ground: Ground, signal?: AbortSignal) => Promise<Window>
  /** With what the live view had from the window's snapshot on, held for later questions as of the newest one. */
  advance: (question: HybridQuestion, window: Window, ground: Ground, fresh: FreshRows) => void
}

const MAX_BYTES = 96 * 1024 * 1024
/** So that a larger limit than before is seldom a reason to read again. */
const SIZES = [1_000, 10_000]
/** A live view of a minute or more still holds what was committed since. */
const ADVANCE_AFTER_MICROS = 20e6

export function lakeWindows(tools: Pick<QueryTools, 'reads' | 'pool' | 'clock'>): LakeWindows {
  const windows: BoundedCache<Window> = createBoundedCache(MAX_BYTES)
  const keyOf = ({ table, symbols, exchange, sinceMicros, untilMicros }: HybridQuestion) => {
    // Windows of one length only move on.
    const minutes = Math.round((tools.clock.nowMicros() - sinceMicros) / 60e6)
    return JSON.stringify([table, symbols && [...symbols].sort(), exchange?.toUpperCase(), minutes, untilMicros])
  }
  const keep = (question: HybridQuestion, window: Omit<Window, 'bytes'>): Window => {
    const columns = Object.values(window.rows.columns)
    const weighed = { ...window, bytes: columns.reduce((sum, column) => sum + bytesOfColumn(column), 1_000) }
    windows.put(keyOf(question), weighed)
    return weighed
  }

  return {
    held(question, { era }) {
      const window = windows.get(keyOf(question))
      return window?.era === era && serves(window, question) ? window : undefined
    },
    async read(question, { head: base, era }, signal) {
      const { sinceMicros } = question
      const mostRows = SIZES.find(size => size >= question.limit) ?? question.limit
      const found = await readNewest(tools, base.at, { ...question, limit: mostRows }, { signal })
      return keep(question, { base, era, ...found, sinceMicros, mostRows })
    },
    advance(question, window, { head, era }, fresh) {
      const [from, to] = [window.base.at.committedMicros, head.at.committedMicros]
      if (from === undefined || to === undefined || to - from < ADVANCE_AFTER_MICROS) return
      // Not all of what was committed since is among the newest rows that were asked for.
      if (!window.base.isCertain || fresh.rows.rowCount >= question.limit) return
      const { sinceMicros, table } = question
      const before = { batch: window.rows, from: 0, to: window.rows.rowCount }
      const since = firstNotBelow(window.rows.columns.exchange_timestamp.values, sinceMicros, 0, before.to)
      const committed = committedRows(fresh, head.offsets)
      const { batch } = mergeNewest(TAIL_TABLES[table].columns, { ...before, from: since }, committed, window.mostRows)
      keep(question, { ...window, base: head, era, rows: batch, sinceMicros })
    },
  }
}

/** Of rows of the live view those that are in a snapshot. */
function committedRows({ rows, next }: FreshRows, offsets: OffsetVector): RowRun {
  const { _topic: topics, _partition: partitions, _offset: places } = rows.columns
  const kept: number[] = []
  for (let row = 0; row < rows.rowCount; row++) {
    const topic = topics.words![Number(topics.values[row])]
    const life = next.find(known => known.topic === topic)
    const end = life && offsetIn(offsets, life, String(partitions.values[row]))
    if (end !== undefined && places.values[row] < end) kept.push(row)
  }
  return { batch: takeRows(rows, Uint32Array.from(kept)), from: 0, to: kept.length }
}

/** One that is full has the newest rows, wherever it would have begun. */
function serves({ rows, sinceMicros, mostRows }: Window, question: HybridQuestion): boolean {
  const isAll = rows.rowCount < mostRows
  return isAll ? sinceMicros <= question.sinceMicros : question.limit <= mostRows
}

export interface ReadOf {
  /** Beside the question's; files that cannot have such rows are not read. */
  filter?: readonly Condition[]
  /** A condition that only passing rows keep, beside the question's. */
  where?: string
  signal?: AbortSignal
}

/** The newest rows of a snapshot, in the total order. */
export async function readNewest(
  { reads, pool }: Pick<QueryTools, 'reads' | 'pool'>,
  at: TableAt,
  question: HybridQuestion,
  { filter = [], where = 'TRUE', signal }: ReadOf = {},
): Promise<{ rows: ColumnBatch; files: FileCounts }> {
  if (at.snapshotId === undefined) return { rows: emptyBatch(TAIL_TABLES[question.table].columns), files: NO_FILES }
  const { table, limit } = question
  const { columns } = TAIL_TABLES[table]
  return pool.run(async ({ connection, signal: stop }) => {
    const opened = await reads.open(at, { filter: [...conditionsOf(question), ...filter] }, connection, stop)
    // With one more row than is wanted: it may be alike in every key to the oldest that is.
    const read = (orderOf: OrderOf, since: string) =>
      readBatch(connection, newestOf(table, opened.sql(), `${where} AND ${since}`, limit + 1, orderOf), stop)
    try {
      if (opened.files.read === 0) return { rows: emptyBatch(columns), files: opened.files }
      const first = await read(orderSql, 'TRUE')
      // Which ones of those that are alike come first is for the other columns to say, or it changes with the limit.
      const rows = hasTies(first, TOTAL_ORDER) ? await read(wholeOrderSql, sinceOldestOf(first)) : first
      return { rows: viewRows(rows, Math.max(0, rows.rowCount - limit), rows.rowCount), files: opened.files }
    } catch (error) {
      throw await opened.blame(error)
    } finally {
      opened.release()
    }
  }, signal)
}

function conditionsOf({ symbols, exchange, sinceMicros, untilMicros }: HybridQuestion): Condition[] {
  const filter: Condition[] = []
  if (Number.isFinite(sinceMicros)) filter.push({ column: 'exchange_timestamp', op: '>=', value: sinceMicros })
  if (untilMicros !== undefined) filter.push({ column: 'exchange_timestamp', op: '<', value: untilMicros })
  if (symbols) filter.push({ column: 'symbol', op: 'in', values: symbols })
  if (exchange !== undefined) filter.push({ column: 'exchange', op: '=', value: exchange.toUpperCase() })
  return filter
}

type OrderOf = (order: RowOrder, table: TailTable) => string

function sinceOldestOf({ columns }: ColumnBatch): string {
  return `exchange_timestamp >= make_timestamptz(${Number(columns.exchange_timestamp.values[0])})`
}

function newestOf(table: TailTable, rows: string, where: string, limit: number, orderOf: OrderOf): string {
  const names = TAIL_TABLES[table].columns.map(({ name }) => quoteName(name)).join(', ')
  const [descending, ascending] = (['desc', 'asc'] as const).map(order => orderOf(rowOrder(table, order), table))
  const newest = `SELECT ${names} FROM (${rows}) WHERE ${where} ORDER BY ${descending} LIMIT ${limit}`
  return `SELECT ${names} FROM (${newest}) ORDER BY ${ascending}`
}
