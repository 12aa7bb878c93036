// An answer from tables and log together, once more: its snapshot's rows, and those of the log from there to where it was,
// by now mostly in the table too. Where the snapshot has expired a later one has them all; the hash says whether it does.
import { Failure } from '../../../contract/failure.ts'
import type { Receipt } from '../../../contract/fields.ts'
import type { RecentQuery } from '../../../contract/receipts.ts'
import { emptyBatch, type ColumnBatch } from '../../../contract/columns.ts'
import { TAIL_TABLES, type TailTable } from '../../../contract/tables.ts'
import { reversedRows } from '../../../contract/take-rows.ts'
import type { TableAt } from '../../lake/reads.ts'
import { offsetIn, type OffsetVector } from '../../market/topic-offsets.ts'
import { readNewest } from '../hybrid/lake-window.ts'
import { leaveOutKnown } from '../hybrid/leave-out-known.ts'
import { mergeNewest, type RowRun } from '../hybrid/merge-rows.ts'
import type { HybridQuestion } from '../hybrid/question.ts'
import { microsOf, neverWritten } from '../moments.ts'
import type { QueryTools } from '../tools.ts'
import { furtherOf, rangesBetween, refuseUnlessHeld, rowsIn } from './log-ranges.ts'

export interface RowsAgain {
  rows: ColumnBatch
  at: TableAt
}

interface Asked {
  question: HybridQuestion
  query: RecentQuery
  /** How far the answer was in the log. */
  end: OffsetVector
  signal?: AbortSignal
}

export async function readRecentAgain(
  tools: QueryTools,
  table: TailTable,
  { snapshot, offsets: end }: Receipt,
  query: RecentQuery,
  signal?: AbortSignal,
): Promise<RowsAgain> {
  const { symbol, exchange, since, limit } = query
  const sinceMicros = microsOf(since, 'since')
  const question = { table, symbols: symbol === undefined ? undefined : [symbol], exchange, sinceMicros, limit }
  const asked: Asked = { question, query, end, signal }
  const at = await stateOf(tools, table, snapshot, signal)
  const { head, later } = await laterThan(tools, table, end, signal)
  const source = later ?? head
  const start = at?.offsets ?? []
  const ofTable = at ? (await readNewest(tools, at, question, { signal })).rows : undefined
  const isInTable = at && isBelow(end, start)
  const ofLog = isInTable ? undefined : await rowsOfLog(tools, asked, source, start, at !== undefined)
  const live = isInTable || later ? undefined : await rowsOfLive(tools, asked, source, start)
  const merged = [ofLog, live].reduce((before, rows) => joined(asked, before, rows), ofTable)
  const rows = merged ?? emptyBatch(TAIL_TABLES[table].columns)
  return { rows: query.order === 'desc' ? reversedRows(rows) : rows, at: at ?? source }
}

/** Nothing for one that has expired. */
async function stateOf(
  { reads }: QueryTools,
  table: TailTable,
  snapshot: string | null,
  signal: AbortSignal | undefined,
): Promise<TableAt | undefined> {
  if (snapshot === null) return neverWritten(table)
  try {
    return await reads.at(table, { snapshotId: snapshot }, signal)
  } catch (error) {
    if (error instanceof Failure && error.code === 'SNAPSHOT_NOT_FOUND') return undefined
    throw error
  }
}

/** The oldest snapshot that has all of the log up to there: the least has happened to its rows since. */
async function laterThan(
  { reads }: QueryTools,
  table: TailTable,
  end: OffsetVector,
  signal: AbortSignal | undefined,
): Promise<{ head: TableAt; later: TableAt | undefined }> {
  const line = await reads.history(table, signal)
  const later = line.findLast(({ offsets }) => offsets && isBelow(end, offsets))
  const head = await reads.head(table, signal)
  return { head: { ...head, offsets: head.knownOffsets }, later }
}

function isBelow(end: OffsetVector, offsets: OffsetVector): boolean {
  return end.every(topic =>
    Object.entries(topic.next).every(([partition, next]) => (offsetIn(offsets, topic, partition) ?? 0) >= next),
  )
}

async function rowsOfLog(
  tools: QueryTools,
  { question, end, signal }: Asked,
  source: TableAt,
  start: OffsetVector,
  isBeyondTable: boolean,
): Promise<ColumnBatch> {
  const places = rowsIn(rangesBetween(isBeyondTable ? start : [], end))
  // Without the snapshot itself, what has no place in the log was loaded from files, before or after it.
  if (!isBeyondTable) places.push('_offset IS NULL')
  const where = places.length > 0 ? `(${places.join(' OR ')})` : 'FALSE'
  return (await readNewest(tools, source, question, { where, signal })).rows
}

/** What the table has not even now. */
async function rowsOfLive(
  tools: QueryTools,
  { question, end, signal }: Asked,
  source: TableAt,
  start: OffsetVector,
): Promise<ColumnBatch> {
  const { table, symbols, exchange, sinceMicros, limit } = question
  const boundary = furtherOf(end, source.offsets ?? [], start)
  const client = await tools.live()
  const asked = { data_type: table, boundary, symbols: symbols && [...symbols], exchange, before: end }
  const fresh = await client['tail.fresh']({ ...asked, since_micros: sinceMicros, limit }, { signal })
  refuseUnlessHeld(fresh, rangesBetween(boundary, end))
  return fresh.rows
}

function joined({ question, query }: Asked, before: ColumnBatch | undefined, rows: ColumnBatch | undefined) {
  if (!before || !rows) return before ?? rows
  const whole: RowRun = { batch: before, from: 0, to: before.rowCount }
  const first = query.told_by === 'place' ? leaveOutKnown(whole, rows) : whole
  const second = { batch: rows, from: 0, to: rows.rowCount }
  return mergeNewest(TAIL_TABLES[question.table].columns, first, second, question.limit).batch
}
