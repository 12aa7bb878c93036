// What a check of a table found wrong, and what it counted on the way.
import { Failure } from '../../../contract/failure.ts'
import type { Snapshot } from '../iceberg/metadata.ts'

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

/** What cannot be read is a problem of its file; cancelling and bugs are not, and are thrown on. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure && error.code !== 'CANCELLED') return error
  throw error
}

export async function attempt<T>(
  problems: Problem[],
  file: string,
  snapshot: Snapshot | undefined,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    problems.push({ file, snapshot_id: snapshot?.['snapshot-id'] ?? null, problem: asFailure(error).message })
    return undefined
  }
}
