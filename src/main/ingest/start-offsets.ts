// Where a table's stream goes on: from what the table itself says and nothing else, checked against what the log holds.
import { Failure } from '../../contract/failure.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import type { PartitionRange } from '../log/message-log.ts'

export interface LogTopic {
  topic: string
  epoch: string
  ranges: readonly PartitionRange[]
}

/** By partition; one that is not named is new, and begins at the earliest. */
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
  const starts = new Map<number, number>()
  for (const [name, offset] of Object.entries(own.next)) {
    const partition = Number(name)
    const range = ranges.find(one => one.partition === partition)
    checkRange({ topic, partition, offset }, range)
    starts.set(partition, offset)
  }
  return starts
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
  try {
    checkRange(details, details)
  } catch (error) {
    return error as Failure
  }
  return new Failure('UNAVAILABLE', `Partition ${details.partition} of ${details.topic} could not be read just now.`)
}

function checkRange({ topic, partition, offset }: Place, range: PartitionRange | undefined): void {
  const where = `partition ${partition} of ${topic}`
  const details = { topic, partition, offset, earliest: range?.earliest ?? null, latest: range?.latest ?? null }
  if (!range || offset > range.latest) {
    const end = range ? `ends at ${range.latest}` : 'does not exist in the log any more'
    const message = `The table has ${where} up to offset ${offset}, but it ${end}: the log is not the one it was.`
    throw new Failure('LOG_RESET', `${message} ${howToGoOn(topic, partition)}`, { details })
  }
  if (offset < range.earliest) {
    const lost = `The table has ${where} up to offset ${offset}, and the log holds it only from ${range.earliest} on`
    const message = `${lost}: retention has removed up to ${range.earliest - offset} messages that were never written.`
    throw new Failure('OFFSET_OUT_OF_RANGE', `${message} ${howToGoOn(topic, partition)}`, { details })
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
