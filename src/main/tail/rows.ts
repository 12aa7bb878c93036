// Chosen rows of a tail, in the order an answer has them; good until something is appended.
import type { Segment } from './segment.ts'

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
