// What a hand does on the chart: wheel and drag, pointing, and the keys of whoever does not use a pointer.
import type { BarsStore } from '../../stores/bars-state.ts'
import type { Pointed } from './chart-marks.ts'

export interface ChartHand {
  bars: BarsStore
  /** Arrows then belong to the replay. */
  isReplay: () => boolean
  barAt: (x: number) => number | undefined
  bandPx: () => number
  /** Bars in view. */
  count: () => number
  pointed: () => Pointed | undefined
  point: (pointed: Pointed | undefined) => void
  drawSoon: () => void
}

const WHEEL_PER_DOUBLE = 500
const KEY_FACTOR = 1.25

export function listenToChart(root: HTMLElement, hand: ChartHand): () => void {
  const { bars } = hand
  let dragged: { x: number; left: number } | undefined
  let wheeled = 0

  function pan(count: number): void {
    if (count === 0) return
    bars.pan(count)
    hand.drawSoon()
  }

  function wheel(event: WheelEvent): void {
    event.preventDefault()
    const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey
    if (isSideways) {
      wheeled -= (event.deltaX || event.deltaY) / hand.bandPx()
      const whole = Math.trunc(wheeled)
      wheeled -= whole
      return pan(whole)
    }
    bars.zoom(2 ** (event.deltaY / WHEEL_PER_DOUBLE))
    hand.drawSoon()
  }

  function press(event: PointerEvent): void {
    if (event.button !== 0) return
    dragged = { x: event.clientX, left: 0 }
    root.setPointerCapture(event.pointerId)
  }

  function move(event: PointerEvent): void {
    const box = root.getBoundingClientRect()
    if (dragged) {
      const moved = (event.clientX - dragged.x) / hand.bandPx()
      const whole = Math.trunc(moved)
      dragged.x += whole * hand.bandPx()
      pan(whole)
    }
    const x = event.clientX - box.left
    const bar = hand.barAt(x)
    hand.point(bar === undefined ? undefined : { bar, x, y: event.clientY - box.top })
  }

  function release(): void {
    dragged = undefined
  }

  function leave(): void {
    if (!dragged) hand.point(undefined)
  }

  function walk(by: number): void {
    const count = hand.count()
    if (count === 0) return
    const from = hand.pointed()?.bar ?? count - 1 - by
    const to = from + by
    if (to < 0 || to >= count) pan(-by)
    hand.point({ bar: Math.min(count - 1, Math.max(0, to)) })
  }

  const keys: Record<string, () => void> = {
    '+': () => bars.zoom(1 / KEY_FACTOR),
    '=': () => bars.zoom(1 / KEY_FACTOR),
    '-': () => bars.zoom(KEY_FACTOR),
    PageUp: () => pan(Math.ceil(hand.count() / 2)),
    PageDown: () => pan(-Math.ceil(hand.count() / 2)),
    End: () => bars.toNewest(),
    '[': () => walk(-1),
    ']': () => walk(1),
    Escape: () => hand.point(undefined),
  }
  const arrows: Record<string, () => void> = { ArrowLeft: () => walk(-1), ArrowRight: () => walk(1) }

  function key(event: KeyboardEvent): void {
    if (event.metaKey || event.ctrlKey || event.altKey) return
    const act = keys[event.key] ?? (hand.isReplay() ? undefined : arrows[event.key])
    if (!act || (event.key === 'Escape' && !hand.pointed())) return
    event.preventDefault()
    act()
    hand.drawSoon()
  }

  const listening = new AbortController()
  const { signal } = listening
  root.addEventListener('wheel', wheel, { passive: false, signal })
  root.addEventListener('pointerdown', press, { signal })
  root.addEventListener('pointermove', move, { signal })
  root.addEventListener('pointerup', release, { signal })
  root.addEventListener('pointercancel', release, { signal })
  root.addEventListener('pointerleave', leave, { signal })
  root.addEventListener('keydown', key, { signal })
  return () => listening.abort()
}
