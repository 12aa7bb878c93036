// Writing to Kafka so that a repeat changes nothing: acknowledged by all replicas, one request in flight a broker, every
// batch under a producer's id and a sequence number. A batch in doubt is sent again as it was, until it is acknowledged
// or its time is over; after that a new id is taken, so that no number is ever used for two batches.
import { Failure } from '../../../contract/failure.ts'
import { sleepUnlessAborted } from '../../base/retry.ts'
import { checkProduced } from '../check-produced.ts'
import type { Produced } from '../message-log.ts'
import { checkCode, withPatience, type Cluster } from './cluster.ts'
import { encodeBatch } from './encode-batch.ts'
import { BATCH_BYTES, createLane, hasWork, nextSource, takePieces, type Append, type Lane } from './lanes.ts'
import { initProducerId, produceRequest, type ProducerIdentity } from './produce-requests.ts'
import { failAppend, settle, settleUnknown } from './settle.ts'
import { enqueue, keyOf, spreadAnew, type Topic } from './spread.ts'

export interface Producing {
  append: (topic: string, messages: Produced) => Promise<void>
  /** Waits for what was handed over, but not for ever. */
  close: () => Promise<void>
}

export interface ProducingOptions {
  nowMs: () => number
  deliverMs: number
}

const MAX_REQUEST_BYTES = 8 * BATCH_BYTES
const REPLICAS_MS = 30_000
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
    const { id, partitions } = await cluster.topic(name)
    const topic = topics.get(name) ?? { id, lanes: [], keys: new Map(), lookedAt: 0 }
    // Keys may belong to other partitions now.
    if (partitions.length !== topic.lanes.length) topic.keys.clear()
    for (const { partition, leader } of partitions.toSorted((a, b) => a.partition - b.partition)) {
      topic.lanes[partition] ??= createLane(name, partition, leader)
      topic.lanes[partition].leader = leader
    }
    // Who names fewer under the same id has not heard of those that were added. Before Kafka 2.8 there is no id.
    if (id !== topic.id && partitions.length < topic.lanes.length) {
      spreadAnew(topic, topic.lanes.splice(partitions.length))
      // Should they come again, their numbers begin anew.
      identity = undefined
    }
    topic.id = id
    topic.lookedAt = performance.now()
    topics.set(name, topic)
    return topic
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
    let sent = ready
    for (const lane of ready) lane.inRequest = true
    try {
      for (const lane of ready) lane.identity ??= await currentIdentity()
      // Those of a topic that was made anew meanwhile may have nothing left.
      const left = ready.filter(hasWork)
      if (left.length === 0) return
      sent = []
      for (let bytes = 0; left.length > 0 && bytes < MAX_REQUEST_BYTES;) {
        const lane = left.shift()!
        sent.push(lane)
        lane.batch ??= nextBatch(lane)
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
      for (const lane of ready) {
        lane.inRequest = false
        const topic = topics.get(lane.topic)!
        // Its partition went meanwhile.
        if (topic.lanes[lane.partition] !== lane) spreadAnew(topic, [lane])
      }
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

  async function currentIdentity(): Promise<ProducerIdentity> {
    identity ??= cluster.anyLink().then(async link => {
      const { code, identity } = await link.send(initProducerId)
      checkCode(code, 'No identity to produce under could be had')
      return identity
    })
    return identity.catch((error: unknown) => {
      identity = undefined
      throw error
    })
  }

  function nextBatch(lane: Lane) {
    const topic = topics.get(lane.topic)!
    const source = nextSource(lane, key => keyOf(topic, key).bytes)
    const records = encodeBatch(source, { identity: lane.identity!, sequence: lane.sequence })
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
      enqueue(topic, { append, rows: new Uint32Array(messages.count).map((_, row) => row) })
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
