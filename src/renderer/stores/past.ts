// What the tape and the quotes show outside live instead of what arrives, which goes on being taken in meanwhile.
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Moment } from './moment.ts'
import type { QuoteFeed } from './quotes.ts'
import type { TradeFeed } from './trades.ts'

/** Set by whoever has the rows of that moment; both are there whenever the page is not live. */
export interface Past {
  trades?: TradeFeed
  quotes?: QuoteFeed
}

/** Leaving live empties both panes at once, so that rows of now never stand under a moment of the past. */
export function createPast(moment: StoreApi<Moment>, emptyTrades: () => TradeFeed): StoreApi<Past> {
  const past = createStore<Past>(() => ({}))
  moment.subscribe(({ mode }, before) => {
    if (mode === before.mode) return
    past.setState(mode === 'live' ? {} : { trades: emptyTrades() }, true)
  })
  return past
}
