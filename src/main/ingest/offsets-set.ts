// Whether somebody has said where a table's stream goes on that could not: it is written again then, without a restart.
import type { FailureCode } from '../../contract/failure.ts'
import type { TopicInfo } from '../log/message-log.ts'
import { isSameLife, type OffsetVector } from '../market/topic-offsets.ts'
import { says } from './vectors.ts'

/** What `k2 ingest offsets set` is the way out of. */
export const ENDED_BY_OFFSETS: ReadonlySet<FailureCode> = new Set(['LOG_RESET', 'OFFSET_OUT_OF_RANGE', 'CORRUPT'])

export interface Stuck {
  topics: readonly string[]
  /** How far the log was in the table then. */
  said: OffsetVector
}

/**
 * The table says something else of these topics. Where a topic was made anew its partitions are set one by one, and one
 * that is not set would begin at its earliest message: so all of them are waited for.
 */
export function areOffsetsSet({ topics, said }: Stuck, now: OffsetVector, there: readonly TopicInfo[]): boolean {
  const [before, after] = [said, now].map(vector => vector.filter(({ topic }) => topics.includes(topic)))
  if (says(before, after) && says(after, before)) return false
  return after.every(own => {
    const isRenewed = !before.some(one => isSameLife(one, own)) && before.some(({ topic }) => topic === own.topic)
    const info = there.find(({ name }) => name === own.topic)
    return !isRenewed || (info?.epoch === own.epoch && Object.keys(own.next).length >= info.partitions)
  })
}
