// What the embedded log writes to its journal: what there is, and messages as they came in.
// Messages are columns: u32 topic · u32 count · u32 whether times follow · u32 0 · f64 time of all · f64 time of each, if so ·
// u32 partition of each · u32 end of each key · u32 end of each value, its highest bit set for none · keys · values.
import type { Produced } from './message-log.ts'
import type { KeyPlace } from './embedded-memory.ts'
import { align, HEAD_BYTES, recordOf, sealRecord, type JournalRecord } from './journal-record.ts'

export const RECORD = { state: 1, messages: 2, closed: 3, lost: 4 } as const

/** At the beginning of each file, when a log is opened, and when topics were created. */
export interface LogState {
  version: 1
  cluster: string
  /** Which start of the machine this was written in; offsets of another one may have been lost with the power. */
  boot: string
  /** In the order of their creation; `next` is the offset each partition's next message will get. */
  topics: {
    name: string
    next: number[]
    /** From where on each partition's messages were not in the tables; null where nobody wrote them. */
    held?: (number | null)[]
  }[]
}

const FIXED_BYTES = 24
const TOMBSTONE = 0x80000000
/** Memory that is kept for the next record. */
const KEPT_BYTES = 4 * 1024 * 1024

export function stateRecord(state: LogState): Buffer {
  return recordOf(RECORD.state, Buffer.from(JSON.stringify(state)))
}

export function readState({ payload }: JournalRecord): LogState {
  return JSON.parse(payload.toString()) as LogState
}

export interface MessageEncoder {
  /** What it gives is valid until the next call. */
  encode: (topic: number, messages: Produced, time: number, places: readonly KeyPlace[]) => Buffer
}

export function createMessageEncoder(): MessageEncoder {
  let kept = Buffer.allocUnsafeSlow(0)

  function memoryFor(bytes: number): Buffer {
    if (bytes <= kept.length) return kept
    const memory = Buffer.allocUnsafeSlow(align(bytes * 2))
    if (memory.length <= KEPT_BYTES) kept = memory
    return memory
  }

  return {
    encode(topic, { count, values, ends, tombstones, timestamps }, time, places) {
      let keyBytes = 0
      for (let i = 0; i < count; i++) keyBytes += places[i].bytes.length
      const valueBytes = count === 0 ? 0 : ends[count - 1]
      const timesBytes = timestamps ? count * 8 : 0
      const columnsAt = HEAD_BYTES + FIXED_BYTES + timesBytes
      const keysAt = columnsAt + count * 12
      const end = keysAt + keyBytes + valueBytes
      const memory = memoryFor(end + 8)
      memory.writeUInt32LE(topic, HEAD_BYTES)
      memory.writeUInt32LE(count, HEAD_BYTES + 4)
      memory.writeUInt32LE(timestamps ? 1 : 0, HEAD_BYTES + 8)
      memory.writeUInt32LE(0, HEAD_BYTES + 12)
      memory.writeDoubleLE(time, HEAD_BYTES + 16)
      const { buffer } = memory
      if (timestamps) new Float64Array(buffer, HEAD_BYTES + FIXED_BYTES, count).set(timestamps.subarray(0, count))
      const columns = new Uint32Array(buffer, columnsAt, count * 3)
      let keyEnd = 0
      for (let i = 0; i < count; i++) {
        const { bytes, partition } = places[i]
        memory.set(bytes, keysAt + keyEnd)
        keyEnd += bytes.length
        columns[i] = partition.index
        columns[count + i] = keyEnd
        columns[2 * count + i] = tombstones?.[i] ? ends[i] + TOMBSTONE : ends[i]
      }
      memory.set(values.subarray(0, valueBytes), keysAt + keyBytes)
      return sealRecord(memory, RECORD.messages, end - HEAD_BYTES)
    },
  }
}

export interface JournaledMessages {
  topic: number
  count: number
  partitionAt: (i: number) => number
  timeAt: (i: number) => number
  keyAt: (i: number) => Uint8Array
  /** Nothing for a tombstone. */
  valueAt: (i: number) => Uint8Array | null
}

/** Whether all lengths in such a record agree with its own. */
export function messageColumnsFit({ payload }: JournalRecord): boolean {
  if (payload.length < FIXED_BYTES) return false
  const [count, hasTimes] = [payload.readUInt32LE(4), payload.readUInt32LE(8)]
  const columnsAt = FIXED_BYTES + (hasTimes ? count * 8 : 0)
  const keysAt = columnsAt + count * 12
  if (hasTimes > 1 || keysAt > payload.length) return false
  const columns = new Uint32Array(payload.buffer, payload.byteOffset + columnsAt, count * 3)
  const keyEnds = columns.subarray(count, 2 * count)
  const valueEnds = columns.subarray(2 * count).map(end => end % TOMBSTONE)
  const grow = (ends: Uint32Array) => ends.every((end, i) => i === 0 || end >= ends[i - 1])
  const bytes = count === 0 ? 0 : keyEnds[count - 1] + valueEnds[count - 1]
  return grow(keyEnds) && grow(valueEnds) && keysAt + bytes === payload.length
}

export function readMessages({ payload }: JournalRecord): JournaledMessages {
  const { buffer, byteOffset } = payload
  const [topic, count, hasTimes] = new Uint32Array(buffer, byteOffset, 4)
  const time = payload.readDoubleLE(16)
  const times = hasTimes ? new Float64Array(buffer, byteOffset + FIXED_BYTES, count) : undefined
  const columnsAt = FIXED_BYTES + (times ? count * 8 : 0)
  const columns = new Uint32Array(buffer, byteOffset + columnsAt, count * 3)
  const keysAt = columnsAt + count * 12
  const valuesAt = keysAt + (count === 0 ? 0 : columns[2 * count - 1])
  // Half the time of `subarray`, and there are millions of them at a start.
  const viewOf = (from: number, to: number) => new Uint8Array(buffer, byteOffset + from, to - from)
  const endAt = (i: number) => (i < 0 ? 0 : columns[2 * count + i] % TOMBSTONE)
  return {
    topic,
    count,
    partitionAt: i => columns[i],
    timeAt: i => (times ? times[i] : time),
    keyAt: i => viewOf(keysAt + (i === 0 ? 0 : columns[count + i - 1]), keysAt + columns[count + i]),
    valueAt: i => (columns[2 * count + i] >= TOMBSTONE ? null : viewOf(valuesAt + endAt(i - 1), valuesAt + endAt(i))),
  }
}
