// Kafka as the log, for tests: messages in, and all that comes out again with its offsets.
import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { openKafkaLog, type KafkaLogOptions } from '../../src/main/log/kafka.ts'
import type { MessageLog, Produced, ReadOptions, StartAt } from '../../src/main/log/message-log.ts'
import { keyOf, valueOf } from '../../src/main/market/log-batch.ts'

export interface Sent {
  key: string
  /** Null for a tombstone. */
  text: string | null
  micros?: number
}

export interface Received extends Sent {
  partition: number
  offset: number
  micros: number
}

export function openLog(bootstrap: string, options: Partial<KafkaLogOptions> = {}): MessageLog {
  const log = openKafkaLog({ brokers: [bootstrap], ...options })
  onTestFinished(() => log.close())
  return log
}

/** A topic of its own for a test, as the broker is shared. */
export async function makeTopic(log: MessageLog, partitions = 1, config: Record<string, string> = {}): Promise<string> {
  const name = `topic-${randomUUID()}`
  await log.createTopics([{ name, partitions, config }])
  return name
}

export function produced(messages: readonly Sent[]): Produced {
  const values = messages.map(({ text }) => Buffer.from(text ?? ''))
  const ends = new Uint32Array(values.length)
  values.reduce((end, value, i) => (ends[i] = end + value.length), 0)
  const timed = messages.length > 0 && messages.every(({ micros }) => micros !== undefined)
  return {
    count: values.length,
    keys: messages.map(({ key }) => key),
    values: Buffer.concat(values),
    ends,
    tombstones: Uint8Array.from(messages, ({ text }) => (text === null ? 1 : 0)),
    ...(timed && { timestamps: Float64Array.from(messages, ({ micros }) => micros!) }),
  }
}

export const numbered = (count: number, from = 0): Sent[] =>
  Array.from({ length: count }, (_, i) => ({ key: `key ${(from + i) % 7}`, text: `text ${from + i}` }))

export interface Reading {
  received: Received[]
  /** By topic and partition: where the next read would start. */
  next: Map<string, number>
  /** Until so many have come in all; throws what the reading threw. */
  until: (count: number) => Promise<Received[]>
  /** Until the reading has passed this offset. */
  untilOffset: (topic: string, partition: number, offset: number) => Promise<void>
  stop: () => Promise<void>
}

const LOOK_MS = 10
const GIVE_UP_MS = 40_000

export function startReading(
  log: MessageLog,
  topics: readonly string[],
  from: (topic: string, partition: number) => StartAt = () => 'earliest',
  options: Partial<ReadOptions> = {},
): Reading {
  const stopping = new AbortController()
  const received: Received[] = []
  const next = new Map<string, number>()
  let failure: unknown
  const reading = (async () => {
    for await (const batch of log.read({ topics, from, signal: stopping.signal, ...options })) {
      const { topic, partition, count, offsets, timestamps, nextOffset } = batch
      const place = `${topic} ${partition}`
      if (nextOffset <= (next.get(place) ?? -1)) throw new Error(`${place} went back to ${nextOffset}`)
      next.set(place, nextOffset)
      for (let i = 0; i < count; i++) {
        const [key, text] = [String(keyOf(batch, i)), valueOf(batch, i)?.toString() ?? null]
        received.push({ key, text, micros: timestamps[i], partition, offset: offsets[i] })
      }
    }
  })().catch((error: unknown) => (failure = error))

  async function waitFor(isDone: () => boolean): Promise<void> {
    const deadline = performance.now() + GIVE_UP_MS
    while (!isDone()) {
      if (failure) throw failure // eslint-disable-line @typescript-eslint/only-throw-error -- as it came
      if (performance.now() > deadline) throw new Error(`Only ${received.length} messages came.`)
      await new Promise(resolve => setTimeout(resolve, LOOK_MS))
    }
  }
  const stop = async () => {
    stopping.abort()
    await reading
  }
  onTestFinished(stop)
  return {
    received,
    next,
    async until(count) {
      await waitFor(() => received.length >= count)
      return received
    },
    untilOffset: (topic, partition, offset) => waitFor(() => (next.get(`${topic} ${partition}`) ?? 0) >= offset),
    stop,
  }
}

/** What there is until now, in the order of each partition. */
export async function readAll(log: MessageLog, topic: string): Promise<Received[]> {
  const ranges = await log.ranges(topic)
  const reading = startReading(log, [topic])
  for (const { partition, latest } of ranges) if (latest > 0) await reading.untilOffset(topic, partition, latest)
  await reading.stop()
  return reading.received
}

export const textsOf = (messages: readonly { text: string | null }[]) => messages.map(({ text }) => text)
