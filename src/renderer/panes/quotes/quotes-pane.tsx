// Quotes of the selected instrument: the book's top, large, and how it came to be, below.
import { useEffect, useRef } from 'react'
import { useStore } from 'zustand'
import { ROW_HEIGHT_PX } from '../../stores/settings.ts'
import type { QuoteFeed } from '../../stores/quotes.ts'
import { Pane } from '../../ui/pane.tsx'
import { PastNote } from '../../ui/past-note.tsx'
import { useWorkspace, useZone } from '../../ui/workspace-context.ts'
import { mountQuotes } from './quote-rows.ts'
import './quotes.css'

export function QuotesPane() {
  const { focus, moment } = useWorkspace()
  const instrument = useStore(focus, state => state.instrument)
  const mode = useStore(moment.state, state => state.mode)
  const quotes = useShownQuotes()
  return (
    <Pane
      name="quotes"
      title="Quotes"
      head={
        instrument && (
          <span className="pane-subject" title={instrument.companyName ?? undefined}>
            <span className="name">{instrument.name}</span> <span className="dim">{instrument.companyName}</span>
          </span>
        )
      }
    >
      {quotes ? (
        <QuoteTable key={instrument!.name} quotes={quotes} />
      ) : (
        <NoQuotes isLive={mode === 'live' || !instrument} />
      )}
    </Pane>
  )
}

function NoQuotes({ isLive }: { isLive: boolean }) {
  return isLive ? <p className="pane-note">Pick a symbol to see its quotes.</p> : <PastNote what="quotes" />
}

/** Outside live those of the moment, and none until they are there. */
function useShownQuotes(): QuoteFeed | undefined {
  const { focus, moment, past } = useWorkspace()
  const isLive = useStore(moment.state, ({ mode }) => mode === 'live')
  const live = useStore(focus, state => state.quotes)
  const then = useStore(past, state => state.quotes)
  return isLive ? live : then
}

function QuoteTable({ quotes }: { quotes: QuoteFeed }) {
  const { settings, moment } = useWorkspace()
  const zone = useZone()
  const rowHeightPx = useStore(settings, ({ density }) => ROW_HEIGHT_PX[density])
  const hasRows = useStore(quotes.state, state => state.hasRows)
  const isLive = useStore(moment.state, ({ mode }) => mode === 'live')
  const top = useRef<HTMLDivElement>(null)
  const scroller = useRef<HTMLDivElement>(null)
  useEffect(() => mountQuotes(top.current!, scroller.current!, quotes, zone, rowHeightPx), [quotes, zone, rowHeightPx])
  return (
    <>
      <div ref={top} className="top-of-book" role="group" aria-label="Best bid and ask">
        <span className="label bid">Bid</span>
        <span className="label spread">Spread</span>
        <span className="label ask">Ask</span>
        <span className="price bid" data-cell="bid" />
        <span className="spread" data-cell="ticks" />
        <span className="price ask" data-cell="ask" />
        <span className="size bid" data-cell="bidQuantity" />
        <span className="spread dim" data-cell="middle" />
        <span className="size ask" data-cell="askQuantity" />
        <span className="balance" data-cell="balance" />
      </div>
      <div className="quote-table" role="table" aria-label="Quotes, newest first">
        <div className="row-heads quote-columns" role="row">
          <span role="columnheader">Time</span>
          <span role="columnheader" className="number">
            Bid size
          </span>
          <span role="columnheader" className="number">
            Bid
          </span>
          <span role="columnheader" className="number">
            Ask
          </span>
          <span role="columnheader" className="number">
            Ask size
          </span>
          <span role="columnheader" className="number">
            Spread
          </span>
        </div>
        <div
          ref={scroller}
          className="row-scroller quote-columns"
          role="rowgroup"
          tabIndex={0}
          data-home
          aria-label="Quotes"
        />
        {!hasRows &&
          (isLive ? <p className="pane-note">No quotes of it in the tail yet.</p> : <PastNote what="quotes" />)}
      </div>
    </>
  )
}
