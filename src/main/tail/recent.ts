// The newest rows of one instrument, found along its chains.
import { CHAINS, type Instrument } from './instruments.ts'
import { takeLast, type Rows, type Run } from './rows.ts'
import { rowAt, type Segment } from './segment.ts'
import type { Store } from './store.ts'

/** A part of what a tail holds. */
export interface Part {
  /** Positions, the last one not included. */
  from: number
  to: number
  /** By code of a place, the first offset wanted. */
  offsets: Float64Array
}

export interface RecentLimits {
  /** Exchange time, microseconds since 1970; older rows are not wanted. */
  sinceMicros: number
  /** Rows of this time and younger ones are not wanted. */
  untilMicros?: number
  limit: number
  /** Of one instrument, no more than so many of the last to arrive are answered. */
  maxPerSymbol?: number
  part?: Part
}

/** Ascending in the total order; rows that arrived late stand where they belong. */
export function findRecent({ ring, places }: Store, instrument: Instrument, limits: RecentLimits): Rows {
  const { sinceMicros, untilMicros = Infinity, limit, maxPerSymbol = Infinity, part } = limits
  const { appended, evicted, straggler } = instrument
  const most = Math.min(maxPerSymbol, appended - evicted)
  const chains = instrument.newest.slice()
  // Filled from the end, as the chains lead backwards.
  const ats = new Uint32Array(most)
  const runs: Run[] = []
  let run: Run | undefined
  let first = most
  let hasStraggler = false
  let segment = ring.newest
  for (let row = appended - 1; row >= appended - most; row--) {
    const position = chains[row % CHAINS]
    if (part && position < part.from) break
    while (position < segment.first) segment = segment.older!
    const at = rowAt(segment, position)
    const time = segment.exchangeTimes[at]
    if (time >= sinceMicros && time < untilMicros && (!part || isIn(part, position, segment, at))) {
      ats[--first] = at
      if (run?.segment !== segment) runs.push((run = { segment, from: first, to: first + 1 }))
      run.from = first
    }
    if (position <= straggler) hasStraggler = true
    // Everything further back is older still.
    else if (time < sinceMicros || most - first === limit) break
    chains[row % CHAINS] = position - segment.previous[2 * at]
  }
  for (const range of runs) {
    range.from -= first
    range.to -= first
  }
  const rows = { ats: ats.subarray(first), runs: runs.reverse() }
  return hasStraggler ? takeLast(rows, limit, places.all) : rows
}

/** Of a row at or after the first position of the part. */
export function isIn({ to, offsets }: Part, position: number, segment: Segment, at: number): boolean {
  return position < to && segment.offsets[at] >= offsets[segment.places[4 * at]]
}
