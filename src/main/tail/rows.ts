// Chosen rows of a tail, in the order an answer has them; good until something is appended.
import { compareRows, type Ranking, type Segment } from './segment.ts'

/** Rows from … to of an answer lie in one segment. */
export interface Run {
  segment: Segment
  from: number
  to: number
}

export interface Rows {
  /** Where each row begins in its run's segment. */
  ats: Uint32Array
  /** One after the other, without gaps. */
  runs: Run[]
}

export function rowsOf(segments: readonly Segment[], ats: readonly number[]): Rows {
  const runs: Run[] = []
  segments.forEach((segment, row) => {
    const run = runs.at(-1)
    if (run?.segment === segment) run.to = row + 1
    else runs.push({ segment, from: row, to: row + 1 })
  })
  return { ats: new Uint32Array(ats), runs }
}

export function joinRows(all: readonly Rows[]): Rows {
  const ats = new Uint32Array(all.reduce((sum, rows) => sum + rows.ats.length, 0))
  const runs: Run[] = []
  let at = 0
  for (const rows of all) {
    ats.set(rows.ats, at)
    for (const { segment, from, to } of rows.runs) runs.push({ segment, from: from + at, to: to + at })
    at += rows.ats.length
  }
  return { ats, runs }
}

/** The last of rows that stand in order. */
export function lastOf({ ats, runs }: Rows, limit: number): Rows {
  const skipped = Math.max(0, ats.length - limit)
  if (skipped === 0) return { ats, runs }
  const kept = runs
    .filter(({ to }) => to > skipped)
    .map(({ segment, from, to }) => ({ segment, from: Math.max(0, from - skipped), to: to - skipped }))
  return { ats: ats.subarray(skipped), runs: kept }
}

/** The last rows in the total order. Stable: rows that are equal in everything stay as they came. */
export function takeLast(rows: Rows, limit: number, ranking: Ranking): Rows {
  const segments = segmentsOf(rows)
  const { ats } = rows
  const order = Uint32Array.from(ats.keys())
  order.sort((a, b) => compareRows(segments[a], ats[a], segments[b], ats[b], ranking))
  const last = Array.from(order.subarray(Math.max(0, order.length - limit)))
  return rowsOf(
    last.map(row => segments[row]),
    last.map(row => ats[row]),
  )
}

function segmentsOf({ ats, runs }: Rows): Segment[] {
  const segments = new Array<Segment>(ats.length)
  for (const { segment, from, to } of runs) segments.fill(segment, from, to)
  return segments
}
