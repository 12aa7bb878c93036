// The log embedded in this process: what K2 runs on where there is no Kafka. Without a folder it lives as long as the
// process does; with one it is there again at the next start, with the same offsets.
import { randomUUID } from 'node:crypto'
import { Failure } from '../../contract/failure.ts'
import { createBell } from '../base/bell.ts'
import { systemClock } from '../base/clock.ts'
import { checkProduced } from './check-produced.ts'
import { openEmbeddedJournal } from './embedded-journal.ts'
import { createMemory, type EmbeddedTopic, type HeldFrom, type KeyPlace } from './embedded-memory.ts'
import { offsetAt, offsetOf, rangeOf, readBatch, type Partition } from './embedded-partition.ts'
import type { JournalOptions } from './journal.ts'
import type { MessageLog, TopicSpec } from './message-log.ts'

export interface EmbeddedLogOptions {
  /** Memory for messages; beyond it the oldest go. */
  maxBytes: number
  /**
   * From where on a partition's messages are not in the tables yet: none of them goes, no more come in instead. Until that is
   * known the one of the life before holds.
   */
  heldFrom?: HeldFrom
  /** Where it survives; CONFLICT when another process has it open. */
  folder?: string
  /** Identity of the offsets of a log that begins anew; a new one when left out. */
  cluster?: string
  /** Microseconds since 1970. */
  now?: () => number
  /** What was lost before the start, for the log of the program. */
  onWarning?: (why: string) => void
  /** For tests that let the disk be full. */
  files?: JournalOptions['files']
}

/** As Kafka's own default. */
const MAX_MESSAGE_BYTES = 1024 * 1024
/** Topics cannot be deleted here, so none is made anew. */
const FIRST_EPOCH = '0'

export function createEmbeddedLog(options: EmbeddedLogOptions): MessageLog {
  const { maxBytes, heldFrom, folder, now = () => systemClock.nowMicros(), onWarning = () => {}, files } = options
  const memory = createMemory(maxBytes, heldFrom)
  const { topics } = memory
  const begunAs = options.cluster ?? randomUUID()
  const journal =
    folder === undefined
      ? undefined
      : openEmbeddedJournal({ folder, memory, maxBytes, cluster: begunAs, onWarning, files })
  const cluster = journal?.cluster ?? begunAs
  const appended = createBell()
  /** Of the messages that are being appended. */
  const places: KeyPlace[] = []
  let closed = false

  function topicOf(name: string): EmbeddedTopic {
    if (closed) throw closedFailure()
    const topic = topics.get(name)
    if (!topic) throw new Failure('NOT_FOUND', `There is no topic ${name}; create it first.`)
    return topic
  }

  async function* follow(readers: { partition: Partition; offset: number }[], signal: AbortSignal) {
    while (!signal.aborted && !closed) {
      let idle = true
      // One batch of each in turn, so that a busy partition starves no other.
      for (const reader of readers) {
        const batch = readBatch(reader.partition, reader.offset)
        if (!batch) continue
        reader.offset = batch.nextOffset
        idle = false
        yield batch
        if (signal.aborted) return
      }
      if (idle) await appended.wait(signal)
    }
  }

  return {
    kind: 'embedded',
    async cluster() {
      return cluster
    },
    async topics() {
      return [...topics.values()].map(({ name, partitions }) => ({
        name,
        partitions: partitions.length,
        epoch: FIRST_EPOCH,
      }))
    },
    async createTopics(specs) {
      if (closed) throw closedFailure()
      for (const spec of specs) checkSpec(spec, topics.get(spec.name)?.partitions.length)
      const missing = specs.filter(({ name }) => !topics.has(name))
      if (missing.length === 0) return
      for (const { name, partitions } of missing) memory.addTopic(name, partitions)
      try {
        journal?.writeState()
      } catch (error) {
        for (const { name } of missing) topics.delete(name)
        throw error
      }
    },
    async append(name, messages) {
      // Readers may find it open again, in another process; who fills it was to end before.
      if (closed) throw closedFailure(false)
      const topic = topicOf(name)
      checkProduced(messages, MAX_MESSAGE_BYTES)
      const fullOf = memory.fullOf() ?? journal?.fullOf()
      if (fullOf !== undefined) throw full(fullOf)
      const { count, keys, values, ends, tombstones, timestamps } = messages
      const time = now()
      for (let i = 0; i < count; i++) places[i] = memory.keyPlace(topic, keys[i])
      // From here to the end nothing is waited for: what is in the journal is in memory before anything else happens.
      journal?.writeMessages(topic, messages, time, places)
      for (let i = 0, from = 0; i < count; from = ends[i++]) {
        const { bytes: key, partition } = places[i]
        const value = tombstones?.[i] ? null : values.subarray(from, ends[i])
        memory.add(partition, key, value, timestamps ? timestamps[i] : time)
      }
      appended.ring()
    },
    async ranges(name) {
      return topicOf(name).partitions.map(rangeOf)
    },
    async offsetsAt(name, micros) {
      return new Map(topicOf(name).partitions.map(partition => [partition.index, offsetAt(partition, micros)]))
    },
    read({ topics: names, from, signal }) {
      // Here and not at the first message: "latest" is now.
      const readers = names.flatMap(name =>
        topicOf(name).partitions.map(partition => ({
          partition,
          offset: offsetOf(partition, from(name, partition.index)),
        })),
      )
      return follow(readers, signal)
    },
    async noteProgress() {},
    async close() {
      if (closed) return
      closed = true
      appended.ring()
      topics.clear()
      journal?.close()
    },
  }
}

function closedFailure(retryable = true): Failure {
  return new Failure('UNAVAILABLE', 'The embedded log is closed.', { retryable })
}

function full(topic: string): Failure {
  const what = `The log is full of messages that are not in the tables yet, most of them of ${topic} (K2_TAIL_MAX_MB).`
  return new Failure(
    'UNAVAILABLE',
    `${what} It takes more when the writer has written some; /health says what it waits for.`,
  )
}

function checkSpec({ name, partitions }: TopicSpec, existing: number | undefined): void {
  if (!Number.isInteger(partitions) || partitions < 1)
    throw new Failure('INVALID_INPUT', `Topic ${name} cannot have ${partitions} partitions; it needs at least one.`)
  if (existing !== undefined && existing !== partitions)
    throw new Failure('CONFLICT', `Topic ${name} exists with ${existing} partitions, not ${partitions}.`)
}
