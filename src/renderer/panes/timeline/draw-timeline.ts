// Draws the timeline: trades as bars, the tail's reach as a band, ticks for snapshots, the committed and the live edge, the
// playhead, and what is not known.
import { timestampMicros } from '../../../contract/columns.ts'
import type { Moment } from '../../stores/moment.ts'
import type { Snapshot } from '../../stores/snapshots.ts'
import type { Workspace } from '../../stores/workspace.ts'
import { onTurn } from '../../ui/frame-loop.ts'
import { dayText } from '../../ui/moment-text.ts'
import { timeOfDay, zoneOffsetMs, type Zone } from '../../ui/zone-time.ts'
import { tickSeconds, timelineFrame, type TimelineFrame } from './timeline-frame.ts'
import { timelineBars, type TimelineBars } from './timeline-bars.ts'

const EVERY_TURNS = 6
const SNAP_PX = 3
const LABEL_ROOM_PX = 72

export function mountTimeline(canvas: HTMLCanvasElement, workspace: Workspace, zone: Zone): Timeline {
  const { density, stats, moment, snapshots, replay } = workspace
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

  function frame(): Frame | undefined {
    const { mode } = moment.state.getState()
    const { span, session } = replay.state.getState()
    const [start, end] = [session?.start_time, session?.end_time]
    const clock = moment.clockMicros
    if (width === 0 || (density.edge === 0 && clock === undefined)) return undefined
    const subject = {
      mode,
      edge: density.edge / 1e6,
      tailSeconds: (stats.getState().stats?.tail.trades.buffer_minutes ?? 0) * 60,
      clock: clock === undefined ? undefined : clock / 1e6,
      span: span && {
        from: (start ? timestampMicros(start) : span.fromMicros) / 1e6,
        to: (end ? timestampMicros(end) : span.toMicros) / 1e6,
      },
    }
    return { ...timelineFrame(subject, width, height), ...subject }
  }

  const end = onTurn(EVERY_TURNS, () => {
    const context = canvas.getContext('2d')
    if (!context || width === 0) return
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
    context.clearRect(0, 0, width, height)
    const shown = frame()
    if (!shown) return
    const colours = coloursOf(canvas)
    drawTail(context, shown, colours)
    const bars = timelineBars(shown, workspace)
    if (bars.unknownTo > shown.from) drawUnknown(context, shown, bars.unknownTo, colours)
    drawBars(context, shown, bars, colours)
    drawSnapshots(context, shown, snapshots.getState().list ?? [], colours)
    drawTimes(context, shown, zone, colours)
    drawPlayhead(context, shown, moment.state.getState().mode, colours)
  })
  return {
    close: () => {
      end()
      observer.disconnect()
    },
    placeAt: x => {
      const shown = frame()
      if (!shown) return undefined
      const micros = Math.round(Math.min(shown.to, Math.max(shown.from, shown.second(x))) * 1e6)
      const near = (snapshots.getState().list ?? []).find(
        ({ committedMicros }) => Math.abs(shown.x(committedMicros / 1e6) - x) <= SNAP_PX,
      )
      return { micros, snapshot: near }
    },
  }
}

export interface Timeline {
  close: () => void
  /** The moment at this place, and the snapshot whose tick is there. */
  placeAt: (x: number) => { micros: number; snapshot?: Snapshot } | undefined
}

interface Frame extends TimelineFrame {
  mode: Moment['mode']
  edge: number
  tailSeconds: number
}

function drawTail(context: CanvasRenderingContext2D, frame: Frame, colours: Colours): void {
  if (frame.edge < frame.from) return
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

/** What has not been counted is said, and not shown as silence. */
function drawUnknown(context: CanvasRenderingContext2D, frame: Frame, until: number, colours: Colours): void {
  const to = Math.min(frame.x(until), frame.width)
  if (to < 4) return
  context.strokeStyle = colours.line
  context.setLineDash([2, 4])
  context.beginPath()
  context.moveTo(0, frame.floor - 0.5)
  context.lineTo(to, frame.floor - 0.5)
  context.stroke()
  context.setLineDash([])
}

/** Each bar covers the same whole seconds from one painting to the next, so bars slide and do not flicker. */
function drawBars(
  context: CanvasRenderingContext2D,
  frame: Frame,
  { perBar, first, counts }: TimelineBars,
  colours: Colours,
): void {
  const most = Math.max(1, ...counts)
  const room = frame.floor - 8
  const end = frame.mode === 'replay' ? frame.to : frame.edge
  context.fillStyle = colours.bar
  counts.forEach((count, at) => {
    if (count === 0) return
    const left = Math.max(0, frame.x((first + at) * perBar))
    const right = Math.min(frame.x(end), frame.x((first + at + 1) * perBar))
    const height = Math.max(1, (count / most) * room)
    context.fillRect(left, frame.floor - height, Math.max(1, right - left - 1), height)
  })
}

/** A tick for each snapshot, where it was committed, and a line for how far the tables are. */
function drawSnapshots(
  context: CanvasRenderingContext2D,
  frame: Frame,
  list: readonly Snapshot[],
  colours: Colours,
): void {
  context.fillStyle = colours.text
  for (const { committedMicros, tags } of list) {
    const second = committedMicros / 1e6
    if (second < frame.from) break
    if (second > frame.to) continue
    const height = tags.length > 0 ? 12 : 5
    context.fillRect(Math.round(frame.x(second)), frame.floor - height, 1, height)
  }
  const committed = (list[0]?.throughMicros ?? 0) / 1e6
  if (committed <= frame.from || committed > frame.to) return
  context.fillRect(Math.round(frame.x(committed)), 4, 1, frame.floor - 4)
  const x = frame.x(committed)
  if (x < LABEL_ROOM_PX) return
  context.textAlign = 'right'
  context.textBaseline = 'top'
  context.fillText('committed', x - 4, 4)
}

function drawTimes(context: CanvasRenderingContext2D, frame: Frame, zone: Zone, colours: Colours): void {
  const step = tickSeconds(frame, LABEL_ROOM_PX)
  const offset = zoneOffsetMs(zone.id, frame.to * 1000) / 1000
  const first = Math.ceil((frame.from + offset) / step) * step - offset
  context.fillStyle = colours.text
  context.strokeStyle = colours.line
  context.font = colours.font
  context.textBaseline = 'alphabetic'
  context.textAlign = 'center'
  context.beginPath()
  for (let second = first; second < frame.to; second += step) {
    const x = Math.round(frame.x(second)) + 0.5
    context.moveTo(x, frame.floor)
    context.lineTo(x, frame.floor + 3)
    const half = LABEL_ROOM_PX / 2
    if (x > half && x < frame.width - half) context.fillText(tickText(second, step, zone), x, frame.floor + 13)
  }
  context.moveTo(0, frame.floor + 0.5)
  context.lineTo(frame.width, frame.floor + 0.5)
  context.stroke()
}

function tickText(second: number, step: number, zone: Zone): string {
  if (step >= 86_400) return dayText(second * 1e6, zone)
  return timeOfDay(second * 1e6, zone, step < 60 ? 'second' : 'minute')
}

/** Live is where the playhead stands at the newest row; elsewhere the newest row keeps a thin line. */
function drawPlayhead(context: CanvasRenderingContext2D, frame: Frame, mode: Moment['mode'], colours: Colours): void {
  context.fillStyle = mode === 'live' ? colours.accent : mode === 'as_of' ? colours.past : colours.replay
  const x = Math.round(frame.x(frame.playhead))
  context.fillRect(x, 4, 2, frame.floor - 4)
  context.beginPath()
  context.moveTo(x - 4, 0)
  context.lineTo(x + 6, 0)
  context.lineTo(x + 1, 7)
  context.fill()
  if (mode === 'live' || frame.edge < frame.from || frame.edge > frame.to) return
  context.fillStyle = colours.accent
  context.fillRect(Math.round(frame.x(frame.edge)), 4, 1, frame.floor - 4)
}

interface Colours {
  text: string
  bar: string
  tail: string
  line: string
  accent: string
  past: string
  replay: string
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
    past: colour('--past'),
    replay: colour('--replay'),
    font: `11px ${style.fontFamily}`,
  }
}
