// What a check of a table found wrong, and what it counted on the way.
export interface Problem {
  file: string | null
  snapshot_id: string | null
  problem: string
}

export interface Verified {
  snapshots: number
  manifests: number
  files: number
  rows: number
  bytes: number
  problems: Problem[]
}

/** Enough to see what is wrong; a lost folder would give one for each of its files. */
export const MOST_PROBLEMS = 1_000
