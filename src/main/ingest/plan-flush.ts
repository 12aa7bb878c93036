// When what was taken in goes into files, and when files are committed. Pure: a function of what is held and how late it is.

export interface FlushSettings {
  /** Rows after which a batch is flushed. */
  batchSize: number
  /** Milliseconds after which whatever came in is flushed. */
  batchMs: number
  /** Between two commits; more of them make more work for readers and maintenance than they are worth. */
  leastMs: number
}

export interface Held {
  /** Taken in and not yet in a file. */
  rows: number
  bytes: number
  /** In files that no commit has yet, and how many files. */
  stagedRows: number
  stagedParts: number
  /** How long the oldest message that is in no commit has waited; undefined when there is none. */
  waitedMs: number | undefined
  /** Messages in the log that were not taken in yet. */
  lag: number
  sinceCommitMs: number
  /** Nothing more will come. */
  isLast: boolean
}

export type FlushPlan =
  | { do: 'wait'; ms: number }
  /** Rows into files; the commit comes later. */
  | { do: 'stage' }
  | { do: 'commit' }

/** Measured: of 200,000 in one file a row costs as much, and the writer takes a kilobyte more for each. */
export const MOST_ROWS_A_PART = 64_000
/** What dead letters and long messages may take before they are flushed like rows. */
export const MOST_BYTES_A_PART = 64 * 1024 * 1024
/** Of one commit: so many at most wait for the second to be over. */
const MOST_PARTS = 6
const NEVER_MS = 60_000

/** Reading pauses while as much as a part is held and the one before is still being written. */
export function isFull({ rows, bytes }: Pick<Held, 'rows' | 'bytes'>): boolean {
  return rows >= MOST_ROWS_A_PART || bytes >= MOST_BYTES_A_PART
}

export function planFlush(held: Held, { batchSize, batchMs, leastMs }: FlushSettings): FlushPlan {
  const { waitedMs, rows, bytes, stagedRows, stagedParts, lag, sinceCommitMs, isLast } = held
  if (waitedMs === undefined) return { do: 'wait', ms: NEVER_MS }
  if (isLast) return { do: 'commit' }
  const full = isFull(held)
  const isLate = waitedMs >= batchMs
  // Where the log has enough for a whole file, the batch grows to it instead of being committed in small pieces.
  const isGrowing = !full && rows + lag >= MOST_ROWS_A_PART
  const isWhole = rows + stagedRows >= batchSize
  // A batch of more rows than a file may have is put in place file by file; dead letters stay in memory until its commit.
  const isPart = full && bytes < MOST_BYTES_A_PART && !isLate && !isWhole && stagedParts < MOST_PARTS
  if (isPart) return { do: 'stage' }
  const isDue = isLate || full || (isWhole && !isGrowing)
  if (!isDue) return { do: 'wait', ms: batchMs - waitedMs }
  if (sinceCommitMs >= leastMs) return { do: 'commit' }
  if (full && stagedParts < MOST_PARTS) return { do: 'stage' }
  return { do: 'wait', ms: leastMs - sinceCommitMs }
}
