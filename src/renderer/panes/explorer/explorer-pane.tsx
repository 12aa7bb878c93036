// The explorer: rows of the tables, or of a statement of SQL, in a grid over a result that K2 holds.
import { lazy, Suspense, useCallback, useState } from 'react'
import { useStore } from 'zustand'
import type { GridHandle } from '../../grid/result-grid.tsx'
import type { ExplorerTab, Run } from '../../stores/explorer.ts'
import { ROW_HEIGHT_PX } from '../../stores/settings.ts'
import { grouped } from '../../ui/decimal-text.ts'
import { Pane } from '../../ui/pane.tsx'
import { useWorkspace, useZone } from '../../ui/workspace-context.ts'
import { ExplorerFilterRow } from './explorer-filter.tsx'
import { ExplorerLine } from './explorer-line.tsx'
import { SqlEditor } from './sql-editor.tsx'
import '../../grid/grid.css'
import './explorer.css'

/** 200 kB that nobody needs before there are rows. */
const ResultGrid = lazy(loadGrid)
const LOAD_AGAIN_MS = 2000

/** While K2 cannot be reached the grid cannot be loaded either: it is tried until it can. */
async function loadGrid() {
  for (;;) {
    try {
      return { default: (await import('../../grid/result-grid.tsx')).ResultGrid }
    } catch {
      await new Promise(resolve => setTimeout(resolve, LOAD_AGAIN_MS))
    }
  }
}

const TABS: readonly { tab: ExplorerTab; title: string }[] = [
  { tab: 'trades', title: 'Trades' },
  { tab: 'quotes', title: 'Quotes' },
  { tab: 'sql', title: 'SQL' },
]

/** SQL shows the columns' own names. */
const HEADS = {
  exchange_timestamp: 'Time',
  symbol: 'Symbol',
  exchange: 'Venue',
  price: 'Price',
  quantity: 'Quantity',
  side: 'Side',
  trade_conditions: 'Conditions',
  bid_quantity: 'Bid size',
  bid_price: 'Bid',
  ask_price: 'Ask',
  ask_quantity: 'Ask size',
  trade_id: 'Trade id',
  quote_id: 'Quote id',
  currency: 'Currency',
  source_sequence: 'Sequence',
  ingestion_timestamp: 'Taken in',
  _partition: 'Partition',
  _offset: 'Offset',
  message_id: 'Message id',
}

export function ExplorerPane() {
  const { explorer } = useWorkspace()
  const tab = useStore(explorer.state, state => state.tab)
  const run = useStore(explorer.state, state => state.runs[state.tab])
  const [grid, setGrid] = useState<GridHandle>()
  const [hasFilterRow, setFilterRow] = useState(false)
  const [count, setCount] = useState<{ rows: number; isFiltered: boolean }>()
  const [trouble, setTrouble] = useState<string>()
  /** What nobody sees must not narrow. */
  const toggleFilterRow = () => {
    if (hasFilterRow) grid?.clearFilter()
    setFilterRow(!hasFilterRow)
  }
  const tellCount = useCallback((rows: number, isFiltered: boolean) => setCount({ rows, isFiltered }), [])
  const takeGrid = useCallback((handle: GridHandle | undefined) => {
    setGrid(handle)
    if (handle) return
    // They were of the grid that is gone.
    setCount(undefined)
    setTrouble(undefined)
  }, [])
  return (
    <Pane name="explorer" title="Explorer" head={<ExplorerHead run={run} count={count} />}>
      <div className="waiting-bar" role="progressbar" aria-label="Asking" hidden={!run.isRunning || run.isByClock} />
      {tab === 'sql' ? <SqlEditor /> : <ExplorerFilterRow hasFilterRow={hasFilterRow} onFilterRow={toggleFilterRow} />}
      {run.failure && run.result && <FailureNote run={run} tab={tab} />}
      <div className="explorer-body">
        {run.result ? (
          <ResultRows
            key={`${run.question} ${JSON.stringify(run.result.columns)}`}
            run={run}
            tab={tab}
            hasFilterRow={hasFilterRow}
            onCount={tellCount}
            onTrouble={setTrouble}
            onReady={takeGrid}
          />
        ) : (
          <NoResult run={run} tab={tab} />
        )}
      </div>
      <ExplorerLine run={run} grid={grid} trouble={trouble} />
    </Pane>
  )
}

interface HeadProps {
  run: Run
  count: { rows: number; isFiltered: boolean } | undefined
}

function ExplorerHead({ run, count }: HeadProps) {
  const { explorer } = useWorkspace()
  const tab = useStore(explorer.state, state => state.tab)
  const { result } = run
  return (
    <>
      <div className="segments" role="group" aria-label="What to explore">
        {TABS.map(({ tab: name, title }) => (
          <button
            key={name}
            type="button"
            data-home={tab === name || undefined}
            aria-pressed={tab === name}
            onClick={() => explorer.show(name)}
          >
            {title}
          </button>
        ))}
      </div>
      {result && (
        <span className="count" role="status">
          {count?.isFiltered
            ? `${grouped(count.rows)} of ${grouped(result.row_count)} rows`
            : `${grouped(result.row_count)} ${result.row_count === 1 ? 'row' : 'rows'}`}
        </span>
      )}
      <span className="spring" />
      {run.isRunning && !run.isByClock ? (
        <button type="button" className="button" onClick={explorer.cancel}>
          Cancel<kbd>Esc</kbd>
        </button>
      ) : (
        <button type="button" className="button" onClick={() => void explorer.run()} title="Ask again">
          {tab === 'sql' ? 'Run' : 'Refresh'}
        </button>
      )}
    </>
  )
}

interface RowsProps {
  run: Run
  tab: ExplorerTab
  hasFilterRow: boolean
  onCount: (rows: number, isFiltered: boolean) => void
  onTrouble: (trouble: string | undefined) => void
  onReady: (grid: GridHandle | undefined) => void
}

function ResultRows({ run, tab, hasFilterRow, onCount, onTrouble, onReady }: RowsProps) {
  const { settings } = useWorkspace()
  const zone = useZone()
  const rowHeightPx = useStore(settings, ({ density }) => ROW_HEIGHT_PX[density])
  const result = run.result!
  if (result.row_count === 0) return <NoRows tab={tab} />
  return (
    <Suspense fallback={null}>
      <ResultGrid
        result={result}
        zone={zone}
        rowHeightPx={rowHeightPx}
        noValue={tab === 'sql' ? 'NULL' : '–'}
        hasFilterRow={hasFilterRow || tab === 'sql'}
        headOf={tab === 'sql' ? undefined : HEADS}
        label={tab === 'sql' ? 'Rows of the statement' : `Rows of ${tab}`}
        onCount={onCount}
        onTrouble={onTrouble}
        onReady={onReady}
      />
    </Suspense>
  )
}

const UP_TO_WHEN = { live: 'yet', as_of: 'were known at this moment', replay: 'up to the clock of the replay' } as const

/** Empty says why, and what to do next. */
function NoRows({ tab }: { tab: ExplorerTab }) {
  const { explorer, focus, moment } = useWorkspace()
  const { scope, range } = useStore(explorer.state, state => state.filter)
  const name = useStore(focus, ({ instrument }) => instrument?.name)
  const mode = useStore(moment.state, state => state.mode)
  if (tab === 'sql') return <p className="pane-note">The statement has no rows.</p>
  const what = scope === 'linked' && name ? `${tab} of ${name}` : tab
  return (
    <div className="pane-note">
      <p>
        No {what} {range === 'all' ? '' : 'in this time '}
        {UP_TO_WHEN[mode]}.
      </p>
      {range !== 'all' && (
        <button type="button" className="button" onClick={() => explorer.narrow({ range: 'all' })}>
          Look at all times
        </button>
      )}
      {range === 'all' && scope === 'linked' && (
        <button type="button" className="button" onClick={() => explorer.narrow({ scope: 'all' })}>
          Look at all symbols
        </button>
      )}
    </div>
  )
}

function NoResult({ run, tab }: { run: Run; tab: ExplorerTab }) {
  if (run.failure) return <FailureNote run={run} tab={tab} />
  if (run.isRunning) return null
  return (
    <p className="pane-note">
      {tab === 'sql'
        ? 'Write a statement and run it; nothing in it can change the tables.'
        : 'Pick a symbol to see its rows.'}
    </p>
  )
}

/** The statement's own faults are marked in the editor too. */
function FailureNote({ run, tab }: { run: Run; tab: ExplorerTab }) {
  const { explorer } = useWorkspace()
  const { message, code } = run.failure!
  const isOfStatement = code === 'INVALID_INPUT' && tab === 'sql'
  return (
    <div className="explorer-fault" role="alert">
      <p className="problem">{message}</p>
      {!isOfStatement && (
        <button type="button" className="button" onClick={() => void explorer.run()}>
          Try again
        </button>
      )}
      {run.result && <p className="dim">Below are the rows of before.</p>}
    </div>
  )
}
