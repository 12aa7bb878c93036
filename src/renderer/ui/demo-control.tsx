// The simulated market in the header: named as what it is, with its rate, which can be changed.
import { useState } from 'react'
import { useStore } from 'zustand'
import type { DemoStatus } from '../../contract/demo.ts'
import { grouped } from './decimal-text.ts'
import { useWorkspace } from './workspace-context.ts'

const POPOVER_ID = 'demo-rate'
/** From 1 to 200,000 messages a second: what a person wants is the order of magnitude. */
const STOPS = [1, 10, 100, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000]

export function DemoControl() {
  const { demo } = useWorkspace()
  const status = useStore(demo.state, ({ status }) => status)
  if (!status?.running) return null
  return (
    <div className="demo">
      <button type="button" className="demo-button" popoverTarget={POPOVER_ID}>
        <span className="demo-name">Simulated market</span>
        <span className="demo-rate">{grouped(status.rate)}/s</span>
        <span aria-hidden="true">▾</span>
      </button>
      <div id={POPOVER_ID} className="popover demo-popover" popover="auto" role="group" aria-label="Simulated market">
        <DemoRate key={status.rate} status={status} />
      </div>
    </div>
  )
}

function DemoRate({ status }: { status: DemoStatus }) {
  const { demo } = useWorkspace()
  const failure = useStore(demo.state, ({ failure }) => failure)
  const [wanted, setWanted] = useState(String(status.rate))
  const nearest = STOPS.reduce((best, stop, at) => (stop <= status.rate ? at : best), 0)
  const apply = (rate: number) => {
    if (Number.isFinite(rate) && rate >= 1 && rate !== status.rate) void demo.run(rate)
  }
  return (
    <form
      onSubmit={event => {
        event.preventDefault()
        apply(Number(wanted))
      }}
    >
      <p>Made by K2 from seed {status.seed}; no real trades. Trades and quotes together:</p>
      <label className="field">
        <span>Messages a second</span>
        <input
          type="number"
          min={1}
          max={200_000}
          value={wanted}
          onChange={event => setWanted(event.target.value)}
          onBlur={() => apply(Number(wanted))}
        />
      </label>
      <input
        type="range"
        aria-label="Messages a second"
        aria-valuetext={`${grouped(status.rate)} a second`}
        min={0}
        max={STOPS.length - 1}
        value={nearest}
        onChange={event => apply(STOPS[event.target.valueAsNumber])}
      />
      <p className="dim">
        Producing {grouped(status.actual_rate)} a second, {grouped(status.messages)} since the start
        {status.speed === 1 ? '' : `, at ${status.speed} market seconds a second`}.
      </p>
      {(failure ?? status.why) && <p className="problem">{failure ?? status.why}</p>}
      <button type="button" className="button" onClick={() => void demo.stop()}>
        Stop the simulated market
      </button>
    </form>
  )
}
