// Where the log has to be read again from at the start, so that repeats are known as if the writer had never stopped.
import type { MessageLog, PartitionRange } from '../log/message-log.ts'

export interface WindowOptions {
  log: Pick<MessageLog, 'offsetsAt'>
  topic: string
  ranges: readonly PartitionRange[]
  /** Where each partition goes on; those that are not named are new. */
  starts: ReadonlyMap<number, number>
  minutes: number
  /** The window holds no more of a partition's messages than these. */
  rowsPerPartition: number
  nowMicros: number
}

const MINUTE_MICROS = 60e6
const DAY_MICROS = 1440 * MINUTE_MICROS
/** Offsets may have gaps, as after every transaction: so many for one message are allowed for. */
const OFFSETS_PER_ROW = 2

/**
 * The window ends with the last message before the start, whose time is not known: it is looked for in steps that double,
 * back from now. What is read too much changes nothing; a message too few would. Where a message is of a time that is still
 * to come, as by a wrong clock, times say nothing: as much is read as the window holds.
 */
export async function windowStarts(options: WindowOptions): Promise<Map<number, number>> {
  const { log, topic, ranges, starts, minutes, rowsPerPartition, nowMicros } = options
  const windows = new Map<number, number>()
  const open = new Map<number, PartitionRange>()
  for (const range of ranges) {
    const start = starts.get(range.partition)
    if (start === undefined) continue
    windows.set(range.partition, start)
    if (minutes > 0 && start > range.earliest) open.set(range.partition, range)
  }
  const oldestOf = (partition: number, { earliest }: PartitionRange) =>
    Math.max(earliest, starts.get(partition)! - rowsPerPartition * OFFSETS_PER_ROW)
  const toCome = open.size > 0 ? await log.offsetsAt(topic, nowMicros + DAY_MICROS) : new Map<number, number>()
  for (const [partition, range] of open) {
    if (!(toCome.get(partition)! < starts.get(partition)!)) continue
    windows.set(partition, oldestOf(partition, range))
    open.delete(partition)
  }
  for (let backMicros = MINUTE_MICROS; open.size > 0; backMicros *= 2) {
    // In the end of all, a time before the first of all messages.
    const reached = Math.max(0, nowMicros - backMicros)
    const at = await log.offsetsAt(topic, reached)
    const found = [...open].filter(([partition]) => reached === 0 || at.get(partition)! < starts.get(partition)!)
    if (found.length === 0) continue
    const begins = await log.offsetsAt(topic, reached - minutes * MINUTE_MICROS)
    for (const [partition, range] of found) {
      const start = starts.get(partition)!
      const oldest = oldestOf(partition, range)
      windows.set(partition, Math.min(start, Math.max(oldest, begins.get(partition) ?? oldest)))
      open.delete(partition)
    }
  }
  return windows
}
