// Draws the timeline: trades a second as bars, the tail's reach as a band, the live edge, and what this window has not seen.
import { countIn, type Density } from '../../stores/density.ts'
import type { Workspace } from '../../stores/workspace.ts'
import { onTurn } from '../../ui/frame-loop.ts'
import { timeOfDay, type Zone } from '../../ui/zone-time.ts'

const EVERY_TURNS = 6
const SPANS_MINUTES = [2, 5, 10, 15, 30, 60]
const LABELS_PX = 16
const EDGE_PX = 10
const BAR_PX = 3
const TICK_SECONDS = [10, 30, 60, 120, 300, 600, 900]
const LABEL_ROOM_PX = 72

export function mountTimeline(canvas: HTMLCanvasElement, workspace: Workspace, zone: Zone): () => void {
  const { density, stats } = workspace
  let width = 0
  let height = 0
  const fit = () => {
    width = canvas.clientWidth
    height = canvas.clientHeight
    canvas.width = Math.round(width * devicePixelRatio)
    canvas.height = Math.round(height * devicePixelRatio)
  }
  const observer = new ResizeObserver(fit)
  observer.observe(canvas)
  fit()
  const end = onTurn(EVERY_TURNS, () => {
    const context = canvas.getContext('2d')
    if (!context || width === 0) return
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
    context.clearRect(0, 0, width, height)
    if (density.edge > 0)
      draw(context, frameOf(density, tailMinutes(), width, height), density, zone, coloursOf(canvas))
  })

  function tailMinutes(): number {
    return stats.getState().stats?.tail.trades.buffer_minutes ?? 0
  }
  return () => {
    end()
    observer.disconnect()
  }
}

interface Frame {
  width: number
  /** Where the bars stand. */
  floor: number
  /** Exchange time at the right edge of the bars, in seconds. */
  edge: number
  spanSeconds: number
  tailSeconds: number
  /** A moment in seconds to its place. */
  x(second: number): number
}

/** The smallest span that shows the whole tail. */
export function spanMinutes(tailMinutes: number): number {
  return SPANS_MINUTES.find(minutes => minutes >= tailMinutes) ?? SPANS_MINUTES.at(-1)!
}

function frameOf(density: Density, tailMinutes: number, width: number, height: number): Frame {
  const edge = density.edge / 1e6
  const spanSeconds = spanMinutes(tailMinutes) * 60
  const right = width - EDGE_PX
  const x = (second: number) => right - ((edge - second) / spanSeconds) * right
  return { width, floor: height - LABELS_PX, edge, spanSeconds, tailSeconds: tailMinutes * 60, x }
}

function draw(context: CanvasRenderingContext2D, frame: Frame, density: Density, zone: Zone, colours: Colours): void {
  drawTail(context, frame, colours)
  drawUnseen(context, frame, density, colours)
  drawBars(context, frame, density, colours)
  drawTimes(context, frame, zone, colours)
  drawEdge(context, frame, colours)
}

function drawTail(context: CanvasRenderingContext2D, frame: Frame, colours: Colours): void {
  const left = Math.max(0, frame.x(frame.edge - frame.tailSeconds))
  const right = frame.x(frame.edge)
  context.fillStyle = colours.tail
  context.fillRect(left, 4, right - left, frame.floor - 4)
  context.fillStyle = colours.text
  context.font = colours.font
  context.textBaseline = 'top'
  context.textAlign = 'right'
  if (left > LABEL_ROOM_PX) context.fillText('tail', left - 4, 4)
}

/** Before this window began to look, the tail may hold trades that it cannot count: said, not shown as silence. */
function drawUnseen(context: CanvasRenderingContext2D, frame: Frame, density: Density, colours: Colours): void {
  const from = Math.max(0, frame.x(frame.edge - frame.tailSeconds))
  const to = Math.min(frame.x(density.since), frame.x(frame.edge))
  if (to - from < 4) return
  context.strokeStyle = colours.line
  context.setLineDash([2, 4])
  context.beginPath()
  context.moveTo(from, frame.floor - 0.5)
  context.lineTo(to, frame.floor - 0.5)
  context.stroke()
  context.setLineDash([])
  if (to - from < 180) return
  context.fillStyle = colours.text
  context.textAlign = 'right'
  context.textBaseline = 'bottom'
  context.fillText('before this window opened', to - 8, frame.floor - 4)
}

/** Each bar covers the same whole seconds from one painting to the next, so bars slide and do not flicker. */
function drawBars(context: CanvasRenderingContext2D, frame: Frame, density: Density, colours: Colours): void {
  const perBar = Math.max(1, Math.ceil((frame.spanSeconds * BAR_PX) / frame.width))
  const lastBar = Math.floor(frame.edge / perBar)
  const firstBar = Math.floor((frame.edge - frame.spanSeconds) / perBar)
  const counts: number[] = []
  for (let bar = firstBar; bar <= lastBar; bar++) {
    let count = 0
    for (let second = 0; second < perBar; second++) count += countIn(density, bar * perBar + second)
    counts.push(count)
  }
  const most = Math.max(1, ...counts)
  const room = frame.floor - 8
  context.fillStyle = colours.bar
  counts.forEach((count, at) => {
    if (count === 0) return
    const left = Math.max(0, frame.x((firstBar + at) * perBar))
    const right = Math.min(frame.x(frame.edge), frame.x((firstBar + at + 1) * perBar))
    const height = Math.max(1, (count / most) * room)
    context.fillRect(left, frame.floor - height, Math.max(1, right - left - 1), height)
  })
}

function drawTimes(context: CanvasRenderingContext2D, frame: Frame, zone: Zone, colours: Colours): void {
  const step = TICK_SECONDS.find(seconds => (seconds / frame.spanSeconds) * frame.width > LABEL_ROOM_PX) ?? 900
  const first = Math.ceil((frame.edge - frame.spanSeconds) / step) * step
  context.fillStyle = colours.text
  context.strokeStyle = colours.line
  context.font = colours.font
  context.textBaseline = 'alphabetic'
  context.textAlign = 'center'
  context.beginPath()
  for (let second = first; second < frame.edge; second += step) {
    const x = Math.round(frame.x(second)) + 0.5
    context.moveTo(x, frame.floor)
    context.lineTo(x, frame.floor + 3)
    const half = LABEL_ROOM_PX / 2
    if (x > half && x < frame.width - half)
      context.fillText(timeOfDay(second * 1e6, zone, step < 60 ? 'second' : 'minute'), x, frame.floor + 13)
  }
  context.moveTo(0, frame.floor + 0.5)
  context.lineTo(frame.width, frame.floor + 0.5)
  context.stroke()
}

/** The live edge, and on it the playhead: live is where the playhead stands. */
function drawEdge(context: CanvasRenderingContext2D, frame: Frame, colours: Colours): void {
  const x = Math.round(frame.x(frame.edge))
  context.fillStyle = colours.accent
  context.fillRect(x, 4, 2, frame.floor - 4)
  context.beginPath()
  context.moveTo(x - 4, 0)
  context.lineTo(x + 6, 0)
  context.lineTo(x + 1, 7)
  context.fill()
}

interface Colours {
  text: string
  bar: string
  tail: string
  line: string
  accent: string
  font: string
}

function coloursOf(canvas: HTMLCanvasElement): Colours {
  const style = getComputedStyle(canvas)
  const colour = (name: string) => style.getPropertyValue(name)
  return {
    text: colour('--text-dim'),
    bar: colour('--bar'),
    tail: colour('--tail'),
    line: colour('--line-strong'),
    accent: colour('--accent'),
    font: `11px ${style.fontFamily}`,
  }
}
