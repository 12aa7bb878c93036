// The explorer: what is asked of the tables, and the result that K2 holds of it; per tab, so that going to and fro asks nothing.
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Failure } from '../../contract/failure.ts'
import { spanOf } from './explorer-span.ts'
import { rowsStatement, type Statement } from './explorer-statement.ts'
import { openResult, type HeldResult } from './held-result.ts'
import type { Link } from './link.ts'
import { pastStateOf, type MomentStore } from './moment.ts'
import type { ReplayState } from './replay-state.ts'
import type { Focus } from './workspace.ts'

export type ExplorerTab = 'trades' | 'quotes' | 'sql'
export type RangeName = 'all' | '15m' | '1h' | '1d' | 'between'

/** What the rows of trades and quotes are narrowed to. */
export interface ExplorerFilter {
  scope: 'linked' | 'all'
  range: RangeName
  /** For `between`, microseconds since 1970. */
  fromMicros?: number
  toMicros?: number
  newestFirst: boolean
}

export interface Run {
  /** Stays while the next one is under way, and when that fails. */
  result?: HeldResult
  /** What `result` answers; the same when it was asked again, so that the grid stays where it is. */
  question?: string
  isRunning: boolean
  /** Asked by the clock of a replay, which needs no sign of it. */
  isByClock?: boolean
  failure?: Failure
  /** Whether it was asked for, by a person or by opening its tab. */
  wasAsked: boolean
}

export interface ExplorerState {
  tab: ExplorerTab
  filter: ExplorerFilter
  sql: string
  runs: Record<ExplorerTab, Run>
}

export interface Explorer {
  state: StoreApi<ExplorerState>
  show: (tab: ExplorerTab) => void
  narrow: (change: Partial<ExplorerFilter>) => void
  /** Takes the last change of the filter back; says whether there was one. */
  undo: () => boolean
  write: (sql: string) => void
  /** Asks what is on the open tab, anew. */
  run: () => Promise<void>
  cancel: () => void
  isRunning: () => boolean
  close: () => void
}

const IDLE: Run = { isRunning: false, wasAsked: false }
const FIRST_SQL = `SELECT symbol, count(*) AS trades,
  sum(quantity) AS volume, vwap(price, quantity) AS vwap
FROM trades GROUP BY symbol
ORDER BY trades DESC`
const MOST_UNDO = 50
/** Walking through symbols with a held key asks for the last one only. */
const SETTLE_MS = 200
/** While a replay plays. */
const FOLLOW_EVERY_MS = 1000

export interface ExplorerParts {
  link: Link
  moment: MomentStore
  focus: StoreApi<Focus>
  replay: Pick<StoreApi<Pick<ReplayState, 'session'>>, 'getState' | 'subscribe'>
  /** Exchange time of the newest row, for spans that end there; microseconds since 1970. */
  newestMicros: () => number
}

export function createExplorer(parts: ExplorerParts): Explorer {
  const { link, moment, focus, replay } = parts
  const state = createStore<ExplorerState>(() => ({
    tab: 'trades',
    filter: { scope: 'linked', range: '1h', newestFirst: true },
    sql: FIRST_SQL,
    runs: { trades: IDLE, quotes: IDLE, sql: IDLE },
  }))
  const selected = () => focus.getState().instrument
  const before: ExplorerFilter[] = []
  const asking: Partial<Record<ExplorerTab, AbortController>> = {}
  let settling: ReturnType<typeof setTimeout> | undefined
  let following: ReturnType<typeof setTimeout> | undefined
  let askedAtMs = -Infinity

  function setRun(tab: ExplorerTab, change: Partial<Run>): void {
    state.setState(({ runs }) => ({ runs: { ...runs, [tab]: { ...runs[tab], ...change } } }))
  }

  async function statementOf(tab: ExplorerTab, signal: AbortSignal): Promise<Statement> {
    const { filter, sql } = state.getState()
    if (tab === 'sql') return { sql, params: [] }
    const instrument = filter.scope === 'linked' ? selected() : undefined
    const span = await spanOf(parts, { table: tab, filter, instrument }, signal)
    return rowsStatement(tab, { instrument, newestFirst: filter.newestFirst, ...span })
  }

  function questionOn(tab: ExplorerTab): string {
    const { filter, sql } = state.getState()
    const what = tab === 'sql' ? sql : [filter, filter.scope === 'linked' && selected()?.name]
    return JSON.stringify([tab, what, moment.state.getState()])
  }

  async function run(isByClock = false): Promise<void> {
    const { tab } = state.getState()
    const now = moment.state.getState()
    if (tab !== 'sql' && state.getState().filter.scope === 'linked' && !selected()) return
    if (now.mode === 'replay' && now.session === undefined) return
    asking[tab]?.abort()
    const mine = (asking[tab] = new AbortController())
    askedAtMs = performance.now()
    const until = clock()
    const question = questionOn(tab)
    setRun(tab, { isRunning: true, isByClock, wasAsked: true, failure: undefined })
    try {
      const statement = await statementOf(tab, mine.signal)
      const result = await openResult(link, { ...statement, ...pastStateOf(now) }, mine.signal)
      if (mine.signal.aborted) return result.close()
      state.getState().runs[tab].result?.close()
      setRun(tab, { isRunning: false, result, question })
      if (clock() !== until) follow()
    } catch (failure) {
      if (mine.signal.aborted) return
      setRun(tab, { isRunning: false, failure: failure as Failure })
    }
  }

  function clock(): string | undefined {
    return replay.getState().session?.visible_until
  }

  /** Rows go on with the clock of a replay: at once where it stands still, else so often, and never one over the other. */
  function follow(): void {
    clearTimeout(following)
    if (moment.state.getState().mode !== 'replay') return
    const isPlaying = replay.getState().session?.state === 'playing'
    const waitMs = isPlaying ? Math.max(0, askedAtMs + FOLLOW_EVERY_MS - performance.now()) : 0
    following = setTimeout(() => {
      const { tab, runs } = state.getState()
      if (tab !== 'sql' && !runs[tab].isRunning) void run(true)
    }, waitMs)
  }

  function cancel(): void {
    const { tab, runs } = state.getState()
    if (!runs[tab].isRunning) return
    asking[tab]?.abort()
    setRun(tab, { isRunning: false })
  }

  /** What stands in the other tabs is of before: they ask when they are opened. */
  function askAgain(tabs: readonly ExplorerTab[]): void {
    const { tab: open } = state.getState()
    for (const tab of tabs) if (tab !== open) setRun(tab, { wasAsked: false })
    if (!tabs.includes(open)) return
    clearTimeout(settling)
    settling = setTimeout(() => {
      if (state.getState().tab === open) void run()
      else setRun(open, { wasAsked: false })
    }, SETTLE_MS)
  }

  function show(tab: ExplorerTab): void {
    state.setState({ tab })
    if (tab !== 'sql' && !state.getState().runs[tab].wasAsked) void run()
  }

  function setFilter(filter: ExplorerFilter): void {
    state.setState({ filter })
    askAgain(['trades', 'quotes'])
  }

  const ends = [
    moment.state.subscribe(() => {
      const { runs } = state.getState()
      askAgain(runs.sql.wasAsked ? ['trades', 'quotes', 'sql'] : ['trades', 'quotes'])
    }),
    replay.subscribe(({ session }, { session: last }) => {
      if (!session || !last || session.session !== last.session) return
      if (session.visible_until === last.visible_until && session.state === last.state) return
      const { tab } = state.getState()
      for (const other of ['trades', 'quotes'] as const) if (other !== tab) setRun(other, { wasAsked: false })
      if (state.getState().runs[tab].isRunning) return // which looks at the clock again when it is done
      follow()
    }),
    focus.subscribe(({ instrument }, { instrument: last }) => {
      if (instrument !== last && state.getState().filter.scope === 'linked') askAgain(['trades', 'quotes'])
    }),
    link.store.subscribe(({ client }, { client: last }) => {
      const { tab, runs } = state.getState()
      if (client && client !== last && tab !== 'sql' && !runs[tab].result) void run()
    }),
  ]
  return {
    state,
    show,
    narrow(change) {
      const { filter } = state.getState()
      before.push(filter)
      if (before.length > MOST_UNDO) before.shift()
      setFilter({ ...filter, ...change })
    },
    undo() {
      const last = before.pop()
      if (last) setFilter(last)
      return last !== undefined
    },
    write: sql => state.setState({ sql }),
    run: () => run(),
    cancel,
    isRunning: () => state.getState().runs[state.getState().tab].isRunning,
    close() {
      clearTimeout(settling)
      clearTimeout(following)
      for (const end of ends) end()
      for (const asked of Object.values(asking)) asked.abort()
      for (const { result } of Object.values(state.getState().runs)) result?.close()
    },
  }
}
