// What every stream of rows says about itself beside its rows: how fresh it is and whether anything is missing.
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { TailReader } from './follow-tail.ts'

export interface FeedState {
  /** Whether a batch has come since this stream was opened. */
  hasRows: boolean
  /** Rows that the tail dropped before this window took them. */
  missed: number
  /** When the stream had to begin anew, so that rows before may be missing; milliseconds since 1970. */
  brokenAtMs?: number
  /** Why nothing comes at the moment. */
  stalled?: string
}

export interface Feed {
  state: StoreApi<FeedState>
  /** When the newest row came into the tail, milliseconds since 1970; 0 before the first. Not in the state, as it changes with every batch. */
  newestAtMs: number
  /** Rows taken in since this feed was opened. */
  received: number
  /** How many of them came first, from before it was opened: they are no measure of how fast the market is. */
  backlog: number
}

export function createFeed(): Feed {
  return {
    state: createStore<FeedState>(() => ({ hasRows: false, missed: 0 })),
    newestAtMs: 0,
    received: 0,
    backlog: 0,
  }
}

/** Keeps a feed's account of itself while `takeRows` keeps the rows. */
export function readInto(feed: Feed, takeRows: TailReader['take']): TailReader {
  const { state } = feed
  return {
    take(rows, newestAtMs) {
      takeRows(rows, newestAtMs)
      if (feed.received === 0) feed.backlog = rows.rowCount
      feed.received += rows.rowCount
      feed.newestAtMs = Math.max(feed.newestAtMs, newestAtMs)
      const { hasRows, stalled } = state.getState()
      if (!hasRows || stalled !== undefined) state.setState({ hasRows: true, stalled: undefined })
    },
    missed: rows => state.setState(({ missed }) => ({ missed: missed + rows })),
    lostPlace: () => state.setState({ brokenAtMs: Date.now() }),
    stalled: stalled => state.setState({ stalled }),
  }
}
