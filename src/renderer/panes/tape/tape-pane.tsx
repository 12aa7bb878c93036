// The tape: trades as they happen, newest on top; held still and scrolled back at will.
import { useEffect, useRef, useState } from 'react'
import { useStore } from 'zustand'
import { heldRows } from '../../stores/ring.ts'
import { ROW_HEIGHT_PX } from '../../stores/settings.ts'
import { grouped, rateText } from '../../ui/decimal-text.ts'
import { Pane } from '../../ui/pane.tsx'
import { PastNote } from '../../ui/past-note.tsx'
import { useWorkspace, useZone } from '../../ui/workspace-context.ts'
import { timeOfDay } from '../../ui/zone-time.ts'
import { mountTape } from './tape-rows.ts'
import './tape.css'

export function TapePane() {
  return (
    <Pane name="tape" title="Tape" head={<TapeHead />}>
      <TapeTable />
    </Pane>
  )
}

function TapeTable() {
  const workspace = useWorkspace()
  const zone = useZone()
  const rowHeightPx = useStore(workspace.settings, ({ density }) => ROW_HEIGHT_PX[density])
  const scope = useStore(workspace.tape.state, state => state.scope)
  useStore(workspace.past) // another feed
  const hasRows = useStore(workspace.tape.feed().state, state => state.hasRows)
  const isLive = useStore(workspace.moment.state, ({ mode }) => mode === 'live')
  const scroller = useRef<HTMLDivElement>(null)
  useEffect(() => mountTape(scroller.current!, workspace, zone, rowHeightPx), [workspace, zone, rowHeightPx])
  return (
    <div className="tape-table" role="table" aria-label="Trades, newest first">
      <div className="row-heads tape-columns" role="row">
        <span role="columnheader">{isLive ? <OrderChoice /> : 'Time'}</span>
        <span role="columnheader">Symbol</span>
        <span role="columnheader" className="venue">
          Venue
        </span>
        <span role="columnheader" className="number">
          Price
        </span>
        <span role="columnheader">
          <span className="unseen">Direction</span>
        </span>
        <span role="columnheader" className="number">
          Quantity
        </span>
        <span role="columnheader" className="side">
          Side
        </span>
        <span role="columnheader" className="conditions">
          Conditions
        </span>
      </div>
      <div
        ref={scroller}
        className="row-scroller tape-columns"
        role="rowgroup"
        tabIndex={0}
        data-home
        aria-label="Trades"
      />
      {!hasRows &&
        (isLive ? (
          <p className="pane-note">{scope === 'one' ? 'No trades of it in the tail yet.' : 'No trades yet.'}</p>
        ) : (
          <PastNote what="trades" />
        ))}
    </div>
  )
}

/** Rows of several partitions arrive in another order than they happened in. */
function OrderChoice() {
  const { tape } = useWorkspace()
  const order = useStore(tape.state, state => state.order)
  const isByTime = order === 'time'
  return (
    <button
      type="button"
      aria-pressed={isByTime}
      title={
        isByTime ? 'In the order they happened; press for as they arrive' : 'As they arrive; press for as they happened'
      }
      onClick={() => tape.arrange(isByTime ? 'arrival' : 'time')}
    >
      Time
    </button>
  )
}

function TapeHead() {
  const { tape, focus, moment } = useWorkspace()
  const scope = useStore(tape.state, state => state.scope)
  const mode = useStore(moment.state, state => state.mode)
  const name = useStore(focus, ({ instrument }) => instrument?.name)
  return (
    <>
      <div className="segments" role="group" aria-label="Which trades">
        <button type="button" aria-pressed={scope === 'all'} onClick={() => tape.show('all')}>
          All
        </button>
        <button type="button" aria-pressed={scope === 'one'} disabled={!name} onClick={() => tape.show('one')}>
          {name ?? 'One symbol'}
        </button>
      </div>
      <span className="spring" />
      {mode === 'as_of' ? <PastCount /> : <Progress key={scope} />}
      {mode === 'live' && <HoldButton />}
    </>
  )
}

/** The past stands still by itself. */
function PastCount() {
  const { tape, past } = useWorkspace()
  useStore(past) // another feed
  const hasRows = useStore(tape.feed().state, state => state.hasRows)
  return <span className="progress held">{hasRows && `newest ${grouped(heldRows(tape.feed().ring))} then`}</span>
}

function HoldButton() {
  const { tape } = useWorkspace()
  const held = useStore(tape.state, state => state.held)
  return (
    <button
      type="button"
      className="button hold"
      aria-pressed={held !== undefined}
      onClick={() => (held ? tape.goLive() : tape.hold())}
    >
      <span className="hold-glyph" aria-hidden="true">
        {held ? '▶' : '❚❚'}
      </span>
      {held ? 'Live' : 'Pause'}
      <kbd>{held ? 'Home' : 'Space'}</kbd>
    </button>
  )
}

const PROGRESS_EVERY_MS = 1000

/** Rows a second while live; while held, since when and how many have come meanwhile. */
function Progress() {
  const { tape } = useWorkspace()
  const zone = useZone()
  const held = useStore(tape.state, state => state.held)
  const [{ perSecond, received }, setProgress] = useState({ perSecond: 0, received: 0 })
  useEffect(() => {
    const look = () => ({ feed: tape.feed(), live: tape.feed().received - tape.feed().backlog, at: performance.now() })
    let before = look()
    const timer = setInterval(() => {
      const now = look()
      const isSame = now.feed === before.feed
      const perSecond = isSame ? ((now.live - before.live) * 1000) / (now.at - before.at) : 0
      before = now
      setProgress({ perSecond, received: now.feed.received })
    }, PROGRESS_EVERY_MS)
    return () => clearInterval(timer)
  }, [tape])
  if (!held) return <span className="progress">{rateText(perSecond)} trades/s</span>
  const newest = held.end > 0 ? held.time[(held.end - 1) & (held.capacity - 1)] : undefined
  return (
    <span className="progress held">
      {newest !== undefined && <span className="held-at">Held at {timeOfDay(newest, zone, 'second')} · </span>}
      {grouped(Math.max(0, received - held.end))} new
    </span>
  )
}
