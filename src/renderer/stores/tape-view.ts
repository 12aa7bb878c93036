// What the tape shows: all trades or one instrument's, live or held still.
import { createStore, type StoreApi } from 'zustand/vanilla'
import { copyRing } from './ring.ts'
import type { TradeFeed, TradeRing } from './trades.ts'

export interface TapeViewState {
  scope: 'all' | 'one'
  /** While live; the past is in the order of time. */
  order: 'arrival' | 'time'
  /** Held still: a copy, so that nothing that is looked at is overwritten by what comes meanwhile. */
  held?: TradeRing
}

export interface TapeView {
  state: StoreApi<TapeViewState>
  feed: () => TradeFeed
  hold: () => void
  /** Back to the newest; what came meanwhile is there. */
  goLive: () => void
  show: (scope: TapeViewState['scope']) => void
  arrange: (order: TapeViewState['order']) => void
}

/** `one` gives the feed of the selected instrument, when there is one; `past` what is shown instead outside live. */
export function createTapeView(
  all: TradeFeed,
  one: () => TradeFeed | undefined,
  past: () => TradeFeed | undefined = () => undefined,
): TapeView {
  const state = createStore<TapeViewState>(() => ({ scope: 'all', order: 'arrival' }))
  const feed = () => past() ?? (state.getState().scope === 'one' ? (one() ?? all) : all)
  return {
    state,
    feed,
    hold: () => {
      if (!state.getState().held) state.setState({ held: copyRing(feed().ring) })
    },
    goLive: () => state.setState({ held: undefined }),
    show: scope => state.setState({ scope, held: undefined }),
    arrange: order => state.setState({ order }),
  }
}
