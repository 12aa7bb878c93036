// The list of symbols: last price, direction, how busy; filtered by typing, walked by the arrows.
import { useEffect, useRef, useState } from 'react'
import { useStore } from 'zustand'
import { CHOICES, ROW_HEIGHT_PX } from '../../stores/settings.ts'
import { Pane } from '../../ui/pane.tsx'
import { useWorkspace } from '../../ui/workspace-context.ts'
import { mountSymbols } from './symbol-rows.ts'
import './symbols.css'

export function SymbolsPane() {
  const { filter } = useWorkspace()
  const [counts, setCounts] = useState({ shown: 0, all: 0 })
  const text = useStore(filter, state => state.text)
  return (
    <Pane name="symbols" title="Symbols" head={<SymbolsHead {...counts} />}>
      <SymbolList onCounts={(shown, all) => setCounts({ shown, all })} />
      {counts.all > 0 && counts.shown === 0 && (
        <p className="pane-note">
          No symbol matches “{text}”. <kbd>Esc</kbd> in the filter clears it.
        </p>
      )}
    </Pane>
  )
}

function SymbolsHead({ shown, all }: { shown: number; all: number }) {
  const { filter } = useWorkspace()
  const text = useStore(filter, state => state.text)
  return (
    <>
      <span className="count">{text ? `${shown} of ${all}` : all}</span>
      <input
        id="symbol-filter"
        type="search"
        placeholder="Filter"
        aria-label="Filter symbols"
        aria-keyshortcuts="/"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={event => filter.setState({ text: event.target.value })}
        onKeyDown={event => {
          if (event.key === 'Escape') {
            filter.setState({ text: '' })
            event.currentTarget.blur()
          }
          if (event.key === 'Enter' || event.key === 'ArrowDown') {
            event.preventDefault()
            document.getElementById('symbol-list')?.focus()
          }
        }}
      />
    </>
  )
}

function SymbolList({ onCounts }: { onCounts: (shown: number, all: number) => void }) {
  const workspace = useWorkspace()
  const order = useStore(workspace.settings, state => state.order)
  const rowHeightPx = useStore(workspace.settings, ({ density }) => ROW_HEIGHT_PX[density])
  const scroller = useRef<HTMLDivElement>(null)
  const tell = useRef(onCounts)
  useEffect(
    () => mountSymbols(scroller.current!, workspace, rowHeightPx, (shown, all) => tell.current(shown, all)),
    [workspace, rowHeightPx],
  )
  return (
    <>
      <div className="row-heads symbol-columns">
        {CHOICES.order.map(choice => (
          <button
            key={choice}
            type="button"
            className={`order-${choice}`}
            aria-pressed={order === choice}
            title={choice === 'symbol' ? 'Order by venue and symbol' : 'Order by trades a second, busiest first'}
            onClick={() => workspace.settings.setState({ order: choice })}
          >
            {choice === 'symbol' ? 'Symbol' : 'Trades/s'}
          </button>
        ))}
        <span className="venue-head">Venue</span>
        <span className="last-head">Last</span>
      </div>
      <div
        ref={scroller}
        id="symbol-list"
        className="row-scroller symbol-columns"
        role="listbox"
        aria-label="Symbols"
        tabIndex={0}
        data-home
      />
    </>
  )
}
