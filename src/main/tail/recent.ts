// The newest rows of one instrument, found along its chains.
import { CHAINS, type Instrument } from './instruments.ts'
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
    while (position < segment.first) segment = segment.older!
    const at = rowAt(segment, position)
    const isInside = segment.exchangeTimes[at] >= sinceMicros
    if (isInside) {
      ats[--first] = at
      if (run?.segment !== segment) runs.push((run = { segment, from: first, to: first + 1 }))
      run.from = first
    }
    if (position <= straggler) hasStraggler = true
    // Everything further back is older still.
    else if (!isInside || most - first === limit) break
    chains[row % CHAINS] = position - segment.previous[2 * at]
  }
  for (const range of runs) {
    range.from -= first
    range.to -= first
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
