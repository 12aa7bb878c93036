// The header: search, the simulated market while it runs, venue and zone, how live it is, settings.
import { useStore } from 'zustand'
import { CHOICES, type Settings } from '../stores/settings.ts'
import { DemoControl } from './demo-control.tsx'
import { keyLabel } from './keys.ts'
import { liveText } from './live-state.ts'
import { SETTINGS_ID } from './settings-popover.tsx'
import { useNow } from './use-now.ts'
import { useWorkspace, useZone } from './workspace-context.ts'
import { dateOf, timeOfDay, zoneOf } from './zone-time.ts'

export function Header({ onSearch }: { onSearch: () => void }) {
  return (
    <header className="header">
      <h1 className="brand">K2</h1>
      <button type="button" className="search" onClick={onSearch} aria-keyshortcuts="Meta+K Control+K">
        <span>Search or command</span>
        <kbd>{keyLabel('mod+k')}</kbd>
      </button>
      <DemoControl />
      <span className="spring" />
      <ZoneChoice />
      <MomentMark />
      <LiveState />
      <button type="button" className="icon-button" popoverTarget={SETTINGS_ID} aria-label="Settings" title="Settings">
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M2 4.5h7m4 0h1M2 11.5h1m4 0h7" />
          <circle cx="11" cy="4.5" r="1.75" />
          <circle cx="5" cy="11.5" r="1.75" />
        </svg>
      </button>
    </header>
  )
}

/** The only place where the zone is named; every time on the page is in it. */
function ZoneChoice() {
  const { settings, focus } = useWorkspace()
  const choice = useStore(settings, ({ zone }) => zone)
  const exchange = useStore(focus, ({ instrument }) => instrument?.exchange)
  const label = (zone: Settings['zone']) => {
    const name = zoneOf(zone, exchange).label
    return zone === 'local' ? `${name} (local)` : name
  }
  const choices = CHOICES.zone.filter(zone => zone !== 'utc' || label('exchange') !== label('utc') || choice === 'utc')
  return (
    <div className="zone">
      {exchange && <span className="venue">{exchange}</span>}
      <label>
        <span className="unseen">Zone of all times</span>
        <select value={choice} onChange={event => settings.setState({ zone: event.target.value as Settings['zone'] })}>
          {choices.map(zone => (
            <option key={zone} value={zone}>
              {label(zone)}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}

const MODE_NAMES = { as_of: 'As of', replay: 'Replay' } as const

/** Outside live, the name of what the page shows instead, and the way back. */
function MomentMark() {
  const { moment, tape } = useWorkspace()
  const zone = useZone()
  const state = useStore(moment.state)
  useNow(250)
  if (state.mode === 'live') return null
  const at = moment.clockMicros
  const goLive = () => {
    moment.goLive()
    tape.goLive()
  }
  return (
    <div className="moment-mark">
      <span className="moment-mode">{MODE_NAMES[state.mode]}</span>
      {at !== undefined && (
        <span title={state.mode === 'as_of' ? state.label : undefined}>
          {timeOfDay(at, zone, 'second')} <span className="moment-day">{dateOf(at, zone)}</span>
        </span>
      )}
      <button type="button" className="button" onClick={goLive}>
        Live<kbd>Home</kbd>
      </button>
    </div>
  )
}

const LIVE_EVERY_MS = 500

function LiveState() {
  const { link, trades } = useWorkspace()
  const state = useStore(link.store)
  const now = useNow(LIVE_EVERY_MS)
  const { tone, glyph, word, age, about } = liveText(state, trades.newestAtMs, now)
  return (
    <div className="live" data-tone={tone} title={about}>
      <span className="live-glyph" aria-hidden="true">
        {glyph}
      </span>
      <span role="status">{word}</span>
      {age && <span className="live-age">{age}</span>}
      {tone === 'lost' && (
        <button type="button" className="button" onClick={() => link.reconnect()}>
          Reconnect
        </button>
      )}
    </div>
  )
}
