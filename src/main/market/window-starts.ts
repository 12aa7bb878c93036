// From where a log has to be read for repeats to be known at a start as if everything before had been read. The same for
// all who read: they must drop the same repeats.
import { DEDUPE_ROWS } from './dedupe.ts'

interface Range {
  partition: number
  earliest: number
  latest: number
}

export interface WindowOptions {
  log: { offsetsAt: (topic: string, micros: number) => Promise<ReadonlyMap<number, number>> }
  topic: string
  ranges: readonly Range[]
  /** Where each partition begins or goes on; those that are not named are new. */
  starts: ReadonlyMap<number, number>
  /** Of the window; 0 for none. */
  minutes: number
  /** The window holds no more of a partition's messages than these. */
  rowsPerPartition?: number
  nowMicros: number
  /** How far back it is looked first: about as old as most starts are. */
  firstStepMinutes?: number
}

const MINUTE_MICROS = 60e6
const DAY_MICROS = 1440 * MINUTE_MICROS
/** Offsets may have gaps, as after every transaction, and messages may be no rows: so many for one row are allowed for. */
const OFFSETS_PER_ROW = 2
/** What it holds depends on the times of as many before that. */
const RINGS_READ = 2

/**
 * The window of a partition ends with its last message before the start, whose time is not known: it is looked for in steps
 * that double, back from now. What is read too much changes nothing; a message too few would. Where a message is of a time
 * far ahead, as by a wrong clock, it answers every later question for a time: as much is read as can matter at all.
 */
export async function findWindowStarts(options: WindowOptions): Promise<Map<number, number>> {
  const { log, topic, ranges, starts, minutes, nowMicros } = options
  const { rowsPerPartition = DEDUPE_ROWS, firstStepMinutes = 1 } = options
  const known = ranges.filter(({ partition }) => starts.has(partition))
  const startOf = ({ partition }: Range) => starts.get(partition)!
  const mostOffsets = rowsPerPartition * OFFSETS_PER_ROW * RINGS_READ
  const oldestOf = (range: Range) => Math.max(range.earliest, startOf(range) - mostOffsets)
  const windows = new Map(known.map(range => [range.partition, startOf(range)]))
  const askAt = async (micros: number) => {
    const at = await log.offsetsAt(topic, micros)
    return (range: Range) => at.get(range.partition) ?? range.latest
  }

  let open = known.filter(range => minutes > 0 && startOf(range) > range.earliest)
  if (open.length > 0) {
    const ahead = await askAt(nowMicros + DAY_MICROS)
    const isAhead = (range: Range) => ahead(range) < startOf(range)
    for (const range of open.filter(isAhead)) windows.set(range.partition, oldestOf(range))
    open = open.filter(range => !isAhead(range))
  }
  for (let back = firstStepMinutes * MINUTE_MICROS; open.length > 0; back *= 2) {
    const reached = nowMicros - back
    // Before the first of all messages.
    if (reached <= 0) {
      for (const range of open) windows.set(range.partition, oldestOf(range))
      break
    }
    const at = await askAt(reached)
    // Where the message at the start is the first one that young, it takes the window there by itself.
    const isReached = (range: Range) =>
      at(range) < startOf(range) || (at(range) === startOf(range) && startOf(range) < range.latest)
    const found = open.filter(isReached)
    if (found.length === 0) continue
    open = open.filter(range => !isReached(range))
    const begin = await askAt(reached - minutes * MINUTE_MICROS)
    for (const range of found)
      windows.set(range.partition, Math.min(startOf(range), Math.max(oldestOf(range), begin(range))))
  }
  return windows
}
