// Topics on their way in: where the table says they go on, checked against the log, and what has to be known from before.
import { Failure } from '../../contract/failure.ts'
import type { Hold } from './hold.ts'
import { newPlace, type TopicStream } from './places.ts'
import { anotherLog, startOffsets, type Starts } from './start-offsets.ts'
import type { TableContext } from './table-context.ts'
import type { WriterOptions } from './writer-options.ts'
import { findWindowStarts } from '../market/window-starts.ts'
import { movedTo } from './vectors.ts'
import type { MessageLog, PartitionRange } from '../log/message-log.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'

interface Opening {
  topic: string
  epoch: string
  ranges: PartitionRange[]
}

/**
 * Opens those that are there, and gives the others back: a topic that was deleted meanwhile, or that not every broker knows
 * yet, holds up no other, and says nothing of the server.
 */
export async function openTopics(context: TableContext, topics: readonly string[]): Promise<string[]> {
  const { stream, sides, streams, options, leaving } = context
  const hold: Hold = (server, work) => context.hold(server, work, leaving)
  // The table first: what the log has can only grow meanwhile.
  const vector = await hold('catalog', () => stream.offsets())
  const deadLetters = await hold('catalog', () => sides.deadLetters.table.offsets())
  const gaps = await hold('catalog', () => sides.gaps.table.offsets())
  const { cluster, openings } = await hold('kafka', () => lookAt(options, topics))
  const there = openings.map(({ topic }) => topic)
  sides.deadLetters.vector = movedTo(sides.deadLetters.vector, ofTopics(deadLetters, there))
  sides.gaps.vector = movedTo(sides.gaps.vector, ofTopics(gaps, there))
  context.said = movedTo(context.said, ofTopics(vector, there))
  const starts = startOffsets({ vector, cluster, topics: openings })
  for (const opening of openings) {
    const stream = await openTopic({ ...context, hold }, cluster, opening, starts.get(opening.topic)!)
    streams.set(opening.topic, stream)
    options.logger.info(`Writing ${opening.topic}`, { topic: opening.topic, table: context.table })
  }
  return topics.filter(topic => !there.includes(topic))
}

/** Of the vector, what the fence is about. */
function ofTopics(vector: OffsetVector, topics: readonly string[]): OffsetVector {
  return vector.filter(({ topic }) => topics.includes(topic))
}

async function lookAt(
  { log }: Pick<WriterOptions, 'log'>,
  topics: readonly string[],
): Promise<{ cluster: string; openings: Opening[] }> {
  const [cluster, there] = await Promise.all([log.cluster(), log.topics()])
  const openings: Opening[] = []
  for (const topic of topics) {
    const info = there.find(({ name }) => name === topic)
    const ranges = info && (await rangesIfThere(log, topic))
    if (ranges) openings.push({ topic, epoch: info.epoch, ranges })
  }
  return { cluster, openings }
}

/** Nothing of a topic that was deleted meanwhile, or that not every broker knows yet. */
export async function rangesIfThere(
  log: Pick<MessageLog, 'ranges'>,
  topic: string,
): Promise<PartitionRange[] | undefined> {
  try {
    return await log.ranges(topic)
  } catch (error) {
    if (error instanceof Failure && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

async function openTopic(
  { options, hold, stream, table }: TableContext,
  cluster: string,
  { topic, epoch, ranges }: Opening,
  starts: Starts,
): Promise<TopicStream> {
  const { log, logger, clock, openIntake, dayOf, settings } = options
  const { dedupeMinutes, dedupeRows } = settings
  const isNew = starts.size === 0
  const letGo = ranges.reduce((sum, { earliest }) => sum + earliest, 0)
  if (isNew && log.kind === 'embedded' && letGo > 0)
    logger.warn('The log let go of its oldest messages before anybody wrote the topic', {
      table,
      topic,
      offsets: letGo,
    })
  const lastSequences = isNew ? [] : await hold('catalog', () => stream.lastSequences(topic, dayOf))
  const windows = await hold('kafka', () =>
    findWindowStarts({
      log,
      topic,
      ranges,
      starts,
      minutes: dedupeMinutes,
      rowsPerPartition: dedupeRows,
      nowMicros: clock.nowMicros(),
    }),
  )
  const places = new Map(
    ranges.map(range => {
      const { partition, earliest } = range
      const start = starts.get(partition)
      if (start === undefined) return [partition, newPlace(range, isNew ? earliest : 0)]
      return [partition, { ...newPlace(range, start), committed: start, next: windows.get(partition)! }]
    }),
  )
  const settingsOfTopic = { table, topic, dedupeMinutes, dedupeRows, lastSequences }
  const intake = await hold('catalog', async () => openIntake(settingsOfTopic))
  return { topic, cluster, epoch, isNew, intake, places }
}

/** A topic that was made anew while it was being read: what comes now is not what the table goes on with. */
export function checkEpoch({ topic, epoch }: TopicStream, now: string): void {
  if (epoch !== now) throw anotherLog(topic, true)
}
