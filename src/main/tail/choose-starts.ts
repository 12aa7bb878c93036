// Where a tail begins in the log: where the tables end, or its minutes back, whichever is earlier.
import type { PartitionRange } from '../log/message-log.ts'
import type { TailStart } from './tail.ts'

export interface StartFacts {
  ranges: readonly PartitionRange[]
  /** By partition, the first message of the tail's minutes. */
  atMinutes: ReadonlyMap<number, number>
  /** By partition, the first message that is not in the tables; nothing where nobody is known to write the topic. */
  committed?: Readonly<Record<string, number>>
}

export type TopicStarts = Map<number, TailStart>

/** For each of the topics. When all that is not in the tables does not fit into the memory, it is the minutes for all. */
export function chooseStarts(topics: readonly StartFacts[], roomFor: number): TopicStarts[] {
  const wanted = topics.map(facts => startsOf(facts, true))
  const messages = wanted.flatMap((starts, i) =>
    topics[i].ranges.map(({ partition, latest }) => latest - starts.get(partition)!.offset),
  )
  const fits = messages.reduce((sum, count) => sum + count, 0) <= roomFor
  return fits ? wanted : topics.map(facts => startsOf(facts, false))
}

function startsOf({ ranges, atMinutes, committed }: StartFacts, alsoCommitted: boolean): TopicStarts {
  return new Map(
    ranges.map(({ partition, earliest, latest }) => {
      const minutes = atMinutes.get(partition) ?? latest
      const tables = alsoCommitted && committed ? (committed[partition] ?? earliest) : minutes
      // One beyond the end is of a log that was reset; whoever writes will say so.
      const wanted = tables <= latest ? Math.min(minutes, tables) : minutes
      const offset = Math.max(earliest, wanted)
      return [partition, { offset, isEarliest: offset === earliest }]
    }),
  )
}
