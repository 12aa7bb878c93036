// Trades and quotes as they were at the same moment.
import type { PastState } from '../../../contract/fields.ts'
import type { LakeReads, TableAt } from '../../lake/reads.ts'
import type { TailTable } from '../../../contract/tables.ts'
import { orNothing, resolveState, type ThenOf } from '../moments.ts'

export type States = Record<TailTable, TableAt>

export async function statesOf(
  reads: Pick<LakeReads, 'at'>,
  asked: PastState,
  signal?: AbortSignal,
  thenOf?: ThenOf,
): Promise<States> {
  const pastOf = (table: TailTable) => thenOf?.(table).past ?? asked
  const trades = await resolveState(reads, 'trades', pastOf('trades'), signal)
  return { trades, quotes: await orNothing('quotes', resolveState(reads, 'quotes', pastOf('quotes'), signal)) }
}
