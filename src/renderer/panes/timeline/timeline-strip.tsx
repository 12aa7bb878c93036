// The timeline: which moment is shown, how busy the minutes before it were, how far back the tail reaches.
import { useEffect, useRef, type MouseEvent } from 'react'
import { useStore } from 'zustand'
import { useNow } from '../../ui/use-now.ts'
import { useWorkspace, useZone } from '../../ui/workspace-context.ts'
import { dateOf, timeOfDay } from '../../ui/zone-time.ts'
import { Transport } from '../replay/transport.tsx'
import { AsOfPopover, AS_OF_ID } from './as-of-popover.tsx'
import { mountTimeline, type Timeline } from './draw-timeline.ts'
import './timeline.css'

export function TimelineStrip() {
  return (
    <section className="timeline" data-pane="timeline" aria-label="Timeline">
      <MomentTime />
      <Transport />
      <Density />
      <Modes />
    </section>
  )
}

/** The moment that every pane shows: in exchange time while live, else where the playhead stands. */
function MomentTime() {
  const { density, moment } = useWorkspace()
  const zone = useZone()
  useNow(250)
  const { mode } = useStore(moment.state)
  const edge = mode === 'live' ? density.edge : (moment.clockMicros ?? 0)
  return (
    <div className="moment">
      <span className="moment-time">{edge === 0 ? '--:--:--' : timeOfDay(edge, zone, 'second')}</span>
      <span className="moment-date">
        {edge === 0 ? (mode === 'live' ? 'no trades yet' : 'no moment yet') : dateOf(edge, zone)}
      </span>
    </div>
  )
}

function Density() {
  const workspace = useWorkspace()
  const zone = useZone()
  const canvas = useRef<HTMLCanvasElement>(null)
  const minutes = useStore(workspace.stats, ({ stats }) => stats?.tail.trades.buffer_minutes)
  const timeline = useRef<Timeline>(undefined)
  useEffect(() => {
    const mounted = (timeline.current = mountTimeline(canvas.current!, workspace, zone))
    return mounted.close
  }, [workspace, zone])
  /** The way by keyboard is the field and the list of As of, and the replay's own keys. */
  const go = (event: MouseEvent<HTMLCanvasElement>) => {
    const place = timeline.current?.placeAt(event.nativeEvent.offsetX)
    if (!place) return
    const { moment, replay } = workspace
    const { snapshot, micros } = place
    if (moment.state.getState().mode === 'replay') replay.seek(micros)
    else if (snapshot)
      moment.goAsOf(snapshot.committedMicros, { snapshotId: snapshot.id, label: `Snapshot ${snapshot.id}` })
    else moment.goAsOf(micros)
  }
  const about = minutes === undefined ? '' : ` The tail holds ${minutes.toFixed(1)} minutes.`
  return (
    <canvas
      ref={canvas}
      className="density"
      role="img"
      aria-label={`Trades over the last minutes.${about}`}
      title="Go back to what was known at this moment"
      onClick={go}
    />
  )
}

/** The only place where "now" is set. */
function Modes() {
  const { moment, tape } = useWorkspace()
  const { mode } = useStore(moment.state)
  const goLive = () => {
    moment.goLive()
    tape.goLive()
  }
  return (
    <div className="modes">
      <div className="segments" role="group" aria-label="Moment">
        <button type="button" aria-pressed={mode === 'live'} data-home title="What arrives now (Home)" onClick={goLive}>
          Live
        </button>
        <button
          type="button"
          className="as-of-button"
          aria-pressed={mode === 'as_of'}
          popoverTarget={AS_OF_ID}
          title="What was known at a moment in the past (T)"
        >
          As of…
        </button>
        <button
          type="button"
          aria-pressed={mode === 'replay'}
          title="Play a day again (R)"
          onClick={() => mode !== 'replay' && moment.goReplay()}
        >
          Replay
        </button>
      </div>
      <AsOfPopover />
    </div>
  )
}
