// One page of an answer: of the newest snapshot, of the one that is chosen, or of the one that the page before was of.
import { Failure } from '../../../contract/failure.ts'
import type { PastState } from '../../../contract/fields.ts'
import type { FileCounts, LakeReads, TableAt } from '../../lake/reads.ts'
import type { ColumnBatch } from '../../../contract/columns.ts'
import { stateOfCursor, type Cursors } from '../cursor.ts'
import { resolveState } from '../moments.ts'
import { textOf, type AskedRows } from './asked-rows.ts'
import type { FoundRows, Part, Start } from './read-rows.ts'

/** What a cursor says. */
export interface CursorPlace extends Start {
  snapshotId: string
  /** Where the clock of a replay session, or an end before it, was at the first page: rows from here on are on no page. */
  untilMicros?: number
}

export interface PageInput extends PastState {
  limit: number
  offset?: number
  cursor?: string
  /** Which session's clock the end is of. */
  replay_session?: string
}

export interface Page {
  at: TableAt
  batch: ColumnBatch
  files: FileCounts
  nextCursor: string | null
}

export interface PageTools {
  reads: LakeReads
  cursors: Cursors<CursorPlace>
  read: (at: TableAt, asked: AskedRows, part: Part, signal?: AbortSignal) => Promise<FoundRows>
}

export async function readPage(
  { reads, cursors, read }: PageTools,
  asked: AskedRows,
  { limit, offset, cursor, replay_session: session, ...past }: PageInput,
  signal?: AbortSignal,
): Promise<Page> {
  if (cursor !== undefined && offset !== undefined) throw bothGiven()
  const query = session === undefined ? queryOf(asked, past) : queryOfSession(asked, session, past)
  const from = cursor === undefined ? undefined : cursors.open(cursor, query)
  const at = from
    ? await stateOfCursor(reads, asked.table, from.snapshotId, signal)
    : await resolveState(reads, asked.table, past, signal)
  const within = from?.untilMicros === undefined ? asked : endingBy(asked, from.untilMicros)
  const start = from && { place: from.place, passed: from.passed }
  const { batch, files, next } = await read(at, within, { limit, offset: offset ?? 0, start }, signal)
  const untilMicros = session === undefined ? undefined : (from?.untilMicros ?? asked.endMicros)
  const nextPlace = next && at.snapshotId !== undefined && { ...next, snapshotId: at.snapshotId, untilMicros }
  return { at, batch, files, nextCursor: nextPlace ? cursors.sign(nextPlace, query) : null }
}

/** What a cursor is good for. */
function queryOf(asked: AskedRows, { snapshot_id, as_of }: PastState): string {
  return JSON.stringify([textOf(asked), snapshot_id, as_of])
}

/** Without the end, which moves on with the clock: the one that the first page had is in the cursor. */
function queryOfSession(asked: AskedRows, session: string, { snapshot_id }: PastState): string {
  return JSON.stringify([textOf({ ...asked, endMicros: undefined }), { session, snapshot_id }])
}

/** The clock may have been set back since. */
function endingBy(asked: AskedRows, untilMicros: number): AskedRows {
  return { ...asked, endMicros: Math.min(asked.endMicros ?? Infinity, untilMicros) }
}

function bothGiven(): Failure {
  const problem = 'cursor and offset exclude each other: give one of them'
  return new Failure('INVALID_INPUT', `offset: ${problem}.`, { details: [{ field: 'offset', problem }] })
}
