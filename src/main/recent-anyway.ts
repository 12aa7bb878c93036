// Recent rows and instruments also while the historical half is away: the live view alone then answers, and says that it is all.
import type { Context, Handlers } from '../contract/capability.ts'
import { Failure } from '../contract/failure.ts'
import type { K2 } from '../contract/index.ts'

type RecentHandlers = Pick<Handlers<K2>, 'trades.recent' | 'quotes.recent' | 'symbols.list'>

interface RecentInput {
  min_offsets?: string
  receipt?: boolean
  replay_session?: string
  snapshot_id?: string
  as_of?: string
}

/**
 * How long it may take to come back is the whole's to say. Who must see what was just written, or wants rows that can be
 * had again or tables as they were, is not served by the live view alone.
 */
export function recentAnyway(whole: RecentHandlers, live: RecentHandlers): RecentHandlers {
  const first = <N extends keyof RecentHandlers>(name: N): RecentHandlers[N] =>
    (async (input: RecentInput, context: Context) => {
      try {
        return await whole[name](input, context)
      } catch (error) {
        if (!isAway(error) || context.signal.aborted || needsTables(input)) throw error
        try {
          return await live[name](input, context)
        } catch {
          throw error
        }
      }
    }) as RecentHandlers[N]
  return {
    'trades.recent': first('trades.recent'),
    'quotes.recent': first('quotes.recent'),
    'symbols.list': first('symbols.list'),
  }
}

function needsTables({ receipt, ...input }: RecentInput): boolean {
  const { min_offsets, replay_session, snapshot_id, as_of } = input
  return receipt === true || [min_offsets, replay_session, snapshot_id, as_of].some(given => given !== undefined)
}

function isAway(error: unknown): boolean {
  return error instanceof Failure && error.code === 'UNAVAILABLE'
}
