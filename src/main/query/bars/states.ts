// Trades and quotes as they were at the same moment.
import { Failure } from '../../../contract/failure.ts'
import type { LakeReads, TableAt } from '../../lake/reads.ts'
import type { TailTable } from '../../../contract/tables.ts'
import { resolveState, type PastState } from '../moments.ts'

export type States = Record<TailTable, TableAt>

export async function statesOf(reads: Pick<LakeReads, 'at'>, past: PastState, signal?: AbortSignal): Promise<States> {
  const trades = await resolveState(reads, 'trades', past, signal)
  const isPast = past.snapshot_id !== undefined || past.as_of !== undefined
  if (!isPast) return { trades, quotes: await reads.at('quotes', undefined, signal) }
  try {
    return { trades, quotes: await resolveState(reads, 'quotes', past, signal) }
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'SNAPSHOT_NOT_FOUND')) throw error
    return { trades, quotes: { ...NEVER_WRITTEN, table: 'quotes' } } // there were none yet
  }
}

export const NEVER_WRITTEN = {
  snapshotId: undefined,
  committedMicros: undefined,
  validThroughMicros: undefined,
  offsets: undefined,
}
