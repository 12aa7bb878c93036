// The transport: what drives a replay, at the left of the timeline; there only while something is replayed.
import { useStore } from 'zustand'
import { exchangeDay } from '../../stores/exchange-day.ts'
import { SPEEDS, type Speed } from '../../stores/replay-state.ts'
import { grouped } from '../../ui/decimal-text.ts'
import { dayText, momentIn } from '../../ui/moment-text.ts'
import { useWorkspace } from '../../ui/workspace-context.ts'
import { zoneOf } from '../../ui/zone-time.ts'
import { Glyph, type GlyphName } from './glyph.tsx'
import { Scrubber } from './scrubber.tsx'
import './replay.css'

export function Transport() {
  const { moment, replay } = useWorkspace()
  const mode = useStore(moment.state, state => state.mode)
  const hasSession = useStore(replay.state, ({ session }) => session !== undefined)
  if (mode !== 'replay') return null
  return (
    <div className="transport" role="group" aria-label="Replay">
      <div className="transport-row">
        <Buttons />
        <SpeedChoice />
        <DayChoice />
      </div>
      {hasSession && <Scrubber />}
      <Account />
    </div>
  )
}

function Buttons() {
  const { replay } = useWorkspace()
  const session = useStore(replay.state, state => state.session)
  const loopFrom = useStore(replay.state, state => state.loopFromMicros)
  const isPlaying = session?.state === 'playing'
  const isBackward = session?.direction === 'backward'
  const button = (label: string, glyph: GlyphName, keys: string, run: () => void, pressed?: boolean) => (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      aria-pressed={pressed}
      title={`${label} (${keys})`}
      disabled={!session}
      onClick={run}
    >
      <Glyph name={glyph} />
    </button>
  )
  const loop = session?.loop ? 'End the loop' : loopFrom === undefined ? 'Loop from here' : 'Loop to here'
  return (
    <div className="transport-buttons">
      {button('Bar before', 'bar-back', 'Shift ←', () => replay.step('bar', -1))}
      {button('Row before', 'row-back', '←', () => replay.step('tick', -1))}
      <button
        type="button"
        className="icon-button play"
        aria-label={isPlaying ? 'Pause' : 'Play'}
        title={`${isPlaying ? 'Pause' : 'Play'} (Space)`}
        disabled={!session}
        onClick={replay.toggle}
      >
        <Glyph name={isPlaying ? 'pause' : isBackward ? 'play-back' : 'play'} />
      </button>
      {button('Next row', 'row-on', '→', () => replay.step('tick', 1))}
      {button('Next bar', 'bar-on', 'Shift →', () => replay.step('bar', 1))}
      {button('Play backward', 'turn', 'V', replay.reverse, isBackward)}
      {button(
        loop,
        loopFrom === undefined ? 'loop' : 'loop-open',
        'B',
        replay.markLoop,
        session?.loop !== null && session !== undefined,
      )}
    </div>
  )
}

function SpeedChoice() {
  const { replay } = useWorkspace()
  const speed = useStore(replay.state, ({ session }) => session?.speed ?? 1)
  const isKnown = SPEEDS.includes(speed)
  const text = (each: Speed) => (each === 'max' ? 'max' : `${each}×`)
  return (
    <label className="transport-field" title="Slower J, faster L">
      <span className="unseen">Speed</span>
      <select
        className="entry"
        value={String(speed)}
        onChange={({ target }) => replay.setSpeed(target.value === 'max' ? 'max' : Number(target.value))}
      >
        {(isKnown ? SPEEDS : [speed, ...SPEEDS]).map(each => (
          <option key={each} value={String(each)}>
            {text(each)}
          </option>
        ))}
      </select>
    </label>
  )
}

/** Days are those of the exchange. */
function DayChoice() {
  const { replay, focus } = useWorkspace()
  const span = useStore(replay.state, state => state.span)
  const exchange = useStore(focus, ({ instrument }) => instrument?.exchange ?? '')
  const zone = zoneOf('exchange', exchange)
  const choose = (day: string) => {
    const noon = momentIn(`${day} 12:00`, zone, 0)
    if (noon !== undefined) replay.open(exchangeDay(noon, exchange).fromMicros)
  }
  return (
    <label className="transport-field">
      <span className="unseen">Day of the exchange</span>
      <input
        className="entry"
        type="date"
        value={span ? dayText(span.fromMicros, zone) : ''}
        onChange={({ target }) => choose(target.value)}
      />
    </label>
  )
}

/** What has been played: as many rows, as many late, and the sum that is the same on every run. */
function Account() {
  const { replay } = useWorkspace()
  const { session, isOpening, failure } = useStore(replay.state)
  if (failure)
    return (
      <p className="transport-account" role="alert">
        <span className="problem" title={failure}>
          {failure}
        </span>
        <button type="button" className="button" onClick={() => replay.open()}>
          Try again
        </button>
      </p>
    )
  if (isOpening || !session) return <p className="transport-account dim">Opening the replay…</p>
  const { rows, late, checksum, state } = session
  return (
    <p className="transport-account dim">
      <span className="transport-state">{state}</span>
      <span>{grouped(rows)} rows</span>
      <span>{grouped(late)} late</span>
      <span title="Of the rows played forward since the last jump: the same on every run">
        checksum <span className="checksum">{checksum}</span>
      </span>
    </p>
  )
}
