// Replay's slice of the contract.
import type { Handlers } from '../../contract/capability.ts'
import type { replaySessions } from '../../contract/replay-sessions.ts'
import type { replay } from '../../contract/replay.ts'
import { realTicker, type Ticker } from './pace.ts'
import { playHandler } from './play.ts'
import { pageHandler } from './read-page.ts'
import { sessionHandlers } from './session-handlers.ts'
import { createSessions, type SessionClock } from './sessions.ts'
import type { ReplayTools } from './tools.ts'

export interface Replay {
  handlers: Handlers<typeof replay & typeof replaySessions>
  /** What a query in a session may see; NOT_FOUND when there is no such session. */
  clockOf: (session: string) => SessionClock
  openSessions: () => number
  close: () => void
}

export function createReplay(tools: ReplayTools, ticker: Ticker = realTicker): Replay {
  const sessions = createSessions(tools, ticker)
  return {
    handlers: {
      'replay.read': pageHandler(tools),
      'replay.play': playHandler(tools, ticker),
      ...sessionHandlers(tools, sessions),
    },
    clockOf: id => sessions.clockOf(id),
    openSessions: () => sessions.count(),
    close: () => sessions.closeAll(),
  }
}
