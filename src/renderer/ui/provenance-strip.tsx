// The strip under the panes: where the rows of the tape come from, whether all are there, how fresh, how many, how fast.
import { useStore } from 'zustand'
import { heldRows } from '../stores/ring.ts'
import { ageText, grouped } from './decimal-text.ts'
import { completenessOf, tierText, writingOf } from './provenance-text.ts'
import { useNow } from './use-now.ts'
import { useWorkspace, useZone } from './workspace-context.ts'
import { timeOfDay } from './zone-time.ts'

const EVERY_MS = 500

export function ProvenanceStrip() {
  const { moment } = useWorkspace()
  const mode = useStore(moment.state, state => state.mode)
  return mode === 'as_of' ? <PastProvenance /> : <LiveProvenance />
}

/** Of the tape's rows as a moment knew them. */
function PastProvenance() {
  const { link, asOf, tape, past, focus } = useWorkspace()
  useStore(past) // another feed
  const linkState = useStore(link.store)
  const { query, failure, isAsking } = useStore(asOf.state)
  const scope = useStore(tape.state, state => state.scope)
  const instrument = useStore(focus, state => state.instrument)
  const why = failure ?? (query?.partial ? (query.why ?? 'K2 does not say why') : undefined)
  return (
    <section className="provenance" aria-label="Where these rows come from">
      <span className="unit">{scope === 'one' && instrument ? `Trades of ${instrument.name}` : 'Trades'}</span>
      {query && <span className="unit">{tierText(linkState, query)}</span>}
      {isAsking && <span className="unit">asking</span>}
      {why !== undefined && (
        <span className="unit partial" title={why}>
          {failure === undefined ? `Partial: ${why}` : why}
        </span>
      )}
      {query && why === undefined && <span className="unit">Complete as of then</span>}
      {query?.files && (
        <span className="unit">
          read {grouped(query.files.read)} of {grouped(query.files.total)} files
        </span>
      )}
      {query && <span className="unit">{grouped(heldRows(tape.feed().ring))} newest rows</span>}
      {query && <span className="unit">{query.ms < 10 ? query.ms.toFixed(1) : grouped(query.ms)} ms</span>}
    </section>
  )
}

function LiveProvenance() {
  const { link, tape, symbols, focus, stats, past } = useWorkspace()
  const now = useNow(EVERY_MS)
  const zone = useZone()
  const linkState = useStore(link.store)
  const query = useStore(symbols, state => state.query)
  const writing = writingOf(useStore(stats, state => state.stats?.writer))
  const scope = useStore(tape.state, state => state.scope)
  const held = useStore(tape.state, state => state.held)
  const instrument = useStore(focus, state => state.instrument)
  useStore(past) // another feed
  const feed = tape.feed()
  const feedState = useStore(feed.state)

  const complete = completenessOf(linkState, feedState, query, ms => timeOfDay(ms * 1000, zone, 'second'))
  return (
    <section className="provenance" aria-label="Where these rows come from">
      <span className="unit">{scope === 'one' && instrument ? `Trades of ${instrument.name}` : 'Trades'}</span>
      <span className="unit">{tierText(linkState, query)}</span>
      <span className={complete.isComplete ? 'unit' : 'unit partial'} title={complete.text}>
        {complete.text}
      </span>
      {feedState.hasRows && (
        <>
          <span className="unit age">{ageText(now - feed.newestAtMs)} old</span>
          <span className="unit rows">{grouped(heldRows(held ?? feed.ring))} rows held</span>
        </>
      )}
      {writing && (
        <span className={writing.isComplete ? 'unit writing' : 'unit partial'} title={writing.text}>
          {writing.text}
        </span>
      )}
      {query && <span className="unit">answered in {query.ms < 10 ? query.ms.toFixed(1) : grouped(query.ms)} ms</span>}
    </section>
  )
}
