// How far an answer must have read at least, for one who has just written to the log and wants to see it.
import { offsetIn } from '../../market/topic-offsets.ts'
import { reach } from './base.ts'
import type { Found } from './read-hybrid.ts'

/** The next offset, as everywhere: one more than that of the last message that must be in. */
export interface WantedOffset {
  topic: string
  partition: number
  offset: number
}

/** `topic:partition:offset,…`, as the contract has checked it. */
export function parseMinOffsets(text: string | undefined): WantedOffset[] {
  if (text === undefined) return []
  return text.split(',').map(part => {
    const [topic, partition, offset] = part.split(':')
    return { topic, partition: Number(partition), offset: Number(offset) }
  })
}

export function missingOffsets(
  wanted: readonly WantedOffset[],
  { live, lake, base }: Found,
): (WantedOffset & { reached: number })[] {
  return wanted
    .map(one => ({ ...one, reached: reachedBy(one, lake.value && base?.offsets, live.value) }))
    .filter(({ offset, reached }) => reached < offset)
}

/** In the life of the topic that the live view reads, else in the one that the table knows. */
function reachedBy(
  { topic, partition }: WantedOffset,
  inTable: Parameters<typeof offsetIn>[0] = [],
  live: Found['live']['value'],
): number {
  const life = [...(live?.next ?? []), ...inTable].find(known => known.topic === topic)
  if (!life) return 0
  return reach(live, life, String(partition), offsetIn(inTable, life, String(partition)) ?? 0)
}
