// The day as a line to take hold of: where the clock is, and where to go.
import { useState } from 'react'
import { useStore } from 'zustand'
import { timestampMicros } from '../../../contract/columns.ts'
import { useNow } from '../../ui/use-now.ts'
import { useWorkspace, useZone } from '../../ui/workspace-context.ts'
import { timeOfDay } from '../../ui/zone-time.ts'

const EVERY_MS = 100

export function Scrubber() {
  const { replay, moment } = useWorkspace()
  const zone = useZone()
  const session = useStore(replay.state, state => state.session)!
  const loopFromMicros = useStore(replay.state, state => state.loopFromMicros)
  const [dragged, setDragged] = useState<number>()
  useNow(EVERY_MS)
  const from = timestampMicros(session.start_time ?? session.visible_until)
  const to = Math.max(from + 1e6, timestampMicros(session.end_time ?? session.visible_until))
  const clock = Math.min(to, Math.max(from, moment.clockMicros ?? from))
  const secondOf = (micros: number) => Math.round((micros - from) / 1e6)
  const shown = dragged ?? secondOf(clock)
  const share = (micros: number) => `${(100 * (micros - from)) / (to - from)}%`
  const loop = session.loop ?? undefined
  const marks = loop
    ? { left: share(timestampMicros(loop.from)), right: `calc(100% - ${share(timestampMicros(loop.to))})` }
    : loopFromMicros !== undefined && { left: share(loopFromMicros), right: `calc(100% - ${share(clock)})` }
  return (
    <div className="scrubber">
      <span className="scrubber-time">{timeOfDay(from, zone, 'minute')}</span>
      <div className="scrubber-line">
        {marks && <span className="scrubber-loop" style={marks} />}
        <input
          type="range"
          aria-label="Clock of the replay"
          aria-valuetext={timeOfDay(from + shown * 1e6, zone, 'second')}
          min={0}
          max={secondOf(to)}
          value={shown}
          onChange={({ target }) => {
            setDragged(target.valueAsNumber)
            replay.seek(from + target.valueAsNumber * 1e6)
          }}
          onPointerUp={() => setDragged(undefined)}
          onKeyUp={() => setDragged(undefined)}
          onBlur={() => setDragged(undefined)}
        />
      </div>
      <span className="scrubber-time">{timeOfDay(to, zone, 'minute')}</span>
    </div>
  )
}
