// Up to when a table has every record of the log: the least, over partitions, of the time of the last committed record.

export interface PartitionProgress {
  /** The log's time of the last record that is in the table; undefined when none is known. */
  lastMicros: number | undefined
  /** Whether the log had nothing after it, as far as was known. */
  isAtEnd: boolean
}

/**
 * A partition read to its end holds the others back no further: nothing of it is missing. When all are, it is the newest
 * record of all. Undefined when a partition has records left and none before them is known: nothing can be said then.
 *
 * No record that the log had is missing up to here, as long as times in a partition do not go back; where a producer's
 * clock does, this is as good as the clock.
 */
export function validThrough(partitions: readonly PartitionProgress[]): number | undefined {
  let newest: number | undefined
  let least = Infinity
  for (const { lastMicros, isAtEnd } of partitions) {
    if (!isAtEnd) {
      if (lastMicros === undefined) return undefined
      least = Math.min(least, lastMicros)
    }
    if (lastMicros !== undefined) newest = Math.max(newest ?? lastMicros, lastMicros)
  }
  return newest === undefined ? undefined : Math.min(newest, least)
}
