// One batch of messages as it stands in a spill file, so that what a crash has left half written is recognised.
//   u32 length of all that follows · u32 CRC-32 of what follows it · u16 size, topic · u32 count
//   per message u16 size, key · u32 end of its value · the values
import { crc32 } from 'node:zlib'
import type { Produced } from '../../log/message-log.ts'

export interface SpilledBatch {
  topic: string
  messages: Produced
}

const HEAD_BYTES = 8
/** Of a record without messages, whose topic has one letter. */
const LEAST_BYTES = HEAD_BYTES + 2 + 1 + 4
const MOST_TOPIC_BYTES = 249
const TOPIC = /^[\w.-]+$/

export function encodeRecord(topic: string, { count, keys, values, ends }: Produced): Buffer {
  const texts = keys.slice(0, count).map(key => Buffer.from(key))
  const name = Buffer.from(topic)
  const valueBytes = count === 0 ? 0 : ends[count - 1]
  const textBytes = texts.reduce((sum, text) => sum + 2 + text.length, 0)
  const record = Buffer.alloc(HEAD_BYTES + 2 + name.length + 4 + textBytes + count * 4 + valueBytes)
  let at = HEAD_BYTES
  const putText = (text: Buffer) => {
    at = record.writeUInt16LE(text.length, at)
    at += text.copy(record, at)
  }
  putText(name)
  at = record.writeUInt32LE(count, at)
  texts.forEach(putText)
  for (let i = 0; i < count; i++) at = record.writeUInt32LE(ends[i], at)
  record.set(values.subarray(0, valueBytes), at)
  record.writeUInt32LE(record.length - 4, 0)
  record.writeUInt32LE(crc32(record.subarray(HEAD_BYTES)), 4)
  return record
}

/** The bytes of the record that begins there; nothing when there is no whole and undamaged one. */
export function recordSizeAt(bytes: Buffer, at: number): number | undefined {
  if (at + HEAD_BYTES > bytes.length) return undefined
  const size = bytes.readUInt32LE(at) + 4
  if (size < HEAD_BYTES || at + size > bytes.length) return undefined
  return crc32(bytes.subarray(at + HEAD_BYTES, at + size)) === bytes.readUInt32LE(at + 4) ? size : undefined
}

interface FoundRecords {
  /** Where each begins, and how many messages it holds. */
  starts: number[]
  counts: number[]
  /** Of the last one. */
  end: number
  /** What is no record: nothing whole is behind what is at the end, as after a crash. */
  damaged: { bytes: number; isEnd: boolean }[]
}

/** The whole records from a place on, also those behind damaged bytes. */
export function findRecords(bytes: Buffer, from: number): FoundRecords {
  const found: FoundRecords = { starts: [], counts: [], end: from, damaged: [] }
  let at = from
  while (at < bytes.length) {
    const size = recordSizeAt(bytes, at)
    if (size === undefined) {
      const next = nextRecordAfter(bytes, at)
      const end = next ?? bytes.length
      found.damaged.push({ bytes: end - at, isEnd: next === undefined })
      at = end
    } else {
      found.starts.push(at)
      found.counts.push(countAt(bytes, at))
      at = found.end = at + size
    }
  }
  return found
}

function nextRecordAfter(bytes: Buffer, damagedAt: number): number | undefined {
  for (let at = damagedAt + 1; at + LEAST_BYTES <= bytes.length; at++)
    if (hasTopicAt(bytes, at) && recordSizeAt(bytes, at) !== undefined) return at
  return undefined
}

/** Ends most places that are no record, before their bytes are summed up. */
function hasTopicAt(bytes: Buffer, at: number): boolean {
  const size = bytes.readUInt16LE(at + HEAD_BYTES)
  if (size === 0 || size > MOST_TOPIC_BYTES) return false
  const from = at + HEAD_BYTES + 2
  return TOPIC.test(bytes.toString('latin1', from, from + size))
}

function countAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + HEAD_BYTES + 2 + bytes.readUInt16LE(at + HEAD_BYTES))
}

/** Of a record that `recordSizeAt` has found. */
export function decodeRecord(record: Buffer): SpilledBatch {
  let at = HEAD_BYTES
  const text = () => {
    const size = record.readUInt16LE(at)
    at += 2 + size
    return record.toString('utf8', at - size, at)
  }
  const topic = text()
  const count = record.readUInt32LE(at)
  at += 4
  const keys = Array.from({ length: count }, text)
  const ends = Uint32Array.from({ length: count }, (_, i) => record.readUInt32LE(at + i * 4))
  return { topic, messages: { count, keys, ends, values: record.subarray(at + count * 4) } }
}
