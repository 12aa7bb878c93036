// Standard batches of any messages, rows or not, as the log would hand them out.
import type { Buffer } from 'node:buffer'
import { NONE } from '../../src/main/market/log-batch.ts'
import type { Problem, StandardBatch } from '../../src/main/market/standard-batch.ts'

export interface SampleMessage {
  offset: number
  logMicros: number
  key?: Buffer | null
  /** Null for a tombstone. */
  bytes: Buffer | null
  problem?: Problem
}

/** Between the messages lies what is none of theirs. */
const BETWEEN = 3

export function standardBatch(
  messages: readonly SampleMessage[],
  { topic = 'market.equities.trades.asx', partition = 0 } = {},
): StandardBatch {
  const count = messages.length
  const parts: Uint8Array[] = []
  let at = 0
  const put = (bytes: Uint8Array | null | undefined): [number, number] => {
    if (!bytes) return [NONE, NONE]
    parts.push(new Uint8Array(BETWEEN).fill(0xee), bytes)
    const from = at + BETWEEN
    at = from + bytes.length
    return [from, at]
  }
  const keys = messages.map(({ key }) => put(key))
  const values = messages.map(({ bytes }) => put(bytes))
  const nextOffset = count === 0 ? 0 : messages[count - 1].offset + 1
  const problems = new Map(messages.flatMap(({ problem }, i) => (problem ? [[i, problem] as const] : [])))
  return {
    ...{ topic, partition, count, nextOffset, latest: nextOffset },
    offsets: Float64Array.from(messages, ({ offset }) => offset),
    timestamps: Float64Array.from(messages, ({ logMicros }) => logMicros),
    bytes: globalThis.Buffer.concat(parts),
    starts: Int32Array.from(values, ([from]) => from),
    ends: Int32Array.from(values, ([, to]) => to),
    keyStarts: Int32Array.from(keys, ([from]) => from),
    keyEnds: Int32Array.from(keys, ([, to]) => to),
    ...(problems.size > 0 && { problems }),
  }
}
