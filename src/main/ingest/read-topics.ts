// From the log into the intake: batch by batch, remembered where the table has it already, taken in where it has not.
import { setImmediate } from 'node:timers/promises'
import { Failure } from '../../contract/failure.ts'
import { aborted } from '../base/cancelled.ts'
import { backoffMs, isTransient, sleepUnlessAborted } from '../base/retry.ts'
import type { LogBatch } from '../market/log-batch.ts'
import type { StandardBatch } from '../market/standard-batch.ts'
import { placeOf, type Place, type TopicStream } from './places.ts'
import { isFull } from './plan-flush.ts'
import { countBefore, sliceBatch } from './slice-batch.ts'
import { anotherLog, refuseStart } from './start-offsets.ts'
import type { TableContext } from './table-context.ts'

/** More made no difference to the rate (measured), and is memory that every table takes. */
const MOST_BYTES_AHEAD = 4 * 1024 * 1024
/** So long the loop may belong to the reader alone, however fast the log is. */
const SLICE_MS = 10

/** What to read, and until when: then it is asked again. */
export type Asked = () => { topics: readonly string[]; until: AbortSignal }

/** Until nothing more is to be read; throws what reading again does not mend. */
export async function readTopics(context: TableContext, asked: Asked): Promise<void> {
  const { streams, reading, leaving, onWaiting, options } = context
  const { log, settings, breakers } = options
  const { retryFirstMs = 100, retryMostMs = 10_000 } = settings
  let failures = 0
  let isTroubled = false
  let turnMs = performance.now()

  /** The log itself tries again; its breaker only shows how it is. */
  function onTrouble(trouble: Error | undefined): void {
    isTroubled = trouble !== undefined
    onWaiting('kafka', trouble)
    breakers.kafka.run(() => (trouble ? Promise.reject(trouble) : Promise.resolve())).catch(() => {})
  }

  while (!reading.aborted) {
    const { topics, until } = asked()
    if (topics.length === 0) {
      await aborted(until)
      continue
    }
    try {
      const options = { topics, from: placeToRead, signal: until, maxBytesAhead: MOST_BYTES_AHEAD, onTrouble }
      for await (const batch of log.read(options)) {
        if (failures > 0) onTrouble(undefined)
        failures = 0
        await accept(context, batch)
        if (until.aborted) break
        if (performance.now() - turnMs < SLICE_MS) continue
        await setImmediate()
        turnMs = performance.now()
      }
      // What it was in trouble with may be a topic that is read no more.
      if (isTroubled && !reading.aborted) onTrouble(undefined)
    } catch (thrown) {
      if (hasLostNoRow(context, thrown)) continue
      const error = inOurWords(thrown)
      if (reading.aborted && (leaving.aborted || context.dying.aborted)) return
      if (!isTransient(error)) throw error
      // A topic that is gone says nothing of the server, and must not keep other tables from it.
      if (isNotFound(thrown)) onWaiting('kafka', error)
      else onTrouble(error as Error)
      await breakers.kafka.waitUntilTryable(until).catch(() => {})
      await sleepUnlessAborted(backoffMs(++failures, retryFirstMs, retryMostMs), until).catch(() => {})
      // The topic that was not found may be the one that is read no more; else it is not found again.
      if (until.aborted && isNotFound(thrown)) onWaiting('kafka', undefined)
    }
  }

  function placeToRead(topic: string, partition: number): number {
    return placeOf(streams.get(topic)!, partition).next
  }
}

/**
 * Retention took messages that were only to be remembered, or of a topic that was not begun: reading goes on behind
 * them. What the table has already cannot be lost to it.
 */
function hasLostNoRow({ streams, options, table }: TableContext, error: unknown): boolean {
  if (!(error instanceof Failure && error.code === 'OFFSET_OUT_OF_RANGE')) return false
  const { topic, partition, offset, earliest } = error.details as RefusedOffset
  if (!(offset < earliest)) return false
  const stream = streams.get(topic)
  const place = stream?.places.get(partition)
  if (!stream || !place) return true
  if (stream.isNew && place.committed === undefined && place.next === place.start) {
    place.start = place.next = earliest
    return true
  }
  if (place.next >= place.start || earliest > place.start) return false
  const what = 'Retention has shortened the window of repeats while it was read'
  options.logger.info(what, { table, topic, partition, from_offset: place.next, to_offset: earliest })
  place.next = earliest
  return true
}

function isNotFound(error: unknown): boolean {
  return error instanceof Failure && error.code === 'NOT_FOUND'
}

type RefusedOffset = Parameters<typeof refuseStart>[0]

/** The log knows only its own side of what it cannot read. */
function inOurWords(error: unknown): unknown {
  if (!(error instanceof Failure)) return error
  if (error.code === 'OFFSET_OUT_OF_RANGE') return refuseStart(error.details as RefusedOffset)
  if (error.code === 'LOG_RESET') return anotherLog((error.details as { topic: string }).topic, true)
  if (isNotFound(error)) return new Failure('UNAVAILABLE', `${error.message} It is waited for.`)
  return error
}

async function accept(context: TableContext, batch: LogBatch): Promise<void> {
  const stream = context.streams.get(batch.topic)!
  const place = placeOf(stream, batch.partition)
  place.latest = Math.max(place.latest, batch.latest)
  let rest = batch
  if (place.next < place.start) rest = await remember(context, stream, place, batch)
  if (rest.nextOffset <= place.start) return
  const claimed = context.budget.claim(rest.count)
  if (claimed < rest.count) rest = sliceBatch(rest, 0, claimed)
  if (rest.count > 0) {
    const standard = await standardize(context, rest)
    await room(context)
    take(context, stream, place, standard)
    context.step('taken')
  } else if (rest.nextOffset > place.next) advance(context, place, rest.nextOffset)
}

function advance(context: TableContext, place: Place, nextOffset: number): void {
  place.next = nextOffset
  context.oldestMs ??= performance.now()
  context.changed.ring()
}

/** What of the batch is not in the table yet; the rest is known from now on. */
async function remember(
  context: TableContext,
  { intake }: TopicStream,
  place: Place,
  batch: LogBatch,
): Promise<LogBatch> {
  const known = countBefore(batch, place.start)
  if (known > 0) {
    intake.remember(await standardize(context, sliceBatch(batch, 0, known)))
    place.readMicros = place.committedMicros = batch.timestamps[known - 1]
  }
  place.next = known === batch.count ? Math.min(batch.nextOffset, place.start) : place.start
  return sliceBatch(batch, known, batch.count)
}

/** In one go: a drain must never see the rows of a batch without how far the log is with them. */
function take(context: TableContext, { topic, intake }: TopicStream, place: Place, batch: StandardBatch): void {
  const { totals, options } = context
  const { events = {}, settings } = options
  const { deadLetters, gaps } = intake.take(batch)
  place.readMicros = batch.timestamps[batch.count - 1]
  advance(context, place, batch.nextOffset)
  totals.messages += batch.count
  context.heldMessages += batch.count
  events.onTaken?.({ topic, messages: batch.count })
  for (const gap of gaps) events.onGap?.(gap)
  const mayNotPass =
    (settings.onDeadLetter === 'suspend' && deadLetters > 0) ||
    (settings.onGap === 'halt' && gaps.some(({ severity }) => severity === 'critical'))
  if (mayNotPass) context.finish()
}

/** Without a promise where all schemas are known, which is nearly always. */
function standardize({ hold, options, leaving }: TableContext, batch: LogBatch) {
  const now = options.standardize(batch, leaving)
  if (!(now instanceof Promise)) return now
  now.catch(() => {}) // where its breaker does not let it be looked at
  let first: typeof now | undefined = now
  return hold(
    'registry',
    () => {
      const tried = first ?? Promise.resolve(options.standardize(batch, leaving))
      first = undefined
      return tried
    },
    leaving,
  )
}

/** While as much is held as one flush takes, and the one before is under way, nothing more is taken. */
async function room({ streams, drained, reading }: TableContext): Promise<void> {
  while (!reading.aborted && isFull(heldIn(streams.values()))) await drained.wait(reading)
}

export function heldIn(streams: Iterable<TopicStream>): { rows: number; bytes: number } {
  let rows = 0
  let bytes = 0
  for (const { intake } of streams) {
    rows += intake.rowCount()
    bytes += intake.heldBytes()
  }
  return { rows, bytes }
}
