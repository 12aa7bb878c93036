// As of a moment: the newest trades and quotes that were known then, for the tape and the quotes.
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { QueryMeta } from '../../contract/fields.ts'
import { reversedRows } from '../../contract/take-rows.ts'
import { clientOf } from './held-result.ts'
import type { Instruments } from './instruments.ts'
import type { Link } from './link.ts'
import { pastStateOf, type MomentStore } from './moment.ts'
import type { Past } from './past.ts'
import { createQuoteFeed } from './quotes.ts'
import type { TapeView } from './tape-view.ts'
import { createTradeFeed } from './trades.ts'
import type { Focus } from './workspace.ts'

export interface AsOfState {
  isAsking: boolean
  failure?: string
  /** Where the tape's rows came from. */
  query?: QueryMeta
}

export interface AsOfRows {
  state: StoreApi<AsOfState>
  retry: () => void
  close: () => void
}

const TRADES = 2000
const QUOTES = 500

interface Parts {
  link: Link
  moment: MomentStore
  past: StoreApi<Past>
  focus: StoreApi<Focus>
  tape: TapeView
  instruments: Instruments
}

export function followAsOf({ link, moment, past, focus, tape, instruments }: Parts): AsOfRows {
  const state = createStore<AsOfState>(() => ({ isAsking: false }))
  let asking = new AbortController()

  async function ask(): Promise<void> {
    asking.abort()
    const now = moment.state.getState()
    if (now.mode !== 'as_of') return state.setState({ isAsking: false, failure: undefined, query: undefined }, true)
    asking = new AbortController()
    const { signal } = asking
    const { instrument } = focus.getState()
    const then = { ...pastStateOf(now), order: 'desc' as const }
    const one = instrument && { symbol: instrument.symbol, exchange: instrument.exchange }
    state.setState({ isAsking: true, failure: undefined })
    try {
      const client = clientOf(link)
      const isOne = tape.state.getState().scope === 'one'
      const [trades, quotes] = await Promise.all([
        client['trades.list']({ ...then, ...(isOne ? one : {}), limit: TRADES }, { signal }),
        one ? client['quotes.list']({ ...then, ...one, limit: QUOTES }, { signal }) : undefined,
      ])
      if (signal.aborted) return
      const shownTrades = createTradeFeed(instruments)
      const shownQuotes = instrument && quotes ? createQuoteFeed(instrument) : undefined
      shownTrades.reader.take(reversedRows(trades.data), now.atMicros / 1000)
      if (quotes) shownQuotes?.reader.take(reversedRows(quotes.data), now.atMicros / 1000)
      past.setState({ trades: shownTrades.feed, quotes: shownQuotes?.feed }, true)
      state.setState({ isAsking: false, query: trades.query })
    } catch (failure) {
      if (!signal.aborted) state.setState({ isAsking: false, failure: (failure as Error).message })
    }
  }
  const again = () => void ask()
  const ends = [
    moment.state.subscribe(again),
    focus.subscribe(({ instrument }, before) => {
      if (instrument !== before.instrument) again()
    }),
    tape.state.subscribe(({ scope }, before) => {
      if (scope !== before.scope) again()
    }),
    link.store.subscribe(({ client }, before) => {
      if (client && client !== before.client && state.getState().failure !== undefined) again()
    }),
  ]
  return {
    state,
    retry: again,
    close: () => {
      for (const end of ends) end()
      asking.abort()
    },
  }
}
