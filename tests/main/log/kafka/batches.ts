// Record batches for tests, written by the code under test or by kafkajs, and what a decoder makes of them.
import type { BatchSource } from '../../../../src/main/log/kafka/encode-batch.ts'
import { encodeBatch } from '../../../../src/main/log/kafka/encode-batch.ts'
import { decodeBatches, type FetchedBatches } from '../../../../src/main/log/kafka/decode-batches.ts'
import { ATTRIBUTES_AT, CRC_AT } from '../../../../src/main/log/kafka/record-batch.ts'
import { crc32c } from '../../../../src/main/log/kafka/crc32c.ts'
import { keyOf, valueOf, type LogBatch } from '../../../../src/main/market/log-batch.ts'

export interface Message {
  key: string
  text: string | null
  timeMs: number
}

export const sourceOf = (messages: readonly Message[]): BatchSource => ({
  count: messages.length,
  key: i => Buffer.from(messages[i].key),
  value(i) {
    const { text } = messages[i]
    return text === null ? null : Buffer.from(text)
  },
  timeMs: i => messages[i].timeMs,
})

export const NOBODY = { identity: { id: -1n, epoch: -1 }, sequence: -1 }

/** As a broker keeps it: with the offset of its first message. */
export function batchAt(offset: number, messages: readonly Message[]): Buffer {
  const batch = encodeBatch(sourceOf(messages), NOBODY)
  batch.writeBigInt64BE(BigInt(offset), 0)
  return batch
}

/** With other bytes in it, and a checksum that agrees with them. */
export function resealed(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  const copy = Buffer.from(batch)
  change(copy)
  copy.writeUInt32BE(crc32c(copy, ATTRIBUTES_AT, copy.length), CRC_AT)
  return copy
}

export function decode(bytes: Buffer, options: Partial<FetchedBatches> = {}): LogBatch[] {
  return [...decodeBatches({ topic: 't', partition: 3, bytes, from: 0, latest: 1e6, aborted: [], ...options })]
}

export const messagesOf = (batches: readonly LogBatch[]) =>
  batches.flatMap(batch =>
    Array.from({ length: batch.count }, (_, i) => ({
      offset: batch.offsets[i],
      key: String(keyOf(batch, i)),
      text: valueOf(batch, i)?.toString() ?? null,
      timeMs: batch.timestamps[i] / 1000,
    })),
  )
