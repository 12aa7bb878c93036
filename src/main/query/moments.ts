// Times as people give them, in microseconds since 1970, and the state of the tables that they mean.
import { Failure, isBeforeFirst } from '../../contract/failure.ts'
import type { PastState } from '../../contract/fields.ts'
import { BadValue } from '../base/values/bad-value.ts'
import { parseInstant } from '../base/values/parse-time.ts'
import type { LakeReads, SnapshotChoice, TableAt } from '../lake/reads.ts'
import { TABLES, type TableId } from '../../contract/tables.ts'

const UTC = { instantOf: (wallMicros: number) => wallMicros }

/** No row is from outside of these, so a time that lies further out means the same. */
const [FIRST_YEAR, LAST_YEAR] = [1900, 2199]

/** `field` is what the caller knows it as. */
export function microsOf(text: string, field: string): number {
  const year = Number(text.slice(0, 4))
  const isFar = year < FIRST_YEAR || year > LAST_YEAR
  // A leap year, so that every day there may be is one.
  const bytes = Buffer.from(isFar ? `2000${text.slice(4)}` : text)
  try {
    const micros = parseInstant(bytes, 0, bytes.length, UTC)
    if (!isFar) return micros
    return Date.UTC(year < FIRST_YEAR ? FIRST_YEAR : LAST_YEAR + 1, 0) * 1000
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    throw new Failure('INVALID_INPUT', `${field} ${error.message}: ${text}.`, { details: { [field]: text } })
  }
}

/** A state of a table, and of it the rows whose own time is before an end. */
export interface Then {
  past: PastState
  untilMicros?: number
}

/** What a replay session sees of each table. */
export type SeenIn = (asked: PastState & { replay_session?: string }) => (table: TableId) => Then
/** The same; nothing where no session was asked for. */
export type ThenOf = ((table: TableId) => Then) | undefined

export const isPast = ({ snapshot_id: id, as_of: asOf }: PastState) => id !== undefined || asOf !== undefined

/** The newest state when neither is given. An id is digits alone, a tag is not. */
export function choiceOf({ snapshot_id: id, as_of: asOf }: PastState): SnapshotChoice | undefined {
  if (id !== undefined && asOf !== undefined)
    throw new Failure('INVALID_INPUT', 'snapshot_id and as_of exclude each other: give one of them.')
  if (id !== undefined) return /^\d+$/.test(id) ? { snapshotId: id } : { ref: id }
  return asOf === undefined ? undefined : { asOfMicros: microsOf(asOf, 'as_of') }
}

/**
 * A table as it was then. A snapshot or a tag of another table means the moment it was committed, so that one choice is good
 * for all tables.
 */
export async function resolveState(
  reads: Pick<LakeReads, 'at'>,
  table: TableId,
  past: PastState,
  signal?: AbortSignal,
): Promise<TableAt> {
  const choice = choiceOf(past)
  try {
    return await reads.at(table, choice, signal)
  } catch (error) {
    if (!choice || 'asOfMicros' in choice || !isNotFound(error)) throw error
    for (const other of Object.keys(TABLES) as TableId[]) {
      const asOfMicros = await committedAt(reads, other, choice, signal)
      if (asOfMicros !== undefined) return reads.at(table, { asOfMicros }, signal)
    }
    throw error
  }
}

/** A table that nothing had been written to by then has no rows. What has expired is refused. */
export async function orNothing(table: TableId, state: Promise<TableAt>): Promise<TableAt> {
  try {
    return await state
  } catch (error) {
    if (isBeforeFirst(error)) return neverWritten(table)
    throw error
  }
}

/** A table before its first snapshot. */
export function neverWritten(table: TableId): TableAt {
  const nothing = { snapshotId: undefined, committedMicros: undefined, validThroughMicros: undefined }
  return { table, ...nothing, offsets: undefined }
}

async function committedAt(
  reads: Pick<LakeReads, 'at'>,
  table: TableId,
  choice: SnapshotChoice,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  try {
    return (await reads.at(table, choice, signal)).committedMicros
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Failure && error.code === 'SNAPSHOT_NOT_FOUND'
}
