// What waits to be written, by partition. Appends keep their order within a partition, and one that is small shares a
// batch with the next.
import type { Produced } from '../message-log.ts'
import { MAX_OVERHEAD, type BatchSource } from './encode-batch.ts'
import type { ProducerIdentity } from './produce-requests.ts'
import { RECORDS_AT } from './record-batch.ts'

/** One call of `append`. */
export interface Append {
  messages: Produced
  /** For messages without a time of their own. */
  nowMs: number
  /** Not acknowledged yet. */
  left: number
  failed: boolean
  resolve: () => void
  reject: (error: Error) => void
}

/** Messages of an append that belong to one partition, by their places in the append. */
export interface Piece {
  append: Append
  rows: Uint32Array
}

export interface Batch {
  records: Buffer
  count: number
  pieces: Piece[]
}

export interface Lane {
  topic: string
  partition: number
  leader: number
  pieces: Piece[]
  /** On its way, or to be sent again as it is: the broker knows a repeat by its sequence. */
  batch: Batch | undefined
  /** While one is made or not answered yet: no other may take its batch. */
  inRequest: boolean
  /** Nothing before the first batch, and when it is not known what became of the last. */
  identity: ProducerIdentity | undefined
  sequence: number
  /** Of the next batch; less once a broker has found one too large. */
  maxBytes: number
  /** In a row, since then, and left alone until then; milliseconds of the monotonic clock. */
  failures: number
  failingSince: number
  resumeAt: number
  /** Why the last try failed; undefined once it has worked. */
  failure: Error | undefined
}

/** Kafka's own default for max.message.bytes is 1,048,588. */
export const BATCH_BYTES = 1_000_000

export function createLane(topic: string, partition: number, leader: number): Lane {
  const nothing = { pieces: [], batch: undefined, identity: undefined, sequence: 0 }
  return {
    topic,
    partition,
    leader,
    ...nothing,
    inRequest: false,
    maxBytes: BATCH_BYTES,
    failures: 0,
    failingSince: 0,
    resumeAt: 0,
    failure: undefined,
  }
}

export const hasWork = ({ batch, pieces }: Lane) => batch !== undefined || pieces.length > 0

/** What goes into the next batch: all that fits, and at least one. */
export function nextSource({ pieces, maxBytes }: Lane, bytesOf: (key: string) => Uint8Array): BatchSource {
  const appends: Append[] = []
  const rows: number[] = []
  let bytes = RECORDS_AT
  for (const { append, rows: all } of pieces) {
    const { keys, ends } = append.messages
    for (const row of all) {
      bytes += bytesOf(keys[row]).length + ends[row] - startOf(ends, row) + MAX_OVERHEAD
      if (bytes > maxBytes && rows.length > 0) return sourceOf(appends, rows, bytesOf)
      appends.push(append)
      rows.push(row)
    }
  }
  return sourceOf(appends, rows, bytesOf)
}

function sourceOf(appends: Append[], rows: number[], bytesOf: (key: string) => Uint8Array): BatchSource {
  return {
    count: rows.length,
    key: i => bytesOf(appends[i].messages.keys[rows[i]]),
    value(i) {
      const { values, ends, tombstones } = appends[i].messages
      return tombstones?.[rows[i]] ? null : values.subarray(startOf(ends, rows[i]), ends[rows[i]])
    },
    timeMs(i) {
      const { timestamps } = appends[i].messages
      return timestamps ? Math.floor(timestamps[rows[i]] / 1000) : appends[i].nowMs
    },
  }
}

const startOf = (ends: Uint32Array, row: number) => (row === 0 ? 0 : ends[row - 1])

/** So many of those that wait, in order. */
export function takePieces(lane: Lane, count: number): Piece[] {
  const taken: Piece[] = []
  for (let left = count; left > 0;) {
    const { append, rows } = lane.pieces.shift()!
    taken.push({ append, rows: rows.subarray(0, left) })
    if (rows.length > left) lane.pieces.unshift({ append, rows: rows.subarray(left) })
    left -= Math.min(left, rows.length)
  }
  return taken
}

/** To be encoded anew: nothing of it was written, so its numbers are free. */
export function putBack(lane: Lane, batch: Batch): void {
  lane.batch = undefined
  lane.pieces.unshift(...batch.pieces.filter(({ append }) => !append.failed))
}
