// The chart: candles, volume and VWAP of the selected instrument, at the moment that the page shows.
import { useEffect, useRef, useState } from 'react'
import { useStore } from 'zustand'
import type { Candles } from '../../chart/candles.ts'
import { INTERVALS, type IntervalChoice } from '../../stores/bar-interval.ts'
import { Pane } from '../../ui/pane.tsx'
import { useWorkspace, useZone } from '../../ui/workspace-context.ts'
import { mountChart } from './mount-chart.ts'
import './chart.css'

export function ChartPane() {
  return (
    <Pane name="chart" title="Chart" head={<ChartHead />}>
      <Chart />
    </Pane>
  )
}

function ChartHead() {
  const { bars, focus } = useWorkspace()
  const subject = useStore(bars.state, state => state.subject)
  const choice = useStore(bars.state, state => state.choice)
  const interval = useStore(bars.state, state => state.interval)
  const isOnMarket = useStore(bars.state, state => state.isOnMarket)
  const isBehind = useStore(bars.state, state => state.behind > 0)
  const wanted = useStore(focus, state => state.instrument)
  const instrument = subject?.instrument ?? wanted
  return (
    <>
      {instrument && (
        <span className="pane-subject" title={instrument.companyName ?? undefined}>
          <span className="name">{instrument.name}</span> <span className="dim">{instrument.companyName}</span>
        </span>
      )}
      <span className="spring" />
      {isBehind && (
        <button type="button" className="button newest" onClick={() => bars.toNewest()}>
          Newest <kbd>End</kbd>
        </button>
      )}
      <button
        type="button"
        className="button on-market"
        aria-pressed={isOnMarket}
        title="Without trades that were made off the market and reported (M)"
        onClick={bars.toggleOffMarket}
      >
        On market
      </button>
      <div className="segments intervals" role="group" aria-label="Length of a bar">
        {(['auto', ...INTERVALS] as IntervalChoice[]).map(each => (
          <button key={each} type="button" aria-pressed={choice === each} onClick={() => bars.choose(each)}>
            {each === 'auto' && choice === 'auto' ? `auto ${interval}` : each}
          </button>
        ))}
      </div>
    </>
  )
}

function Chart() {
  const workspace = useWorkspace()
  const zone = useZone()
  const root = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLDivElement>(null)
  const summary = useRef<HTMLParagraphElement>(null)
  const { candles, failure, load } = useCandles(canvas)
  useEffect(() => {
    if (!candles) return
    return mountChart(
      { root: root.current!, canvas: canvas.current!, summary: summary.current! },
      candles,
      workspace,
      zone,
    )
  }, [candles, workspace, zone])
  return (
    <div className="chart-body">
      <div
        ref={root}
        className="chart"
        role="group"
        tabIndex={0}
        data-home
        aria-label="Candles"
        aria-describedby="chart-summary"
        aria-keyshortcuts="+ - [ ] PageUp PageDown End"
      >
        <div ref={canvas} className="chart-canvas" aria-hidden="true" />
        <Legend />
        <div className="mark across" data-mark="across" hidden />
        <div className="mark along" data-mark="along" hidden />
        <div className="mark last-line" data-mark="last-line" hidden />
        <div className="tag last-price" data-mark="last-price" hidden />
        <div className="tag" data-mark="price" hidden />
        <div className="tag" data-mark="time" hidden />
      </div>
      <button type="button" className="button earlier" data-mark="earlier" hidden />
      <p ref={summary} id="chart-summary" className="unseen" />
      {failure ? <Problem text={failure} onRetry={load} /> : <ChartState />}
    </div>
  )
}

/** What draws is loaded when it is first needed. */
function useCandles(canvas: React.RefObject<HTMLDivElement | null>) {
  const [candles, setCandles] = useState<Candles>()
  const [failure, setFailure] = useState<string>()
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    let opened: Candles | undefined
    let isOver = false
    import('../../chart/candles.ts').then(
      ({ openCandles }) => {
        if (isOver) return
        opened = openCandles(canvas.current!)
        setFailure(undefined)
        setCandles(opened)
      },
      () => setFailure('The part of the page that draws charts could not be loaded.'),
    )
    return () => {
      isOver = true
      opened?.close()
      setCandles(undefined)
    }
  }, [canvas, attempt])
  return { candles, failure, load: () => setAttempt(attempt + 1) }
}

const NUMBERS = [
  ['open', 'O', 'Open'],
  ['high', 'H', 'High'],
  ['low', 'L', 'Low'],
  ['close', 'C', 'Close'],
  ['volume', 'Vol', 'Volume'],
  ['vwap', 'VWAP', 'Volume-weighted average price'],
] as const

/** Of the bar that is pointed at, else of the newest; its texts are written by the chart. */
function Legend() {
  return (
    <div className="legend" data-mark="legend" hidden>
      <span className="legend-time" data-bar="time" />
      {NUMBERS.map(([name, label, title]) => (
        <span key={name} className={`legend-number ${name}`} title={title}>
          <span className="dim">{label}</span> <span data-bar={name} />
        </span>
      ))}
      <span className="legend-number change" data-bar="change" />
      <span className="legend-number trades dim" data-bar="trades" />
    </div>
  )
}

function ChartState() {
  const { bars, focus, moment } = useWorkspace()
  const instrument = useStore(focus, state => state.instrument)
  const { mode } = useStore(moment.state)
  const isLoading = useStore(bars.state, state => state.isLoading)
  const failure = useStore(bars.state, state => state.failure)
  const isEmpty = useStore(bars.state, state => state.subject !== undefined && state.bars.start.length === 0)
  if (!instrument) return <p className="pane-note">Pick a symbol to see its bars.</p>
  return (
    <>
      <div className="waiting-bar" role="progressbar" aria-label="Loading bars" hidden={!isLoading} />
      {failure && <Problem text={failure} onRetry={() => bars.retry()} />}
      {isEmpty && !failure && (
        <p className="pane-note">
          {mode === 'live' ? 'No trades of it yet.' : 'No trades of it were known at this moment.'}
        </p>
      )}
    </>
  )
}

function Problem({ text, onRetry }: { text: string; onRetry: () => void }) {
  return (
    <div className="chart-problem" role="alert">
      <span className="problem">{text}</span>
      <button type="button" className="button" onClick={onRetry}>
        Try again
      </button>
    </div>
  )
}
