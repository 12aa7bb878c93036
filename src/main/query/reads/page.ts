// One page of an answer: of the newest snapshot, of the one that is chosen, or of the one that the page before was of.
import { Failure } from '../../../contract/failure.ts'
import type { FileCounts, LakeReads, TableAt } from '../../lake/reads.ts'
import type { ColumnBatch } from '../../../contract/columns.ts'
import { stateOfCursor, type Cursors } from '../cursor.ts'
import { resolveState, type PastState } from '../moments.ts'
import { textOf, type AskedRows } from './asked-rows.ts'
import type { FoundRows, Part, Start } from './read-rows.ts'

/** What a cursor says. */
export interface CursorPlace extends Start {
  snapshotId: string
}

export interface PageInput extends PastState {
  limit: number
  offset?: number
  cursor?: string
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
  { limit, offset, cursor, ...past }: PageInput,
  signal?: AbortSignal,
): Promise<Page> {
  if (cursor !== undefined && offset !== undefined) throw bothGiven()
  const query = JSON.stringify([textOf(asked), past.snapshot_id, past.as_of])
  const from = cursor === undefined ? undefined : cursors.open(cursor, query)
  const at = from
    ? await stateOfCursor(reads, asked.table, from.snapshotId, signal)
    : await resolveState(reads, asked.table, past, signal)
  const { batch, files, next } = await read(at, asked, { limit, offset: offset ?? 0, start: from }, signal)
  const goesOn = next && at.snapshotId !== undefined
  return { at, batch, files, nextCursor: goesOn ? cursors.sign({ ...next, snapshotId: at.snapshotId! }, query) : null }
}

function bothGiven(): Failure {
  const problem = 'cursor and offset exclude each other: give one of them'
  return new Failure('INVALID_INPUT', `offset: ${problem}.`, { details: [{ field: 'offset', problem }] })
}
