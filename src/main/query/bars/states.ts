// Trades and quotes as they were at the same moment.
import { Failure } from '../../../contract/failure.ts'
import type { LakeReads, TableAt } from '../../lake/reads.ts'
import type { TailTable } from '../../../contract/tables.ts'
import type { Then } from '../reads/symbols-then.ts'
import { neverWritten, resolveState, type PastState } from '../moments.ts'

export type States = Record<TailTable, TableAt>

/** What a replay session sees of each table; nothing where none was asked for. */
export type ThenOf = ((table: TailTable) => Then) | undefined

export async function statesOf(
  reads: Pick<LakeReads, 'at'>,
  asked: PastState,
  signal?: AbortSignal,
  thenOf?: ThenOf,
): Promise<States> {
  const pastOf = (table: TailTable) => thenOf?.(table).past ?? asked
  const trades = await resolveState(reads, 'trades', pastOf('trades'), signal)
  const past = pastOf('quotes')
  const isPast = past.snapshot_id !== undefined || past.as_of !== undefined
  if (!isPast) return { trades, quotes: await reads.at('quotes', undefined, signal) }
  try {
    return { trades, quotes: await resolveState(reads, 'quotes', past, signal) }
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'SNAPSHOT_NOT_FOUND')) throw error
    return { trades, quotes: neverWritten('quotes') } // there were none yet
  }
}
