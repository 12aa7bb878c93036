// What an answer, or none, means for a batch that was sent: written, to be sent again, to be cut smaller, or given up.
import { Failure } from '../../../contract/failure.ts'
import { backoffMs, isTransient } from '../../base/retry.ts'
import type { KafkaEvent } from './cluster.ts'
import { KAFKA, kafkaFailure, passes } from './errors.ts'
import { putBack, type Append, type Batch, type Lane } from './lanes.ts'

const FIRST_BACKOFF_MS = 50
const MOST_BACKOFF_MS = 2_000
const SEQUENCES = 2 ** 31
const LOST_COUNT: readonly number[] = [
  KAFKA.OUT_OF_ORDER_SEQUENCE_NUMBER,
  KAFKA.INVALID_PRODUCER_EPOCH,
  KAFKA.UNKNOWN_PRODUCER_ID,
  KAFKA.PRODUCER_FENCED,
]
const TOO_LARGE: readonly number[] = [KAFKA.MESSAGE_TOO_LARGE, KAFKA.RECORD_LIST_TOO_LARGE]

export interface Settling {
  /** A batch that is not acknowledged after so long fails. */
  deliverMs: number
  say: (event: KafkaEvent) => void
  /** The lane's next identity has to be a new one. */
  renewIdentity: () => void
}

export function settle(lane: Lane, batch: Batch, code: number, settling: Settling): void {
  if (code === KAFKA.NONE || code === KAFKA.DUPLICATE_SEQUENCE_NUMBER) return acknowledge(lane, batch)
  const failure = kafkaFailure(code, whatFailed(lane))
  if (TOO_LARGE.includes(code) && batch.count > 1) {
    lane.maxBytes = Math.max(1, Math.floor(Math.min(lane.maxBytes, uncompressedBytes(batch)) / 2))
    putBack(lane, batch)
  } else if (LOST_COUNT.includes(code)) {
    // A broker that has lost count of a producer has none of its later batches either, so it is sent under a new name.
    settling.say({ kind: 'producer_renewed', topic: lane.topic, message: failure.message })
    forgetIdentity(lane, settling)
    putBack(lane, batch)
    retryLater(lane, failure, settling)
  } else if (passes(code)) retryLater(lane, failure, settling)
  else giveUp(lane, failure, settling)
}

/** The broker was not reached, or did not answer: nobody knows whether the batch was written. */
export function settleUnknown(lane: Lane, error: unknown, settling: Settling): void {
  if (isTransient(error)) retryLater(lane, error as Failure, settling)
  else giveUp(lane, error as Error, settling)
}

function acknowledge(lane: Lane, { count, pieces }: Batch): void {
  lane.batch = undefined
  lane.failures = 0
  lane.failure = undefined
  lane.sequence = (lane.sequence + count) % SEQUENCES
  for (const { append, rows } of pieces) {
    append.left -= rows.length
    if (append.left === 0 && !append.failed) append.resolve()
  }
}

function retryLater(lane: Lane, failure: Failure, settling: Settling): void {
  const now = performance.now()
  if (lane.failures++ === 0) lane.failingSince = now
  if (now - lane.failingSince > settling.deliverMs) return giveUp(lane, failure, settling)
  lane.resumeAt = now + backoffMs(lane.failures, FIRST_BACKOFF_MS, MOST_BACKOFF_MS)
  lane.failure = failure
}

/** Fails the appends that have messages in the batch, or in the next one when there is none yet. */
function giveUp(lane: Lane, failure: Error, settling: Settling): void {
  const pieces = lane.batch?.pieces ?? lane.pieces
  for (const append of new Set(pieces.map(({ append }) => append))) failAppend(append, failure)
  lane.batch = undefined
  lane.failures = 0
  lane.failure = undefined
  lane.pieces = lane.pieces.filter(({ append }) => !append.failed)
  // What became of the batch is not known, and its numbers must not be used again for another one.
  forgetIdentity(lane, settling)
}

export function failAppend(append: Append, failure: Error): void {
  if (append.failed) return
  append.failed = true
  const { count } = append.messages
  const written = `Of ${count} messages ${count - append.left} were acknowledged before; whether others were written is not known.`
  const { code, details } = failure instanceof Failure ? failure : { code: 'INTERNAL' as const, details: undefined }
  append.reject(new Failure(code, `${failure.message} ${written}`, { details, cause: failure }))
}

function forgetIdentity(lane: Lane, { renewIdentity }: Settling): void {
  lane.identity = undefined
  lane.sequence = 0
  renewIdentity()
}

function whatFailed({ topic, partition }: Lane): string {
  return `Messages could not be written to partition ${partition} of ${topic}`
}

function uncompressedBytes({ pieces }: Batch): number {
  let bytes = 0
  for (const { append, rows } of pieces)
    for (const row of rows) bytes += append.messages.ends[row] - (row === 0 ? 0 : append.messages.ends[row - 1])
  return bytes
}
