// One broker's partitions, fetched again and again as long as there is room ahead of the reader. Nothing here skips an
// offset: what fails is asked for again from where it was, and what the log no longer holds ends the reading.
import { Failure } from '../../../contract/failure.ts'
import { backoffMs, isTransient, sleepUnlessAborted } from '../../base/retry.ts'
import type { Cluster } from './cluster.ts'
import { damaged } from './decode-batches.ts'
import { KAFKA, kafkaFailure, passes } from './errors.ts'
import { fetchRequest, type FetchedPartition, type FetchFrom, type FetchOptions } from './fetch-requests.ts'
import { openLink, type Link } from './link.ts'
import { rangesOf } from './offsets.ts'
import {
  enqueue,
  fetchBytes,
  hasRoom,
  partitionBytes,
  ringOrTime,
  type PartitionReader,
  type ReadState,
} from './read-state.ts'
import { wholeBatches } from './record-batch.ts'
import type { Trouble } from './trouble.ts'

/** How long a broker holds a fetch when it has nothing; a message ends the wait at once. */
const MAX_WAIT_MS = 100
/** While a partition is left out for want of room: so soon its broker hears that there is room again. */
const SHORT_WAIT_MS = 20
/** A broker that comes back is read again within this time. */
const MOST_BACKOFF_MS = 2_000
const FIRST_BACKOFF_MS = 50

/** Until the signal aborts, or it leads nothing that is read here. */
export async function followBroker(
  cluster: Cluster,
  node: number,
  state: ReadState,
  trouble: Trouble,
  signal: AbortSignal,
): Promise<void> {
  const key = `broker ${node}`
  let link: Link | undefined
  let failures = 0
  const cut = () => link?.close()
  signal.addEventListener('abort', cut)
  try {
    while (!signal.aborted) {
      const led = state.readers.filter(({ leader }) => leader === node)
      if (led.length === 0) return
      const ready = led.filter(reader => !Number.isNaN(reader.offset) && reader.resumeAt <= performance.now())
      const wanted = ready.filter(reader => hasRoom(state, reader))
      if (wanted.length === 0) {
        await ringOrTime(state.moved, MAX_WAIT_MS, signal)
        continue
      }
      try {
        // Of its own: a fetch that waits holds up whatever comes behind it on the same connection.
        if (!link?.isOpen()) link = await openLink(cluster.address(node), cluster.access, signal)
        const maxWaitMs = wanted.length < led.length ? SHORT_WAIT_MS : MAX_WAIT_MS
        const answers = await link.send(
          fetchRequest(
            {
              maxWaitMs,
              maxBytes: fetchBytes(state),
              maxPartitionBytes: partitionBytes(state),
              topics: byTopic(wanted),
            },
            link.versions,
          ),
        )
        failures = 0
        trouble.clear(key)
        for (const answer of answers) await take(cluster, wanted, answer, state, trouble)
      } catch (error) {
        if (signal.aborted) return
        if (!isTransient(error)) throw error
        link?.close()
        trouble.set(key, error as Error)
        state.stale.ring()
        await sleepUnlessAborted(backoffMs(++failures, FIRST_BACKOFF_MS, MOST_BACKOFF_MS), signal).catch(() => {})
      }
    }
  } finally {
    signal.removeEventListener('abort', cut)
    cut()
    trouble.clear(key)
  }
}

/** Another one first each time, as the broker fills its answer in this order. */
function byTopic(readers: PartitionReader[]): FetchOptions['topics'] {
  const first = Math.floor(Math.random() * readers.length)
  const topics = new Map<string, { id: string | undefined; partitions: FetchFrom[] }>()
  for (let i = 0; i < readers.length; i++) {
    const { topic, topicId, partition, offset, epoch } = readers[(first + i) % readers.length]
    let asked = topics.get(topic)
    if (!asked) topics.set(topic, (asked = { id: topicId, partitions: [] }))
    asked.partitions.push({ partition, offset, epoch })
  }
  return [...topics].map(([topic, asked]) => ({ topic, ...asked }))
}

async function take(
  cluster: Cluster,
  wanted: PartitionReader[],
  answer: FetchedPartition,
  state: ReadState,
  trouble: Trouble,
): Promise<void> {
  const { topic, partition, code, highWatermark: latest, divergedAt, aborted, records } = answer
  const reader = wanted.find(reader => reader.topic === topic && reader.partition === partition)
  if (!reader) return
  const key = `partition ${partition} of ${topic}`
  if (code === KAFKA.NONE) {
    reader.failures = 0
    trouble.clear(key)
    if (divergedAt !== undefined) throw await diverged(cluster, reader, divergedAt)
    if (records.length === 0) return
    const { end, nextOffset, epoch } = find(reader, records)
    enqueue(state, reader, { topic, partition, bytes: records.subarray(0, end), from: reader.offset, latest, aborted })
    reader.offset = nextOffset
    if (epoch >= 0) reader.epoch = epoch
    return
  }
  if (code === KAFKA.OFFSET_OUT_OF_RANGE) await checkRange(cluster, reader)
  else if (!passes(code)) throw kafkaFailure(code, `Partition ${partition} of ${topic} cannot be read`)
  else trouble.set(key, kafkaFailure(code, `Partition ${partition} of ${topic} cannot be read just now`))
  reader.resumeAt = performance.now() + backoffMs(++reader.failures, FIRST_BACKOFF_MS, MOST_BACKOFF_MS)
  state.stale.ring()
}

function find({ topic, partition, offset }: PartitionReader, records: Buffer) {
  try {
    return wholeBatches(records, offset)
  } catch (error) {
    throw damaged(topic, partition, offset, error)
  }
}

/** A leader that was behind took over, so messages that were read are in the log no more, and others have their offsets. */
async function diverged(cluster: Cluster, reader: PartitionReader, divergedAt: number): Promise<Failure> {
  const { topic, partition, offset } = reader
  const range = (await rangesOf(cluster, topic)).find(range => range.partition === partition)
  const what = `Partition ${partition} of ${topic} has lost its end: from offset ${divergedAt} on it holds other messages`
  const why = `than those that were read there before offset ${offset}, as after an unclean election of its leader`
  const advice = `Read again from ${divergedAt}, or from an offset that you know.`
  const earliest = Math.min(range?.earliest ?? 0, divergedAt)
  const details = { topic, partition, offset, earliest, latest: divergedAt }
  return new Failure('OFFSET_OUT_OF_RANGE', `${what} ${why}. ${advice}`, { details })
}

/** A leader that has just changed may be behind for a moment, so what it holds is asked for before it is believed. */
async function checkRange(cluster: Cluster, { topic, partition, offset }: PartitionReader): Promise<void> {
  const range = (await rangesOf(cluster, topic)).find(range => range.partition === partition)
  if (!range || (offset >= range.earliest && offset <= range.latest)) return
  const { earliest, latest } = range
  const what = offset < earliest ? 'is no longer held' : 'does not exist yet'
  const place = `Offset ${offset} of partition ${partition} of ${topic}`
  const message = `${place} ${what}: the log holds ${earliest} to ${latest}. Read again from one of these.`
  throw new Failure('OFFSET_OUT_OF_RANGE', message, { details: { topic, partition, offset, earliest, latest } })
}
