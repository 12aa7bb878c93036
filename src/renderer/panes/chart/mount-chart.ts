// Keeps the chart drawn: at most ten times a second as bars come, at once for a hand on the wheel, the pointer or a key.
import type { Candles } from '../../chart/candles.ts'
import type { CandleColours } from '../../chart/candle-options.ts'
import { barAt, bandPx, candleView, type CandleView } from '../../chart/candle-view.ts'
import type { BarsState } from '../../stores/bars-state.ts'
import { asNumber, BAR_SCALE } from '../../stores/bar-columns.ts'
import type { Workspace } from '../../stores/workspace.ts'
import { onTurn } from '../../ui/frame-loop.ts'
import { dateOf, type Zone } from '../../ui/zone-time.ts'
import { chartSummary, priceDecimals } from './bar-text.ts'
import { createMarks, type Pointed } from './chart-marks.ts'
import { listenToChart } from './chart-input.ts'

export interface ChartParts {
  /** Has the focus, and all of the others in it. */
  root: HTMLElement
  canvas: HTMLElement
  summary: HTMLElement
}

const EVERY_TURNS = 2
const SUMMARY_EVERY_MS = 5000

export function mountChart({ root, canvas, summary }: ChartParts, candles: Candles, workspace: Workspace, zone: Zone) {
  const { bars, settings, moment } = workspace
  const paintMarks = createMarks(root)
  const earlier = root.parentElement!.querySelector<HTMLButtonElement>('[data-mark=earlier]')!
  let view: CandleView | undefined
  let pointed: Pointed | undefined
  let decimals = 0
  let isStale = true
  let shownLast: unknown
  let frame = 0
  let summarisedAtMs = -Infinity
  let colours = coloursOf(root)

  function draw(): void {
    const state = bars.state.getState()
    const [width, height] = [root.clientWidth, root.clientHeight]
    if (width === 0 || height === 0 || !state.subject) return
    isStale = false
    view = candleView(state.bars, { ...state, width, height, zone, areDays: state.subject.interval === '1d' })
    decimals = priceDecimals(view.bars, state.subject.instrument.decimals)
    const { length } = view.bars.start
    if (pointed?.x !== undefined) pointed = { ...pointed, bar: barAt(view, pointed.x) }
    if (pointed && (pointed.bar < 0 || pointed.bar >= length)) pointed = undefined
    candles.draw(view, colours)
    earlier.hidden = view.earlierMicros === undefined
    if (view.earlierMicros !== undefined) earlier.textContent = `◂ ${dateOf(view.earlierMicros, zone)}`
    paintOver(state)
    summarise(state, view)
  }

  function paintOver({ subject, behind }: BarsState): void {
    if (!view || !subject) return
    const last = behind === 0 ? lastOf(subject.instrument, view) : undefined
    paintMarks({ view, pointed, last, decimals, interval: subject.interval, zone })
    root.dataset.bars = String(view.bars.start.length)
  }

  /** Live the last trade, which comes before its bar does. */
  function lastOf(instrument: NonNullable<BarsState['subject']>['instrument'], { bars }: CandleView) {
    const at = bars.start.length - 1
    if (at < 0) return undefined
    const isLive = moment.state.getState().mode === 'live' && instrument.last !== null
    const close = bars.close[at]
    if (!isLive && close === null) return undefined
    const [unscaled, scale] = isLive ? [instrument.last!, instrument.lastScale] : [close!, BAR_SCALE]
    shownLast = unscaled
    const change = Number(unscaled) / 10 ** scale - asNumber(bars.open[at])
    return { unscaled, scale, direction: change > 0 ? 'up' : change < 0 ? 'down' : 'same' } as const
  }

  function summarise({ subject }: BarsState, { bars }: CandleView): void {
    const nowMs = performance.now()
    if (nowMs - summarisedAtMs < SUMMARY_EVERY_MS && summary.dataset.of === subject!.instrument.name) return
    summarisedAtMs = nowMs
    summary.dataset.of = subject!.instrument.name
    summary.textContent = chartSummary(subject!.instrument.name, bars, decimals, subject!.interval, zone)
  }

  function drawSoon(): void {
    cancelAnimationFrame(frame)
    frame = requestAnimationFrame(draw)
  }

  function fit(): void {
    candles.resize()
    bars.setWidth(Math.max(1, root.clientWidth - 72))
    drawSoon()
  }

  const endInput = listenToChart(root, {
    bars,
    isReplay: () => moment.state.getState().mode === 'replay',
    barAt: x => (view && view.bars.start.length > 0 ? barAt(view, x) : undefined),
    bandPx: () => (view ? bandPx(view) : 8),
    count: () => view?.bars.start.length ?? 0,
    pointed: () => pointed,
    point(next) {
      pointed = next
      paintOver(bars.state.getState())
    },
    drawSoon,
  })
  const goEarlier = () => bars.pan(view?.bars.start.length ?? 0)
  earlier.addEventListener('click', goEarlier)
  const endTurns = onTurn(EVERY_TURNS, () => {
    if (isStale) return draw()
    const { subject, behind } = bars.state.getState()
    const isMoved = behind === 0 && moment.state.getState().mode === 'live' && subject?.instrument.last !== shownLast
    if (isMoved) paintOver(bars.state.getState())
  })
  const recolour = () => {
    // After the page has taken the setting over.
    requestAnimationFrame(() => {
      colours = coloursOf(root)
      isStale = true
    })
  }
  const ends = [bars.state.subscribe(() => (isStale = true)), settings.subscribe(recolour)]
  const scheme = matchMedia('(prefers-color-scheme: dark)')
  scheme.addEventListener('change', recolour)
  const observer = new ResizeObserver(fit)
  observer.observe(canvas)
  fit()
  return () => {
    for (const end of ends) end()
    scheme.removeEventListener('change', recolour)
    endTurns()
    endInput()
    earlier.removeEventListener('click', goEarlier)
    observer.disconnect()
    cancelAnimationFrame(frame)
  }
}

function coloursOf(root: HTMLElement): CandleColours {
  const style = getComputedStyle(root)
  const colour = (name: string) => style.getPropertyValue(`--chart-${name}`)
  return {
    up: colour('up'),
    down: colour('down'),
    panel: colour('panel'),
    line: colour('line'),
    text: colour('text'),
    strongText: colour('strong-text'),
    vwap: colour('vwap'),
    volume: colour('volume'),
    font: style.fontFamily,
  }
}
