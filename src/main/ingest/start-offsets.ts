// Where a table's stream goes on: from what the table itself says and nothing else, checked against what the log holds.
import { Failure } from '../../contract/failure.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import type { PartitionRange } from '../log/message-log.ts'

export interface LogTopic {
  topic: string
  epoch: string
  ranges: readonly PartitionRange[]
}

/** By partition; none of a topic that is new to the table. One that is not named has come since: all of it is wanted. */
export type Starts = ReadonlyMap<number, number>

export interface StartOptions {
  /** How far the log is in the table. */
  vector: OffsetVector
  cluster: string
  topics: readonly LogTopic[]
}

/** By topic. An offset that would read other messages than those that follow in the table is a Failure, never a jump. */
export function startOffsets({ vector, cluster, topics }: StartOptions): Map<string, Starts> {
  return new Map(topics.map(topic => [topic.topic, startsOf(vector, cluster, topic)]))
}

function startsOf(vector: OffsetVector, cluster: string, { topic, epoch, ranges }: LogTopic): Starts {
  const known = vector.filter(entry => entry.topic === topic)
  const own = known.find(entry => entry.cluster === cluster && entry.epoch === epoch)
  if (!own) {
    if (known.length > 0) throw anotherLog(topic, known[0].cluster === cluster)
    return new Map()
  }
  const starts = new Map(Object.entries(own.next).map(([name, offset]) => [Number(name), offset]))
  const partitions = [...new Set([...starts.keys(), ...ranges.map(({ partition }) => partition)])]
  const refused = partitions.flatMap(partition => {
    const range = ranges.find(one => one.partition === partition)
    return problemOf({ topic, partition, offset: starts.get(partition) ?? 0 }, range) ?? []
  })
  if (refused.length > 0) throw together(refused)
  return starts
}

/** All of them at once: each has to be set. */
function together([first, ...others]: Failure[]): Failure {
  if (others.length === 0) return first
  const more = others.map(({ details }) => (details as Place).partition)
  const which = `So it is with ${more.length} more of its partitions: ${more.join(', ')}.`
  return new Failure(first.code, `${first.message} ${which}`, { details: first.details })
}

interface Place {
  topic: string
  partition: number
  offset: number
}

/** What a log refuses to read from while it is read from is refused in these words too. */
export function refuseStart(
  details: { topic: string; partition: number; offset: number } & Omit<PartitionRange, 'partition'>,
): Failure {
  return (
    problemOf(details, details) ??
    new Failure('UNAVAILABLE', `Partition ${details.partition} of ${details.topic} could not be read just now.`)
  )
}

function problemOf(
  { topic, partition, offset }: Place,
  range: Omit<PartitionRange, 'partition'> | undefined,
): Failure | undefined {
  const where = `partition ${partition} of ${topic}`
  const details = { topic, partition, offset, earliest: range?.earliest ?? null, latest: range?.latest ?? null }
  if (!range || offset > range.latest) {
    const end = range ? `ends at ${range.latest}` : 'does not exist in the log any more'
    const message = `The table has ${where} up to offset ${offset}, but it ${end}: the log is not the one it was.`
    return new Failure('LOG_RESET', `${message} ${howToGoOn(topic, partition)}`, { details })
  }
  if (offset < range.earliest) {
    const lost = `The table has ${where} up to offset ${offset}, and the log holds it only from ${range.earliest} on`
    const message = `${lost}: retention has removed up to ${range.earliest - offset} messages that were never written.`
    return new Failure('OFFSET_OUT_OF_RANGE', `${message} ${howToGoOn(topic, partition)}`, { details })
  }
}

export function anotherLog(topic: string, isSameCluster: boolean): Failure {
  const what = isSameCluster ? 'was deleted and made anew' : 'is in another cluster now'
  const message = `Topic ${topic} ${what} since the table was written: its offsets are other messages.`
  return new Failure('LOG_RESET', `${message} ${howToGoOn(topic, 'PARTITION')}`, { details: { topic } })
}

function howToGoOn(topic: string, partition: number | string): string {
  const command = `k2 ingest offsets set ${topic} ${partition} earliest|latest|OFFSET|TIME`
  return `Nothing was changed. Say where to go on with \`${command}\`: a K2 that runs goes on by itself then.`
}
