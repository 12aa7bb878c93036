// What a topic's partitions hold, and where a time begins in them: asked of each partition's leader.
import type { PartitionRange } from '../message-log.ts'
import { checkCode, withPatience, type Cluster } from './cluster.ts'
import { EARLIEST, LATEST, listOffsetsRequest } from './fetch-requests.ts'
import type { TopicMetadata } from './metadata-request.ts'

/** Within ten seconds: a broker names itself a leader a while before it acts as one, right after a topic was made. */
const TRIES = 8

export function rangesOf(cluster: Cluster, topic: string): Promise<PartitionRange[]> {
  return withPatience(cluster.signal, TRIES, async () => {
    const found = await cluster.topic(topic)
    const [earliest, latest] = [await listOffsets(cluster, found, EARLIEST), await listOffsets(cluster, found, LATEST)]
    return [...earliest]
      .map(([partition, offset]) => ({ partition, earliest: offset, latest: latest.get(partition)! }))
      .sort((a, b) => a.partition - b.partition)
  })
}

/** Kafka's times are whole milliseconds, so a time between two of them is the later one's. */
export function offsetsAtTime(cluster: Cluster, topic: string, micros: number): Promise<Map<number, number>> {
  return withPatience(cluster.signal, TRIES, async () => {
    const found = await cluster.topic(topic)
    const latest = await listOffsets(cluster, found, LATEST)
    // Kafka takes a negative time for one of its own marks.
    const at = await listOffsets(cluster, found, Math.max(0, Math.ceil(micros / 1000)))
    return new Map([...at].map(([partition, offset]) => [partition, offset < 0 ? latest.get(partition)! : offset]))
  })
}

export async function listOffsets(
  cluster: Cluster,
  { name, partitions }: TopicMetadata,
  time: number,
): Promise<Map<number, number>> {
  const byLeader = new Map<number, number[]>()
  for (const { partition, leader } of partitions) byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition])
  const answers = await Promise.all(
    [...byLeader].map(([leader, led]) =>
      cluster.send(
        leader,
        listOffsetsRequest([{ topic: name, partitions: led.map(partition => ({ partition, time })) }]),
      ),
    ),
  )
  const found = new Map<number, number>()
  for (const { partition, code, offset } of answers.flat()) {
    checkCode(code, `Offsets of partition ${partition} of ${name} could not be looked up`)
    found.set(partition, offset)
  }
  return found
}
