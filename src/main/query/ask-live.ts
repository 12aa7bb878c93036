// The live view asked for the rows that tables lack, and what to say where it has not all of them.
import type { Client } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import { inTime } from '../base/in-time.ts'
import type { FreshRows, tailContract } from '../tail/relay-contract.ts'
import type { QueryTools } from './tools.ts'

export const LIVE_MS = 3_000

export function askLive(
  { live, liveMs = LIVE_MS }: Pick<QueryTools, 'live' | 'liveMs'>,
  question: Parameters<Client<typeof tailContract>['tail.fresh']>[0],
  caller: AbortSignal,
): Promise<FreshRows> {
  return inTime(liveMs, async signal => (await live())['tail.fresh'](question, { signal }), caller)
}

/** Where it could not answer in time, or at all, the tables still do. */
export function whyLiveIsAway(error: unknown, caller: AbortSignal): string {
  if (caller.aborted || !(error instanceof Failure)) throw error
  return `The live view cannot be read, only what is in the tables: ${error.message}`
}

export function whyLiveIsPartial({ lacking, isRunning, isCaughtUp }: FreshRows): string | null {
  const missing = lacking.reduce((sum, { from, to }) => sum + to - from, 0)
  if (missing > 0)
    return `${missing} messages are not in the tables yet and not in memory; raise K2_TAIL_MAX_MB, or wait for the writer.`
  if (!isRunning) return 'The log cannot be read at present; what is new in it is missing.'
  return isCaughtUp ? null : 'The live view is still reading what the log holds; the newest of it is missing.'
}
