// Reading partitions from exact offsets on, for good: one fetching a broker on a connection of its own, a look at who
// leads what every few seconds, and a queue of what is fetched but not taken. No group, so nothing to be seeked again.
import { Failure } from '../../../contract/failure.ts'
import { backoffMs, isTransient } from '../../base/retry.ts'
import type { LogBatch } from '../../market/log-batch.ts'
import type { ReadOptions } from '../message-log.ts'
import type { Cluster } from './cluster.ts'
import { decodeBatches } from './decode-batches.ts'
import { KAFKA, kafkaFailure } from './errors.ts'
import { followBroker } from './fetch-loop.ts'
import { EARLIEST, LATEST } from './fetch-requests.ts'
import type { TopicMetadata } from './metadata-request.ts'
import { listOffsets } from './offsets.ts'
import { createReadState, dequeue, ringOrTime, type PartitionReader, type ReadState } from './read-state.ts'
import { epochOf } from './topics.ts'
import { createTrouble, type Trouble } from './trouble.ts'

const MAX_BYTES_AHEAD = 32 * 1024 * 1024
/** So soon a partition that was added is read. */
const LOOK_MS = 5_000
/** While a partition has no leader, which mostly takes a moment and may take days. */
const FIRST_LOOK_MS = 100
const MOST_LOOK_MS = 2_000
/** A topic that was just made is not known to every broker at once. */
const UNKNOWN_TRIES = 3

export function readTopics(cluster: Cluster, options: ReadOptions): AsyncIterable<LogBatch> {
  const { topics, from, maxBytesAhead = MAX_BYTES_AHEAD, onTrouble = () => {} } = options
  const state = createReadState(maxBytesAhead)
  const trouble = createTrouble(onTrouble)
  const stopping = new AbortController()
  const signal = AbortSignal.any([options.signal, cluster.signal, stopping.signal])
  const following = new Map<number, Promise<void>>()

  function fail(error: unknown): void {
    state.failure ??= error as Error
    state.arrived.ring()
    stopping.abort()
  }

  function followLeaders(): void {
    for (const { leader } of state.readers) {
      if (leader < 0 || following.has(leader)) continue
      const done = followBroker(cluster, leader, state, trouble, signal).catch(fail)
      following.set(leader, done)
      void done.then(() => {
        following.delete(leader)
        // It may have become a leader again while it ended.
        if (!signal.aborted) followLeaders()
      })
    }
    state.moved.ring()
  }

  // Begins now and not at the first batch that is taken: "latest" is now.
  const look = lookAtLeaders(cluster, topics, from, state, trouble)
  void keepLooking(look, followLeaders, state, trouble, signal).catch(fail)

  async function* take(): AsyncGenerator<LogBatch> {
    const ending = AbortSignal.any([options.signal, cluster.signal])
    try {
      while (!ending.aborted) {
        const fetched = dequeue(state)
        if (!fetched) {
          if (state.failure) throw state.failure
          await state.arrived.wait(ending)
          continue
        }
        for (const batch of decodeBatches(fetched)) {
          yield batch
          if (ending.aborted) return
        }
      }
    } finally {
      stopping.abort()
    }
  }
  return take()
}

async function keepLooking(
  look: () => Promise<void>,
  followLeaders: () => void,
  state: ReadState,
  trouble: Trouble,
  signal: AbortSignal,
): Promise<void> {
  /** Looks in a row that failed, or found a partition that nobody leads. */
  for (let inVain = 0; !signal.aborted;) {
    try {
      await look()
      trouble.clear('leaders')
      followLeaders()
      inVain = state.readers.some(({ leader, offset }) => leader < 0 || Number.isNaN(offset)) ? inVain + 1 : 0
    } catch (error) {
      if (signal.aborted) return
      if (!isTransient(error)) throw error
      trouble.set('leaders', error as Error)
      inVain++
    }
    await ringOrTime(state.stale, inVain > 0 ? backoffMs(inVain, FIRST_LOOK_MS, MOST_LOOK_MS) : LOOK_MS, signal)
  }
}

/** Who leads what, which partitions there are, and where to begin in those that are new. */
function lookAtLeaders(
  cluster: Cluster,
  names: readonly string[],
  from: ReadOptions['from'],
  state: ReadState,
  trouble: Trouble,
): () => Promise<void> {
  const epochs = new Map<string, string>()
  let looks = 0

  function isThere(topic: TopicMetadata): boolean {
    const { code, name } = topic
    if (code === KAFKA.UNKNOWN_TOPIC_OR_PARTITION) {
      if (!epochs.has(name) && looks >= UNKNOWN_TRIES)
        throw new Failure('NOT_FOUND', `There is no topic ${name}; create it first (k2 topics init).`)
      const missing = new Failure('UNAVAILABLE', `Topic ${name} does not exist; it is read on when it does.`)
      if (!epochs.has(name)) throw missing
      trouble.set(`topic ${name}`, missing)
      return false
    }
    if (code !== 0) throw kafkaFailure(code, `Topic ${name} could not be looked up`)
    trouble.clear(`topic ${name}`)
    const epoch = epochOf(topic)
    const known = epochs.get(name) ?? epoch
    epochs.set(name, known)
    if (known === epoch) return true
    const message = `Topic ${name} was deleted and made anew: its offsets are other messages now. Say where to read on.`
    throw new Failure('LOG_RESET', message, { details: { topic: name, epoch, known } })
  }

  return async () => {
    looks++
    const { topics } = await cluster.metadata(names)
    for (const topic of topics.filter(isThere)) {
      for (const { partition, leader } of topic.partitions) {
        const reader = readerOf(state, topic, partition)
        reader.leader = leader
        const key = `leader of ${topic.name} ${partition}`
        if (leader >= 0) trouble.clear(key)
        else trouble.set(key, kafkaFailure(5, `Partition ${partition} of ${topic.name} cannot be read`))
      }
      await findStarts(cluster, topic, from, state)
    }
  }
}

function readerOf(state: ReadState, { name: topic, id: topicId }: TopicMetadata, partition: number): PartitionReader {
  const known = state.readers.find(reader => reader.topic === topic && reader.partition === partition)
  if (known) return known
  const nothing = { leader: -1, offset: NaN, epoch: -1, bytesAhead: 0, failures: 0, resumeAt: 0 }
  const reader = { topic, topicId, partition, ...nothing }
  state.readers.push(reader)
  return reader
}

async function findStarts(cluster: Cluster, topic: TopicMetadata, from: ReadOptions['from'], state: ReadState) {
  const fresh = state.readers.filter(reader => reader.topic === topic.name && Number.isNaN(reader.offset))
  const starts = fresh.map(reader => ({ reader, start: from(reader.topic, reader.partition) }))
  for (const { reader, start } of starts) if (typeof start === 'number') reader.offset = start
  for (const [end, time] of [
    ['earliest', EARLIEST],
    ['latest', LATEST],
  ] as const) {
    const asked = starts.filter(({ reader, start }) => start === end && reader.leader >= 0)
    if (asked.length === 0) continue
    const partitions = topic.partitions.filter(({ partition }) =>
      asked.some(({ reader }) => reader.partition === partition),
    )
    const offsets = await listOffsets(cluster, { ...topic, partitions }, time)
    for (const { reader } of asked) reader.offset = offsets.get(reader.partition)!
  }
}
