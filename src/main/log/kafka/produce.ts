// Writing to Kafka so that a repeat changes nothing: acknowledged by all replicas, one request in flight a broker, every
// batch under a producer's id and a sequence number. A batch in doubt is sent again as it was, until it is acknowledged
// or its time is over; after that a new id is taken, so that no number is ever used for two batches.
import { Failure } from '../../../contract/failure.ts'
import { sleepUnlessAborted } from '../../base/retry.ts'
import { partitionOf } from '../../market/partition.ts'
import { checkProduced } from '../check-produced.ts'
import type { Produced } from '../message-log.ts'
import { checkCode, withPatience, type Cluster } from './cluster.ts'
import { encodeBatch } from './encode-batch.ts'
import { BATCH_BYTES, createLane, hasWork, nextSource, takePieces, type Append, type Lane } from './lanes.ts'
import { initProducerId, produceRequest, type ProducerIdentity } from './produce-requests.ts'
import { failAppend, settle, settleUnknown } from './settle.ts'

export interface Producing {
  append: (topic: string, messages: Produced) => Promise<void>
  /** Waits for what was handed over, but not for ever. */
  close: () => Promise<void>
}

export interface ProducingOptions {
  nowMs: () => number
  deliverMs: number
}

interface Topic {
  lanes: Lane[]
  keys: Map<string, { bytes: Uint8Array; partition: number }>
  lookedAt: number
}

const MAX_REQUEST_BYTES = 8 * BATCH_BYTES
const REPLICAS_MS = 30_000
const MAX_CACHED_KEYS = 100_000
/** Partitions that were added get keys of theirs after this time at most. */
const LOOK_MS = 60_000
const TRIES = 5
const CLOSE_MS = 5_000

export function createProducing(cluster: Cluster, { nowMs, deliverMs }: ProducingOptions): Producing {
  const topics = new Map<string, Topic>()
  const looking = new Map<string, Promise<Topic>>()
  const sending = new Map<number, Promise<void>>()
  const waiting = new Set<Append>()
  let identity: Promise<ProducerIdentity> | undefined
  let closed = false
  const settling = { deliverMs, say: cluster.say, renewIdentity: () => void (identity = undefined) }

  function topicOf(name: string): Promise<Topic> {
    const known = topics.get(name)
    if (known && performance.now() - known.lookedAt < LOOK_MS) return Promise.resolve(known)
    let look = looking.get(name)
    if (!look) {
      look = withPatience(cluster.signal, TRIES, () => lookAt(name)).finally(() => looking.delete(name))
      looking.set(name, look)
    }
    return look
  }

  /** Which partitions it has, and who leads them now. */
  async function lookAt(name: string): Promise<Topic> {
    const { partitions } = await cluster.topic(name)
    const topic = topics.get(name) ?? { lanes: [], keys: new Map(), lookedAt: 0 }
    // Keys may belong to other partitions now.
    if (partitions.length !== topic.lanes.length) topic.keys.clear()
    for (const { partition, leader } of partitions.toSorted((a, b) => a.partition - b.partition)) {
      topic.lanes[partition] ??= createLane(name, partition, leader)
      topic.lanes[partition].leader = leader
    }
    topic.lookedAt = performance.now()
    topics.set(name, topic)
    return topic
  }

  function keyOf({ keys, lanes }: Topic, key: string): { bytes: Uint8Array; partition: number } {
    let known = keys.get(key)
    if (!known) {
      if (keys.size >= MAX_CACHED_KEYS) keys.clear()
      known = { bytes: Buffer.from(key), partition: partitionOf(key, lanes.length) }
      keys.set(key, known)
    }
    return known
  }

  function enqueue(topic: Topic, append: Append): void {
    const { count, keys } = append.messages
    const partitions = new Uint32Array(count)
    const counts = new Uint32Array(topic.lanes.length)
    for (let i = 0; i < count; i++) counts[(partitions[i] = keyOf(topic, keys[i]).partition)]++
    const rows = topic.lanes.map((_, partition) => new Uint32Array(counts[partition]))
    counts.fill(0)
    for (let i = 0; i < count; i++) rows[partitions[i]][counts[partitions[i]]++] = i
    for (const { pieces, partition } of topic.lanes)
      if (rows[partition].length > 0) pieces.push({ append, rows: rows[partition] })
  }

  const lanesWithWork = () =>
    [...topics.values()].flatMap(({ lanes }) => lanes.filter(lane => hasWork(lane) && !lane.inRequest))

  function sendAll(): void {
    for (const { leader } of lanesWithWork()) {
      if (sending.has(leader)) continue
      const sent = sendTo(leader).finally(() => {
        sending.delete(leader)
        // What was appended while it ended, and what another broker leads by now.
        if (!cluster.signal.aborted) sendAll()
      })
      sending.set(leader, sent)
    }
  }

  async function sendTo(node: number): Promise<void> {
    // So that what is appended in this turn shares a batch.
    await new Promise(setImmediate)
    while (!cluster.signal.aborted) {
      const lanes = lanesWithWork().filter(({ leader }) => leader === node)
      if (lanes.length === 0) return
      const ready = lanes.filter(({ resumeAt }) => resumeAt <= performance.now())
      if (ready.length > 0) await sendOnce(node, ready)
      else await pauseUntil(Math.min(...lanes.map(({ resumeAt }) => resumeAt)))
    }
  }

  async function sendOnce(node: number, ready: Lane[]): Promise<void> {
    const sent: Lane[] = []
    const left = [...ready]
    for (const lane of ready) lane.inRequest = true
    try {
      for (let bytes = 0; left.length > 0 && bytes < MAX_REQUEST_BYTES;) {
        const lane = left.shift()!
        sent.push(lane)
        lane.batch ??= await nextBatch(lane)
        bytes += lane.batch.records.length
      }
      const batches = sent.map(({ topic, partition, batch }) => ({ topic, partition, records: batch!.records }))
      const answers = await cluster.send(node, produceRequest(batches, REPLICAS_MS))
      for (const lane of sent) {
        const answer = answers.find(({ topic, partition }) => topic === lane.topic && partition === lane.partition)
        settle(lane, lane.batch!, answer?.code ?? -1, settling)
      }
    } catch (error) {
      for (const lane of sent) settleUnknown(lane, error, settling)
    } finally {
      for (const lane of ready) lane.inRequest = false
    }
    await lookAfterFailing(sent.filter(({ failure }) => failure !== undefined))
  }

  /** One line of the log for all partitions of a topic, and a look at who leads them now. */
  async function lookAfterFailing(lanes: Lane[]): Promise<void> {
    for (const topic of new Set(lanes.map(lane => lane.topic))) {
      const [first, ...others] = lanes.filter(lane => lane.topic === topic)
      const more = others.length > 0 ? ` (and ${others.length} more partitions)` : ''
      const message = `Writing to ${topic} is tried again, time ${first.failures}: ${first.failure!.message}${more}`
      cluster.say({ kind: 'produce_retried', topic, message })
      await lookAt(topic).catch(() => {}) // tried again with the batch
    }
  }

  async function nextBatch(lane: Lane) {
    identity ??= cluster.anyLink().then(async link => {
      const { code, identity } = await link.send(initProducerId)
      checkCode(code, 'No identity to produce under could be had')
      return identity
    })
    lane.identity ??= await identity.catch((error: unknown) => {
      identity = undefined
      throw error
    })
    const topic = topics.get(lane.topic)!
    const source = nextSource(lane, key => keyOf(topic, key).bytes)
    const records = encodeBatch(source, { identity: lane.identity, sequence: lane.sequence })
    return { records, count: source.count, pieces: takePieces(lane, source.count) }
  }

  async function pauseUntil(ms: number): Promise<void> {
    await sleepUnlessAborted(Math.max(1, ms - performance.now()), cluster.signal).catch(() => {})
  }

  return {
    async append(name, messages) {
      if (closed) throw closedFailure()
      checkProduced(messages)
      const topic = await topicOf(name)
      if (closed) throw closedFailure()
      if (messages.count === 0) return
      let append!: Append
      const done = new Promise<void>((resolve, reject) => {
        append = { messages, nowMs: nowMs(), left: messages.count, failed: false, resolve, reject }
      })
      waiting.add(append)
      enqueue(topic, append)
      sendAll()
      await done.finally(() => waiting.delete(append))
    },
    async close() {
      closed = true
      const deadline = performance.now() + CLOSE_MS
      while (waiting.size > 0 && performance.now() < deadline) await pauseUntil(performance.now() + 20)
      for (const append of waiting) failAppend(append, closedFailure())
      for (const { lanes } of topics.values())
        for (const lane of lanes) Object.assign(lane, { pieces: [], batch: undefined })
    },
  }
}

const closedFailure = () => new Failure('UNAVAILABLE', 'The log was closed.', { retryable: false })
