// Waits until the writer has read all that the log has: what it has read it commits when it is closed.
import { setTimeout as sleep } from 'node:timers/promises'
import type { WriterStatus } from '../../contract/writer.ts'
import type { MessageLog } from '../log/message-log.ts'

const LOOK_EVERY_MS = 100
/** A writer that is held up longer leaves the rest to the next start: the log keeps it. */
const WITHIN_MS = 20_000

export async function untilRead(
  log: Pick<MessageLog, 'topics' | 'ranges'>,
  status: () => Promise<WriterStatus>,
): Promise<boolean> {
  const ends = new Map<string, number>()
  for (const { name } of await log.topics())
    for (const { partition, latest } of await log.ranges(name)) if (latest > 0) ends.set(`${name} ${partition}`, latest)
  for (let waitedMs = 0; waitedMs < WITHIN_MS; waitedMs += LOOK_EVERY_MS) {
    const { topics } = await status()
    const read = new Map(
      topics.map(({ topic, partition, read_offset }) => [`${topic} ${partition}`, Number(read_offset)]),
    )
    if ([...ends].every(([place, end]) => (read.get(place) ?? 0) >= end)) return true
    await sleep(LOOK_EVERY_MS)
  }
  return false
}
