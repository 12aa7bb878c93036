// Replay's slice of the contract.
import type { Handlers } from '../../contract/capability.ts'
import type { replay } from '../../contract/replay.ts'
import { realTicker, type Ticker } from './pace.ts'
import { playHandler } from './play.ts'
import { pageHandler } from './read-page.ts'
import type { ReplayTools } from './tools.ts'

export function replayHandlers(tools: ReplayTools, ticker: Ticker = realTicker): Handlers<typeof replay> {
  return {
    'replay.read': pageHandler(tools),
    'replay.play': playHandler(tools, ticker),
  }
}
