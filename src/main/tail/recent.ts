// The newest rows of one instrument, found along its chain.
import type { Instrument } from './instruments.ts'
import { rowsOf, type Rows, type Run } from './rows.ts'
import { compareRows, rowAt } from './segment.ts'
import type { Store } from './store.ts'

export interface RecentLimits {
  /** Exchange time, microseconds since 1970; older rows are not wanted. */
  sinceMicros: number
  limit: number
  /** Of one instrument, no more than so many of the last to arrive are answered. */
  maxPerSymbol: number
}

/** Ascending in the total order; rows that arrived late stand where they belong. */
export function findRecent({ ring, places }: Store, instrument: Instrument, limits: RecentLimits): Rows {
  const { sinceMicros, limit, maxPerSymbol } = limits
  const most = Math.min(maxPerSymbol, instrument.appended - instrument.evicted)
  // Filled from the end, as the chain leads backwards.
  const ats = new Uint32Array(most)
  const runs: Run[] = []
  let first = most
  let hasStraggler = false
  let segment = ring.newest
  let position = instrument.newest
  for (let walked = 0; walked < most; walked++) {
    while (position < segment.first) segment = segment.older!
    const at = rowAt(segment, position)
    const isInside = segment.exchangeTimes[at] >= sinceMicros
    if (isInside) {
      ats[--first] = at
      const run = runs.at(-1)
      if (run?.segment === segment) run.from = first
      else runs.push({ segment, from: first, to: first + 1 })
    }
    if (position <= instrument.straggler) hasStraggler = true
    // Everything further back is older still.
    else if (!isInside || most - first === limit) break
    position -= segment.previous[2 * at]
  }
  for (const run of runs) {
    run.from -= first
    run.to -= first
  }
  const rows = { ats: ats.subarray(first), runs: runs.reverse() }
  return hasStraggler ? takeLast(rows, limit, places) : rows
}

/** The last rows in the total order. Stable: rows that are equal in everything stay as they arrived. */
function takeLast({ ats, runs }: Rows, limit: number, places: Store['places']): Rows {
  const segments = runs.flatMap(({ segment, from, to }) => new Array(to - from).fill(segment) as (typeof segment)[])
  const order = Array.from(ats.keys())
  order.sort((a, b) => compareRows(segments[a], ats[a], segments[b], ats[b], places) || a - b)
  const last = order.slice(-limit)
  return rowsOf(
    last.map(row => segments[row]),
    last.map(row => ats[row]),
  )
}
