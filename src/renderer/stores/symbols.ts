// The list of symbols, asked for every other second; its answer also says how complete the tail is.
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { QueryMeta } from '../../contract/fields.ts'
import type { Instruments } from './instruments.ts'
import type { Link } from './link.ts'
import { pastStateOf, type Moment, type MomentStore } from './moment.ts'
import { poll } from './poll.ts'

export interface SymbolsState {
  /** Undefined until the first answer. */
  count?: number
  query?: QueryMeta
  failure?: string
}

const EVERY_MS = 2000
const LIVE: Moment = { mode: 'live' }

export function pollSymbols(
  link: Link,
  instruments: Instruments,
  moment?: MomentStore,
): { state: StoreApi<SymbolsState>; close(): void } {
  const state = createStore<SymbolsState>(() => ({}))
  const close = poll(
    link,
    EVERY_MS,
    async (client, signal) => {
      const then = moment?.state.getState() ?? LIVE
      const { data, query } = await client['symbols.list'](pastStateOf(then), { signal })
      if (then !== LIVE && then !== moment?.state.getState()) return
      const isLive = then.mode === 'live'
      for (const instrument of instruments.all) instrument.tradesThen = undefined
      for (const { symbol, exchange, company_name, trades } of data) {
        const instrument = instruments.find(symbol, exchange)
        instrument.companyName = company_name
        if (isLive) instrument.listedTrades = trades
        else instrument.tradesThen = trades
      }
      state.setState({ count: data.length, query, failure: undefined })
    },
    failure => state.setState({ failure: failure.message }),
  )
  return { state, close }
}
