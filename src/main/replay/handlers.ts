// Replay's slice of the contract.
import type { Handlers } from '../../contract/capability.ts'
import type { replaySessions } from '../../contract/replay-sessions.ts'
import type { replay } from '../../contract/replay.ts'
import { realTicker, type Ticker } from './pace.ts'
import { playHandler } from './play.ts'
import { sessionHandlers } from './session-handlers.ts'
import { createSessions, type SessionClock } from './sessions.ts'
import type { ReplayTools } from './tools.ts'

export interface Replay {
  /** All but pages, which come with receipts: `pageHandler`. */
  handlers: Omit<Handlers<typeof replay & typeof replaySessions>, 'replay.read'>
  /** What a query in a session may see; NOT_FOUND when there is no such session. */
  clockOf: (session: string) => SessionClock
  openSessions: () => number
  close: () => void
}

export function createReplay(tools: ReplayTools, ticker: Ticker = realTicker): Replay {
  const sessions = createSessions(tools, ticker)
  return {
    handlers: {
      'replay.play': playHandler(tools, ticker),
      ...sessionHandlers(tools, sessions),
    },
    clockOf: id => sessions.clockOf(id),
    openSessions: () => sessions.count(),
    close: () => sessions.closeAll(),
  }
}
