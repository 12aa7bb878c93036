// A batch of the log whose messages are all whole rows in Confluent's wire format, or known to be none: what the tail and
// the writer read. JSON and the slim form are written anew as the full record before anybody else sees them.
import type { LogBatch } from './log-batch.ts'

/** In one word, as it stands in the table of dead letters and in the metrics: few, and the same for ever. */
export const PROBLEMS = [
  'undecodable',
  'unknown_schema',
  'missing_field',
  'invalid_value',
  'out_of_range',
  'no_value',
  'unknown_company',
  'too_large',
] as const
export type ProblemReason = (typeof PROBLEMS)[number]

export interface Problem {
  reason: ProblemReason
  /** A sentence that says which field, and what it was. */
  error: string
}

export interface StandardBatch extends LogBatch {
  /** By place in the batch: messages that are no row, and why. */
  problems?: ReadonlyMap<number, Problem>
}

/** Waits for schemas that are not known yet; UNAVAILABLE when the registry cannot be asked, and then nothing is lost. */
export type Standardize = (batch: LogBatch, signal?: AbortSignal) => Promise<StandardBatch> | StandardBatch
