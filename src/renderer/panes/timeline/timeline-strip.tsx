// The timeline: which moment is shown, how busy the minutes before it were, how far back the tail reaches.
import { useEffect, useRef } from 'react'
import { useStore } from 'zustand'
import { useNow } from '../../ui/use-now.ts'
import { useWorkspace, useZone } from '../../ui/workspace-context.ts'
import { dateOf, timeOfDay } from '../../ui/zone-time.ts'
import { mountTimeline } from './draw-timeline.ts'
import './timeline.css'

export function TimelineStrip() {
  return (
    <section className="timeline" data-pane="timeline" aria-label="Timeline">
      <Moment />
      <Density />
      <Modes />
    </section>
  )
}

/** The moment that every pane shows, in exchange time. */
function Moment() {
  const { density } = useWorkspace()
  const zone = useZone()
  useNow(250)
  const { edge } = density
  return (
    <div className="moment">
      <span className="moment-time">{edge === 0 ? '--:--:--' : timeOfDay(edge, zone, 'second')}</span>
      <span className="moment-date">{edge === 0 ? 'no trades yet' : dateOf(edge, zone)}</span>
    </div>
  )
}

function Density() {
  const workspace = useWorkspace()
  const zone = useZone()
  const canvas = useRef<HTMLCanvasElement>(null)
  const minutes = useStore(workspace.stats, ({ stats }) => stats?.tail.trades.buffer_minutes)
  useEffect(() => mountTimeline(canvas.current!, workspace, zone), [workspace, zone])
  const about = minutes === undefined ? '' : ` The tail holds ${minutes.toFixed(1)} minutes.`
  return <canvas ref={canvas} className="density" role="img" aria-label={`Trades over the last minutes.${about}`} />
}

const COMING = [
  {
    id: 'why-as-of',
    name: 'As of…',
    why: 'Going back to a moment comes with queries over the lake: the page does not read its snapshots yet; `k2 lake snapshots` lists them.',
  },
  {
    id: 'why-replay',
    name: 'Replay',
    why: 'Replaying a day comes with queries over the lake: the page shows only the last minutes yet.',
  },
]

/** The only place where "now" is set. */
function Modes() {
  return (
    <div className="modes">
      <div className="segments" role="group" aria-label="Moment">
        <button type="button" aria-pressed="true" data-home>
          Live
        </button>
        {COMING.map(({ id, name, why }) => (
          <span key={id} className="explained">
            <button type="button" aria-disabled="true" aria-describedby={id}>
              {name}
            </button>
            <span id={id} role="tooltip">
              {why}
            </span>
          </span>
        ))}
      </div>
    </div>
  )
}
