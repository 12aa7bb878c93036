// Which topics there are, and making them.
import { Failure } from '../../../contract/failure.ts'
import { backoffMs, sleepUnlessAborted } from '../../base/retry.ts'
import type { TopicInfo, TopicSpec } from '../message-log.ts'
import { createTopicsRequest } from './admin-requests.ts'
import { checkCode, withPatience, type Cluster } from './cluster.ts'
import { KAFKA } from './errors.ts'
import type { TopicMetadata } from './metadata-request.ts'
import { rangesOf } from './offsets.ts'

const TRIES = 5
const CREATE_MS = 30_000
/** Until every broker knows a new topic and each of its partitions has a leader. */
const LED_TRIES = 20
/** Of brokers before Kafka 2.8, which do not tell a topic from one that was made anew. */
const NO_EPOCH = '0'

export const epochOf = ({ id }: TopicMetadata) => id ?? NO_EPOCH

export function listTopics(cluster: Cluster): Promise<TopicInfo[]> {
  return withPatience(cluster.signal, TRIES, async () => {
    const { topics } = await cluster.metadata(null)
    return topics
      .filter(({ isInternal, code }) => !isInternal && code !== KAFKA.UNKNOWN_TOPIC_OR_PARTITION)
      .map(topic => ({ name: topic.name, partitions: topic.partitions.length, epoch: epochOf(topic) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  })
}

export async function createMissingTopics(cluster: Cluster, specs: readonly TopicSpec[]): Promise<void> {
  if (specs.length === 0) return
  const missing = await missingOf(cluster, specs)
  if (missing.length > 0) {
    const answers = await withPatience(cluster.signal, TRIES, async () => {
      const { controller } = await cluster.metadata([])
      return cluster.send(controller, createTopicsRequest(missing, CREATE_MS))
    })
    for (const { topic, code, said } of answers)
      if (code !== KAFKA.TOPIC_ALREADY_EXISTS) checkCode(code, `Topic ${topic} could not be created`, said)
  }
  for (let attempt = 1; (await missingOf(cluster, specs)).length > 0; attempt++) {
    if (attempt === LED_TRIES)
      throw new Failure('UNAVAILABLE', 'The topics were created, but Kafka has not made brokers lead them yet.')
    await sleepUnlessAborted(backoffMs(attempt, 20, 1000), cluster.signal)
  }
  // A leader may be the last to hear that it is one.
  for (const { name } of missing) await rangesOf(cluster, name)
}

/** Those that do not exist or are not led yet; CONFLICT when one exists with another partition count. */
async function missingOf(cluster: Cluster, specs: readonly TopicSpec[]): Promise<TopicSpec[]> {
  const { topics } = await withPatience(cluster.signal, TRIES, () => cluster.metadata(specs.map(({ name }) => name)))
  const byName = new Map(topics.map(topic => [topic.name, topic]))
  return specs.filter(({ name, partitions: wanted }) => {
    const topic = byName.get(name)
    if (!topic || topic.code === KAFKA.UNKNOWN_TOPIC_OR_PARTITION) return true
    checkCode(topic.code, `Topic ${name} could not be looked up`)
    const { partitions } = topic
    if (partitions.length > 0 && partitions.length !== wanted)
      throw new Failure('CONFLICT', `Topic ${name} exists with ${partitions.length} partitions, not ${wanted}.`)
    return partitions.length === 0 || partitions.some(({ leader }) => leader < 0)
  })
}
