// How many trades fell into each bar of the timeline: as this window counted them while it looked on, before that as the
// tables have them; in a replay those of its instrument, the whole day's.
import { countIn } from '../../stores/density.ts'
import type { Moment } from '../../stores/moment.ts'
import type { Workspace } from '../../stores/workspace.ts'
import type { TimelineFrame } from './timeline-frame.ts'

export interface TimelineBars {
  /** Whole seconds. */
  perBar: number
  /** Since 1970, counted in bars. */
  first: number
  counts: number[]
  /** Nobody has counted before this, seconds since 1970. */
  unknownTo: number
}

const BAR_PX = 3
/** The window's own counts go back no further. */
const COUNTED_SECONDS = 3600

type Shown = Pick<TimelineFrame, 'from' | 'to' | 'width'> & { mode: Moment['mode']; edge: number }

export function timelineBars(
  { from, to, width, mode, edge }: Shown,
  { density, pastDensity, replay, focus }: Pick<Workspace, 'density' | 'pastDensity' | 'replay' | 'focus'>,
): TimelineBars {
  const perBar = Math.max(1, Math.ceil(((to - from) * BAR_PX) / width))
  const isReplay = mode === 'replay'
  const end = isReplay ? to : Math.min(edge, to)
  // The second in which this window began to look was counted in part.
  const counted = isReplay ? end : Math.min(end, Math.max(density.since + 1, edge - COUNTED_SECONDS))
  const firstCounted = isReplay ? Infinity : Math.ceil(counted / perBar)
  const { instrument } = focus.getState()
  const { session } = replay.state.getState()
  const isAsked = isReplay ? session !== undefined && instrument !== undefined : firstCounted * perBar > from
  const past = isAsked
    ? pastDensity.want({
        ...(isReplay && { instrument }),
        past: isReplay ? { snapshot_id: session?.snapshots.trades ?? undefined } : {},
        stepSeconds: perBar,
        from: Math.floor(from / perBar) * perBar,
        neededTo: counted,
        to: Math.ceil(end / perBar) * perBar,
      })
    : undefined
  const ownFrom = Math.ceil(edge - COUNTED_SECONDS)
  const ownCount = (bar: number) => {
    let count = 0
    for (let second = Math.max(bar * perBar, ownFrom); second < (bar + 1) * perBar; second++)
      count += countIn(density, second)
    return count
  }
  const first = Math.floor(from / perBar)
  const counts: number[] = []
  for (let bar = first; bar * perBar <= end; bar++) {
    const ofTables = bar < firstCounted ? (past?.get(bar) ?? 0) : 0
    // Of what came before it looked on the window has the newest, which the tables may not have yet.
    counts.push(isReplay ? ofTables : Math.max(ofTables, ownCount(bar)))
  }
  return { perBar, first, counts, unknownTo: isAsked && !past ? counted : from }
}
