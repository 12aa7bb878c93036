// The list of symbols: last price, direction, how busy; filtered by typing, walked by the arrows.
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useStore } from 'zustand'
import { ROW_HEIGHT_PX, type Settings } from '../../stores/settings.ts'
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
  const rowHeightPx = useStore(workspace.settings, ({ density }) => ROW_HEIGHT_PX[density])
  const isLive = useStore(workspace.moment.state, ({ mode }) => mode === 'live')
  const scroller = useRef<HTMLDivElement>(null)
  const tell = useRef(onCounts)
  useEffect(
    () => mountSymbols(scroller.current!, workspace, rowHeightPx, (shown, all) => tell.current(shown, all)),
    [workspace, rowHeightPx],
  )
  return (
    <>
      <div className="row-heads symbol-columns">
        <OrderButton order="symbol" title="Order by venue and symbol">
          Symbol
        </OrderButton>
        <span className="venue-head">Venue</span>
        <span className="last-head">{isLive ? 'Last' : ''}</span>
        <OrderButton order="activity" title="Order by trades a second, the busiest first">
          {isLive ? 'Trades/s' : 'Trades then'}
        </OrderButton>
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

interface OrderButtonProps {
  order: Settings['order']
  title: string
  children: ReactNode
}

function OrderButton({ order, title, children }: OrderButtonProps) {
  const { settings } = useWorkspace()
  const isOn = useStore(settings, state => state.order === order)
  return (
    <button
      type="button"
      className={`order-${order}`}
      aria-pressed={isOn}
      title={title}
      onClick={() => settings.setState({ order })}
    >
      {children}
    </button>
  )
}
