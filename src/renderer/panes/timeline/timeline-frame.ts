// Which stretch of time the timeline shows, and where each moment of it stands.
import type { Moment } from '../../stores/moment.ts'

export interface TimelineFrame {
  width: number
  /** Where the bars stand. */
  floor: number
  /** Seconds since 1970 at the left, and at the right where the newest moment is. */
  from: number
  to: number
  /** Where the playhead stands: at the live edge while the page is live. */
  playhead: number
  x: (second: number) => number
  /** The other way. */
  second: (x: number) => number
}

export interface TimelineSubject {
  mode: Moment['mode']
  /** Exchange time of the newest row, seconds since 1970; 0 before the first. */
  edge: number
  tailSeconds: number
  /** Outside live, seconds since 1970. */
  clock?: number
  /** What a replay plays. */
  span?: { from: number; to: number }
}

const LABELS_PX = 16
const EDGE_PX = 10
const HOUR = 3600
const DAY = 24 * HOUR
const SPANS = [2, 5, 10, 15, 30, 60].map(minutes => minutes * 60)
const LONG_SPANS = [2, 4, 8, 12].map(hours => hours * HOUR).concat([1, 2, 7, 14, 31, 92, 366].map(days => days * DAY))

export function timelineFrame(subject: TimelineSubject, width: number, height: number): TimelineFrame {
  const { from, to } = reachOf(subject)
  const right = Math.max(1, width - EDGE_PX)
  const x = (second: number) => ((second - from) / (to - from)) * right
  return {
    width,
    floor: height - LABELS_PX,
    from,
    to,
    playhead: subject.mode === 'live' ? subject.edge : (subject.clock ?? subject.edge),
    x,
    second: at => from + (at / right) * (to - from),
  }
}

function reachOf({ mode, edge, tailSeconds, clock, span }: TimelineSubject): { from: number; to: number } {
  if (mode === 'replay' && span && span.to > span.from) return span
  const to = Math.max(edge, clock ?? 0)
  const wanted = Math.max(tailSeconds, clock === undefined ? 0 : (to - clock) * 1.1)
  const seconds = [...SPANS, ...LONG_SPANS].find(each => each >= wanted) ?? wanted
  // While live never more than an hour: so far this window counts itself, and asks the tables for what was before it only.
  return { from: to - (mode === 'live' ? Math.min(seconds, HOUR) : seconds), to }
}

const TICKS = [10, 30, 60, 120, 300, 600, 900, 1800, HOUR, 2 * HOUR, 6 * HOUR, DAY, 7 * DAY, 31 * DAY, 92 * DAY]

/** Seconds between two times that are written, as close as their room allows. */
export function tickSeconds({ from, to, width }: TimelineFrame, roomPx: number): number {
  return TICKS.find(seconds => (seconds / (to - from)) * width > roomPx) ?? TICKS.at(-1)!
}
