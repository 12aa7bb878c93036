// What to say of rows of the live view that are not all of what the tables lack.
import type { FreshRows } from '../tail/relay-contract.ts'

export function whyLiveIsPartial({ lacking, isRunning, isCaughtUp }: FreshRows): string | null {
  const missing = lacking.reduce((sum, { from, to }) => sum + to - from, 0)
  if (missing > 0)
    return `${missing} messages are not in the tables yet and not in memory; raise K2_TAIL_MAX_MB, or wait for the writer.`
  if (!isRunning) return 'The log cannot be read at present; what is new in it is missing.'
  return isCaughtUp ? null : 'The live view is still reading what the log holds; the newest of it is missing.'
}
