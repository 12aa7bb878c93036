// Everything behind the panes, wired once: the connection, what arrives over it, what the person has chosen.
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Port } from '../../contract/messages.ts'
import type { BarsStore } from './bars-state.ts'
import { createBars } from './bars.ts'
import { watchDemo, type Demo } from './demo.ts'
import { createDensity, type Density } from './density.ts'
import { followAsOf, type AsOfRows } from './as-of.ts'
import { createExplorer, type Explorer } from './explorer.ts'
import { createInstruments, type Instrument, type Instruments } from './instruments.ts'
import { exchangeDay } from './exchange-day.ts'
import { createLink, type Link } from './link.ts'
import { followQuotesOf, type QuoteFeed } from './quotes.ts'
import { createMoment, type MomentStore } from './moment.ts'
import { createPastDensity, type PastDensity } from './past-density.ts'
import { createPast, type Past } from './past.ts'
import type { Replay } from './replay-state.ts'
import { createReplay } from './replay.ts'
import { openSettings, type Settings } from './settings.ts'
import { pollSnapshots, type SnapshotsState } from './snapshots.ts'
import { pollStats, type StatsState } from './stats.ts'
import { pollSymbols, type SymbolsState } from './symbols.ts'
import { createTapeView, type TapeView } from './tape-view.ts'
import { createTradeFeed, followAllTrades, followTradesOf, type TradeFeed } from './trades.ts'

/** What is followed because of the selection. */
export interface Focus {
  instrument?: Instrument
  quotes?: QuoteFeed
  trades?: TradeFeed
}

export interface Workspace {
  link: Link
  settings: StoreApi<Settings>
  instruments: Instruments
  density: Density
  pastDensity: PastDensity
  trades: TradeFeed
  focus: StoreApi<Focus>
  tape: TapeView
  /** Which moment every pane shows. */
  moment: MomentStore
  past: StoreApi<Past>
  asOf: AsOfRows
  /** Of trades, newest first. */
  snapshots: StoreApi<SnapshotsState>
  explorer: Explorer
  /** Of the chart. */
  bars: BarsStore
  replay: Replay
  symbols: StoreApi<SymbolsState>
  /** What the symbol list is narrowed to. */
  filter: StoreApi<{ text: string }>
  stats: StoreApi<StatsState>
  demo: Demo
  select: (instrument: Instrument) => void
  close: () => void
}

const ACTIVITY_EVERY_MS = 1000

export function openWorkspace(openPort: () => Promise<Port>, storage: Pick<Storage, 'getItem' | 'setItem'>): Workspace {
  const link = createLink(openPort)
  const settings = openSettings(storage)
  const instruments = createInstruments()
  const density = createDensity()
  const pastDensity = createPastDensity(link)
  const trades = followAllTrades(link, instruments, density)
  const focus = createStore<Focus>(() => ({}))
  const moment = createMoment()
  const past = createPast(moment.state, () => createTradeFeed(instruments).feed)
  const tape = createTapeView(
    trades,
    () => focus.getState().trades,
    () => past.getState().trades,
  )
  const replay = createReplay({
    link,
    moment,
    past,
    instruments,
    instrument: () => focus.getState().instrument,
    barLength: () => {
      const { interval } = bars.state.getState()
      return interval === '1d' ? '1h' : interval
    },
    dayOf: exchangeDay,
  })
  const bars: BarsStore = createBars({
    link,
    instrument: () => focus.getState().instrument,
    moment: moment.state,
    replayEnd: replay.end,
    arrived: () => focus.getState().trades?.received ?? 0,
  })
  focus.subscribe(bars.wake)
  focus.subscribe(replay.follow)
  replay.state.subscribe(bars.wake)
  const asOf = followAsOf({ link, moment, past, focus, tape, instruments })
  const snapshots = pollSnapshots(link)
  const explorer = createExplorer({ link, moment, focus, replay: replay.state, newestMicros: () => density.edge })
  const symbols = pollSymbols(link, instruments, moment)
  const stats = pollStats(link)
  const demo = watchDemo(link)

  function select(instrument: Instrument): void {
    const before = focus.getState()
    if (before.instrument === instrument) return
    before.quotes?.close()
    before.trades?.close()
    if (tape.state.getState().scope === 'one') tape.goLive()
    focus.setState({
      instrument,
      quotes: followQuotesOf(link, instrument),
      trades: followTradesOf(link, instruments, instrument),
    })
    settings.setState({ selected: instrument.name })
  }

  let measuredAt = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    instruments.measureActivity(now - measuredAt)
    measuredAt = now
    if (!focus.getState().instrument) selectFirst()
  }, ACTIVITY_EVERY_MS)
  const unsubscribe = symbols.state.subscribe(() => {
    if (!focus.getState().instrument) selectFirst()
  })

  /** No pane stays blank: the instrument of last time, else the one that has traded most. */
  function selectFirst(): void {
    const remembered = instruments.named(settings.getState().selected ?? '')
    const busiest = () => instruments.all.reduce((a, b) => (b.listedTrades > a.listedTrades ? b : a))
    if (remembered) select(remembered)
    else if (symbols.state.getState().count) select(busiest())
  }

  return {
    link,
    settings,
    instruments,
    density,
    pastDensity,
    trades,
    focus,
    tape,
    moment,
    past,
    asOf,
    snapshots: snapshots.state,
    explorer,
    bars,
    replay,
    symbols: symbols.state,
    filter: createStore(() => ({ text: '' })),
    stats: stats.state,
    demo,
    select,
    close() {
      clearInterval(timer)
      unsubscribe()
      for (const part of [explorer, pastDensity, asOf, snapshots, trades, bars, replay, symbols, stats, demo, link])
        part.close()
      focus.getState().quotes?.close()
      focus.getState().trades?.close()
    },
  }
}
