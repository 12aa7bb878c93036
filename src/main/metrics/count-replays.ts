// Counts what replays give, and how long a session takes to go to a moment.
import type { Handlers } from '../../contract/capability.ts'
import type { replaySessions } from '../../contract/replay-sessions.ts'
import type { replay } from '../../contract/replay.ts'
import type { Metrics } from './metrics.ts'

type ReplayHandlers = Handlers<typeof replay & typeof replaySessions>

export function countReplays(
  { handlers, openSessions }: { handlers: ReplayHandlers; openSessions: () => number },
  metrics: Pick<Metrics, 'add' | 'observe' | 'set' | 'beforeRead'>,
): ReplayHandlers {
  metrics.beforeRead(() => metrics.set('k2_replay_sessions', openSessions()))
  const count = (rows: number) => metrics.add('k2_replay_rows_total', rows)
  return {
    ...handlers,
    async 'replay.read'(input, context) {
      const answer = await handlers['replay.read'](input, context)
      count(answer.data.rowCount)
      return answer
    },
    async *'replay.play'(input, context) {
      for await (const batch of handlers['replay.play'](input, context)) {
        count(batch.rows.rowCount)
        yield batch
      }
    },
    async *'replay.follow'(input, context) {
      for await (const batch of handlers['replay.follow'](input, context)) {
        count(batch.trades.rowCount + batch.quotes.rowCount)
        yield batch
      }
    },
    async 'replay.control'(input, context) {
      const startedMs = performance.now()
      const state = await handlers['replay.control'](input, context)
      if (input.action === 'seek')
        metrics.observe('k2_replay_seek_duration_seconds', (performance.now() - startedMs) / 1000)
      return state
    },
  }
}
