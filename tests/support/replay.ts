// Replays of a lake as callers have them: asked by name, checked by the contract on their way in and out.
import { onTestFinished } from 'vitest'
import type { Client } from '../../src/contract/capability.ts'
import { replaySessions } from '../../src/contract/replay-sessions.ts'
import { replay } from '../../src/contract/replay.ts'
import { systemClock } from '../../src/main/base/clock.ts'
import type { Lake } from '../../src/main/lake/lake.ts'
import { createCursors } from '../../src/main/query/cursor.ts'
import { choiceOf, microsOf, resolveState } from '../../src/main/query/moments.ts'
import { lakeMeta } from '../../src/main/query/tools.ts'
import { createReplay, type Replay } from '../../src/main/replay/handlers.ts'
import { realTicker, type Ticker } from '../../src/main/replay/pace.ts'
import { pageHandler } from '../../src/main/replay/read-page.ts'
import type { ReplayTools } from '../../src/main/replay/tools.ts'
import { connectDirect } from '../../src/main/wire/direct.ts'
import { createDispatch } from '../../src/main/wire/dispatch.ts'
import { queryParts } from './query.ts'

export async function replayTools(lake: Lake, live: ReplayTools['live'] = noLive): Promise<ReplayTools> {
  return {
    ...(await queryParts(lake)),
    live,
    clock: systemClock,
    cursors: createCursors(Buffer.alloc(32, 7), 'replay'),
    microsOf,
    choiceOf,
    stateOf: resolveState,
    metaOf: share => lakeMeta({ clock: systemClock }, share),
  }
}

const noLive = () => Promise.reject(new Error('no live view'))

const share = { ...replay, ...replaySessions }
export type ReplayClient = Client<typeof share>

export async function testReplay(
  lake: Lake,
  ticker: Ticker = realTicker,
  live?: ReplayTools['live'],
): Promise<ReplayClient & { clockOf: Replay['clockOf'] }> {
  const tools = await replayTools(lake, live)
  const opened = createReplay(tools, ticker)
  onTestFinished(() => opened.close())
  const handlers = { ...opened.handlers, 'replay.read': pageHandler(tools) }
  const client = connectDirect(share, createDispatch(share, handlers, { checkAnswers: true }))
  return { ...client, clockOf: opened.clockOf }
}

export interface HeldTicker extends Ticker {
  /** The milliseconds that were waited, one after the other; waiting passes them at once. */
  waits: number[]
  ms: number
}

/** A clock that only moves by being waited on. */
export function heldTicker(): HeldTicker {
  const ticker: HeldTicker = {
    ms: 1_000,
    waits: [],
    nowMs: () => ticker.ms,
    async wait(ms) {
      ticker.waits.push(ms)
      ticker.ms += ms
      await Promise.resolve()
    },
  }
  onTestFinished(() => void (ticker.ms = Infinity))
  return ticker
}
