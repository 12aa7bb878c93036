// Messages as texts: for tests that put some into a log and look what comes out.
import type { MessageLog, Produced, StartAt } from '../../src/main/log/message-log.ts'
import { keyOf, valueOf, type LogBatch } from '../../src/main/market/log-batch.ts'

/** A text of null is a tombstone. */
export function produced(
  messages: readonly (readonly [key: string, text: string | null])[],
  timestamps?: readonly number[],
): Produced {
  const values = messages.map(([, text]) => Buffer.from(text ?? ''))
  const ends = new Uint32Array(values.length)
  values.reduce((end, value, i) => (ends[i] = end + value.length), 0)
  const tombstones = Uint8Array.from(messages, ([, text]) => (text === null ? 1 : 0))
  return {
    count: values.length,
    keys: messages.map(([key]) => key),
    values: Buffer.concat(values),
    ends,
    ...(tombstones.includes(1) ? { tombstones } : {}),
    ...(timestamps ? { timestamps: Float64Array.from(timestamps) } : {}),
  }
}

export interface ReadMessage {
  partition: number
  offset: number
  timestamp: number
  key: string
  text: string | null
}

export function messagesOf(batch: LogBatch): ReadMessage[] {
  return Array.from({ length: batch.count }, (_, i) => ({
    partition: batch.partition,
    offset: batch.offsets[i],
    timestamp: batch.timestamps[i],
    key: String(keyOf(batch, i)),
    text: valueOf(batch, i)?.toString() ?? null,
  }))
}

/** All that a topic holds now, by partition and offset. */
export async function readAll(log: MessageLog, topic: string, start: StartAt = 'earliest'): Promise<ReadMessage[]> {
  const ends = new Map(
    (await log.ranges(topic)).map(({ partition, earliest, latest }) => [partition, { earliest, latest }]),
  )
  const open = new Set(
    [...ends].filter(([, { earliest, latest }]) => earliest < latest).map(([partition]) => partition),
  )
  const found: ReadMessage[] = []
  if (open.size === 0) return found
  const abort = new AbortController()
  for await (const batch of log.read({ topics: [topic], from: () => start, signal: abort.signal })) {
    found.push(...messagesOf(batch))
    if (batch.nextOffset >= ends.get(batch.partition)!.latest) open.delete(batch.partition)
    if (open.size === 0) break
  }
  return found.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}
