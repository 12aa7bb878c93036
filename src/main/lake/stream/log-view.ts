// What the lake asks of a log to say where a stream goes on; a MessageLog is one.
import { Failure } from '../../../contract/failure.ts'

export interface LogView {
  kind: 'kafka' | 'embedded'
  cluster: () => Promise<string>
  topics: () => Promise<readonly { name: string; epoch: string }[]>
  ranges: (topic: string) => Promise<readonly PartitionRange[]>
  /** The first offset of each partition whose message is not older than this time; its end when there is none. */
  offsetsAt: (topic: string, micros: number) => Promise<ReadonlyMap<number, number>>
}

export interface PartitionRange {
  partition: number
  earliest: number
  latest: number
}

/** Which messages a topic's offsets are of, and which it holds. */
export interface TopicNow {
  cluster: string
  epoch: string
  ranges: readonly PartitionRange[]
}

/** Nothing when the log has no such topic. */
export async function topicNow(log: LogView, topic: string): Promise<TopicNow | undefined> {
  const [cluster, topics] = await Promise.all([log.cluster(), log.topics()])
  const found = topics.find(({ name }) => name === topic)
  return found && { cluster, epoch: found.epoch, ranges: await log.ranges(topic) }
}

/** That the log is away just now is no reason not to say what is known without it. */
export function isAway(error: unknown): boolean {
  return error instanceof Failure && (error.code === 'UNAVAILABLE' || error.code === 'TIMEOUT')
}
