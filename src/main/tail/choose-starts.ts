// Where a tail begins in the log: where the tables end, or its minutes back, whichever is earlier.
import { DEDUPE_ROWS } from '../market/dedupe.ts'
import type { MessageLog, PartitionRange } from '../log/message-log.ts'
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

export interface RememberSpan {
  nowMicros: number
  minutes: number
  dedupeMinutes: number
}

const MICROS_PER_MINUTE = 60e6
const FAR_AHEAD_MICROS = 86_400e6
/** Further back than anybody keeps messages. */
const MOST_MINUTES = 2 ** 24
/** A window ends at half of it at the latest, see market/dedupe.ts; the rest may be messages that are no rows. */
const MOST_REMEMBERED = 2 * DEDUPE_ROWS

/**
 * From where on the log is to be read for the window of repeats to be at each start what it would be, had everything been
 * read. The time of a partition at its start is that of a message before it: looked for further and further back, as one
 * that is idle may have had its last message long ago.
 */
export async function findRemembered(
  log: Pick<MessageLog, 'offsetsAt'>,
  topic: string,
  ranges: readonly PartitionRange[],
  starts: TopicStarts,
  { nowMicros, minutes, dedupeMinutes }: RememberSpan,
): Promise<Map<number, number>> {
  const from = new Map([...starts].map(([partition, { offset }]) => [partition, offset]))
  let open = ranges.filter(({ partition, earliest }) => dedupeMinutes > 0 && from.get(partition)! > earliest)
  if (open.length > 0) {
    // A time far ahead of its neighbours' answers every later question for a time: behind one nobody can tell by times.
    const ahead = await log.offsetsAt(topic, nowMicros + FAR_AHEAD_MICROS)
    for (const { partition, earliest } of open) {
      const start = from.get(partition)!
      if ((ahead.get(partition) ?? start) < start) from.set(partition, Math.max(earliest, start - MOST_REMEMBERED))
    }
    open = open.filter(({ partition }) => from.get(partition) === starts.get(partition)!.offset)
  }
  for (let back = minutes; open.length > 0; back *= 2) {
    const micros = back < MOST_MINUTES ? nowMicros - back * MICROS_PER_MINUTE : -Infinity
    const reached = micros === -Infinity ? new Map<number, number>() : await log.offsetsAt(topic, micros)
    const isReached = ({ partition, latest }: PartitionRange) => {
      const [at, start] = [reached.get(partition) ?? 0, starts.get(partition)!.offset]
      return at < start || (at === start && start < latest)
    }
    const done = open.filter(isReached)
    open = open.filter(range => !isReached(range))
    if (done.length === 0) continue
    const windowStart = micros - dedupeMinutes * MICROS_PER_MINUTE
    const first = micros === -Infinity ? new Map<number, number>() : await log.offsetsAt(topic, windowStart)
    for (const { partition, earliest } of done) {
      const start = starts.get(partition)!.offset
      const wanted = Math.min(start, first.get(partition) ?? earliest)
      from.set(partition, Math.max(earliest, wanted, start - MOST_REMEMBERED))
    }
  }
  return from
}
