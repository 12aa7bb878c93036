// Reads some topics into a tail, in one read, from where the tail is to begin until it is stopped.
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../contract/failure.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { MessageLog } from '../log/message-log.ts'
import type { LogBatch } from '../market/log-batch.ts'
import type { StandardBatch, Standardize } from '../market/standard-batch.ts'
import { findWindowStarts } from '../market/window-starts.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import { chooseStarts, type StartFacts } from './choose-starts.ts'
import type { LogTopic } from './places.ts'
import { splitBatch } from './split-batch.ts'
import type { Tail } from './tail.ts'
import type { Turns } from './turns.ts'

export interface ReadTools {
  log: MessageLog
  tail: Tail
  minutes: number
  dedupeMinutes: number
  clock: Clock
  logger: Pick<Log, 'info' | 'warn'>
  turns: Turns
  standardize: Standardize
  /** How far the tables are; nothing where nobody writes or nobody can tell. */
  committed: () => Promise<OffsetVector | undefined>
  /** What keeps this reading from going on just now; nothing when it does again. */
  onTrouble: (trouble: Error | undefined) => void
}

/** How far reading is in a topic. */
export interface Reading {
  topic: LogTopic
  /** By partition: where the tail begins, where reading goes on, and where the log ended last. */
  starts: Map<number, number>
  next: Map<number, number>
  latest: Map<number, number>
}

const RETRY_AFTER_MS = 250

export function newReading(topic: LogTopic): Reading {
  return { topic, starts: new Map(), next: new Map(), latest: new Map() }
}

/** All in one read, until the signal aborts or the log fails; called again it goes on where it was. */
export async function readTopics(tools: ReadTools, readings: readonly Reading[], signal: AbortSignal): Promise<void> {
  const byName = new Map(readings.map(reading => [reading.topic.topic, reading]))
  const batches = tools.log.read({
    topics: [...byName.keys()],
    // A partition that was added is read from its first message on.
    from: (topic, partition) => byName.get(topic)!.next.get(partition) ?? 'earliest',
    signal,
    onTrouble: tools.onTrouble,
  })
  for await (const batch of batches) {
    const standard = await standardizeAtLast(tools, batch, signal)
    // The topic may be another by now, whose messages are not these.
    if (!standard || signal.aborted) return
    tools.onTrouble(undefined)
    take(tools.tail, byName.get(batch.topic)!, standard)
    await tools.turns()
  }
}

/** Finds out where the tail begins in topics that it has not read yet. */
export async function beginReading(tools: ReadTools, readings: readonly Reading[]): Promise<void> {
  const { log, tail, minutes, dedupeMinutes, clock, committed } = tools
  const vector = await committed()
  const written = vector && readings.map(({ topic }) => vector.find(isOf(topic)) ?? { ...topic, next: {} })
  const nowMicros = clock.nowMicros()
  const facts = await Promise.all(
    readings.map(async ({ topic }): Promise<StartFacts> => {
      const [ranges, atMinutes] = await Promise.all([
        log.ranges(topic.topic),
        log.offsetsAt(topic.topic, nowMicros - minutes * 60e6),
      ])
      return { ranges, atMinutes, committed: written?.find(isOf(topic))?.next }
    }),
  )
  const all = chooseStarts(facts, tail.roomFor)
  const remembered = await Promise.all(
    readings.map(({ topic: { topic } }, i) => {
      const { ranges } = facts[i]
      const starts = new Map([...all[i]].map(([partition, { offset }]) => [partition, offset]))
      const window = { minutes: dedupeMinutes, nowMicros, firstStepMinutes: minutes }
      return findWindowStarts({ log, topic, ranges, starts, ...window })
    }),
  )
  if (written) tail.noteCommitted(written)
  readings.forEach(({ topic, starts, next, latest }, i) => {
    tail.begin(topic, all[i])
    for (const range of facts[i].ranges) {
      starts.set(range.partition, all[i].get(range.partition)!.offset)
      next.set(range.partition, remembered[i].get(range.partition)!)
      latest.set(range.partition, range.latest)
    }
  })
}

function take(tail: Tail, { topic, starts, next, latest }: Reading, batch: StandardBatch): void {
  const { partition, nextOffset } = batch
  const first = batch.count > 0 ? batch.offsets[0] : nextOffset
  if (!next.has(partition)) {
    tail.begin(topic, new Map([[partition, { offset: first, isEarliest: true }]]))
    starts.set(partition, first)
  }
  const { before, after } = splitBatch(batch, starts.get(partition)!)
  if (before) tail.remember(before)
  if (after) tail.append(after)
  next.set(partition, nextOffset)
  latest.set(partition, batch.latest)
}

/** Held until whoever is asked answers: reading it again would only ask again. Nothing when stopped meanwhile. */
async function standardizeAtLast(
  { standardize, onTrouble }: ReadTools,
  batch: LogBatch,
  signal: AbortSignal,
): Promise<StandardBatch | undefined> {
  while (!signal.aborted) {
    try {
      const standard = standardize(batch, signal)
      return standard instanceof Promise ? await standard : standard
    } catch (error) {
      if (!(error instanceof Failure && error.retryable)) throw error
      onTrouble(error)
      await sleep(RETRY_AFTER_MS, undefined, { signal }).catch(() => {})
    }
  }
  return undefined
}

/** What the log said of the place that it could not be read from. */
interface Refused {
  topic?: string
  partition?: number
  /** Where what was read of it ends. */
  latest?: number
}

/**
 * Retention was faster than the tail, or the log has lost its end: the tail goes on with what there is, and says what it
 * never saw.
 */
export async function goOnAfterRemoved(
  { log, tail, logger }: ReadTools,
  readings: readonly Reading[],
  refused: Refused,
): Promise<void> {
  for (const { topic, next, starts } of readings)
    for (const { partition, earliest, latest: end } of await log.ranges(topic.topic)) {
      const from = next.get(partition)
      // It may have grown again since, by other messages.
      const isRefused = refused.topic === topic.topic && refused.partition === partition
      const latest = isRefused && refused.latest !== undefined ? Math.min(end, refused.latest) : end
      if (from === undefined || (from >= earliest && from <= latest)) continue
      const to = from < earliest ? earliest : latest
      next.set(partition, to)
      const fields = { topic: topic.topic, partition, from_offset: from, to_offset: to }
      if (from > latest) {
        logger.warn('The log ends before what the tail has read of it; it goes on at the end', fields)
        starts.set(partition, to)
        tail.begin(topic, new Map([[partition, { offset: to, isEarliest: false }]]))
      } else if (to > starts.get(partition)!) {
        logger.warn('The log no longer holds what the tail had yet to read; it goes on after it', fields)
        tail.skip(topic.topic, partition, to)
      }
    }
}

function isOf({ cluster, epoch, topic }: LogTopic): (other: LogTopic) => boolean {
  return other => other.topic === topic && other.cluster === cluster && other.epoch === epoch
}
