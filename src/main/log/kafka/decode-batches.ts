// What a broker sent of one partition, as log batches: without marks of transactions and what was aborted, without what
// lies before the wanted offset, and checked: every batch by its CRC, every length against what there is.
import { Failure } from '../../../contract/failure.ts'
import type { LogBatch } from '../../market/log-batch.ts'
import { decompress } from './codecs.ts'
import { crc32c } from './crc32c.ts'
import { allocateColumns, decodeRecords, SMALLEST_RECORD, type Columns, type RecordRun } from './decode-records.ts'
import {
  ATTRIBUTES_AT,
  CONTROL_BIT,
  COUNT_AT,
  CRC_AT,
  DamagedBatch,
  FIRST_TIME_AT,
  LAST_DELTA_AT,
  LATEST_TIME_AT,
  LENGTH_AT,
  LENGTH_COUNTS_FROM,
  LOG_APPEND_TIME_BIT,
  PRODUCER_AT,
  RECORDS_AT,
  TRANSACTIONAL_BIT,
  codecOf,
} from './record-batch.ts'

export interface FetchedBatches {
  topic: string
  partition: number
  /** Whole batches only. */
  bytes: Buffer
  /** The offset that was asked for. */
  from: number
  latest: number
  /** By producer: the first offset of each transaction that was aborted. */
  aborted: readonly AbortedTransaction[]
}

export interface AbortedTransaction {
  producerId: bigint
  firstOffset: number
}

/** A reader gets at most so much at once, so that decoding a batch holds up nobody for more than a few milliseconds. */
const MAX_MESSAGES = 4096
/** Where joining means copying, so many are enough for the cost of a batch to be spread thin. */
const ENOUGH_MESSAGES = 512
/** In the key of a control record, behind its version. */
const ABORT_MARK = 0

/** Batches that share their bytes are handed out as one, so that many small ones cost no more than few large ones. */
export function* decodeBatches(fetched: FetchedBatches): Generator<LogBatch> {
  const { topic, partition, bytes, from, latest } = fetched
  const isAborted = abortedFilter(fetched.aborted)
  let nextOffset = from
  let handedOut = from
  let runs: RecordRun[] = []
  let messages = 0

  function* handOut(): Generator<LogBatch> {
    if (nextOffset > handedOut) yield* logBatches(topic, partition, join(runs), messages, from, nextOffset, latest)
    handedOut = nextOffset
    runs = []
    messages = 0
  }

  for (let at = 0; at < bytes.length;) {
    const end = at + LENGTH_COUNTS_FROM + bytes.readInt32BE(at + LENGTH_AT)
    // Whoever found the whole batches has held it against the offsets that follow.
    const behind = Number(bytes.readBigInt64BE(at)) + bytes.readInt32BE(at + LAST_DELTA_AT) + 1
    const open = () => {
      checkCrc(bytes, at, end)
      return isAborted(bytes, at) ? undefined : openRun(bytes, at, end)
    }
    const run = guarded(topic, partition, nextOffset, open, behind)
    if (run && messages > 0 && !mayJoin(runs[runs.length - 1], run, messages, bytes))
      yield* guardedAll(topic, partition, handedOut, handOut())
    if (run) {
      runs.push(run)
      messages += run.count
    }
    nextOffset = behind
    at = end
  }
  yield* guardedAll(topic, partition, handedOut, handOut())
}

/** Those that lie in what the broker sent, or few that had to be decompressed; not both in one. */
function mayJoin(last: RecordRun, next: RecordRun, messages: number, bytes: Buffer): boolean {
  if (messages + next.count > MAX_MESSAGES) return false
  if (last.bytes === bytes) return next.bytes === bytes
  return next.bytes !== bytes && messages < ENOUGH_MESSAGES
}

function checkCrc(bytes: Buffer, at: number, end: number): void {
  const said = bytes.readUInt32BE(at + CRC_AT)
  const found = crc32c(bytes, at + ATTRIBUTES_AT, end)
  if (said !== found) throw new RangeError(`its checksum is ${found.toString(16)}, not ${said.toString(16)}`)
}

function openRun(bytes: Buffer, at: number, end: number): RecordRun {
  const attributes = bytes.readInt16BE(at + ATTRIBUTES_AT)
  const codec = codecOf(attributes)
  const count = bytes.readInt32BE(at + COUNT_AT)
  if (!codec) throw new RangeError('its compression is not known')
  const records = codec === 'none' ? bytes : decompress(codec, bytes.subarray(at + RECORDS_AT, end))
  const run = {
    bytes: records,
    begin: codec === 'none' ? at + RECORDS_AT : 0,
    end: codec === 'none' ? end : records.length,
    count,
    firstOffset: Number(bytes.readBigInt64BE(at)),
    lastDelta: bytes.readInt32BE(at + LAST_DELTA_AT),
    firstTimeMs: Number(bytes.readBigInt64BE(at + FIRST_TIME_AT)),
    appendTimeMs: attributes & LOG_APPEND_TIME_BIT ? Number(bytes.readBigInt64BE(at + LATEST_TIME_AT)) : undefined,
  }
  if (count < 0 || count * SMALLEST_RECORD > run.end - run.begin) throw new RangeError(`${count} records in it`)
  return run
}

/** One run of bytes for all: what was decompressed by itself is copied together when it is more than one. */
function join(runs: RecordRun[]): RecordRun[] {
  if (runs.length < 2 || runs.every(({ bytes }) => bytes === runs[0].bytes)) return runs
  const bytes = Buffer.concat(runs.map(run => run.bytes))
  let at = 0
  return runs.map(run => {
    const begin = at
    at += run.bytes.length
    return { ...run, bytes, begin, end: at }
  })
}

function* logBatches(
  topic: string,
  partition: number,
  runs: RecordRun[],
  messages: number,
  from: number,
  nextOffset: number,
  latest: number,
): Generator<LogBatch> {
  const columns = allocateColumns(messages)
  let count = 0
  for (const run of runs) count = decodeRecords(run, columns, count, from)
  const bytes: Buffer = runs[0]?.bytes ?? Buffer.alloc(0)
  const whole = { topic, partition, latest: Math.max(latest, nextOffset), bytes }
  if (count === 0) yield { ...whole, count, nextOffset, ...cut(columns, 0, 0) }
  for (let begin = 0; begin < count; begin += MAX_MESSAGES) {
    const end = Math.min(count, begin + MAX_MESSAGES)
    const next = end === count ? nextOffset : columns.offsets[end - 1] + 1
    yield { ...whole, count: end - begin, nextOffset: next, ...cut(columns, begin, end) }
  }
}

function cut(columns: Columns, begin: number, end: number): Columns {
  if (begin === 0 && end === columns.offsets.length) return columns
  const { offsets, timestamps, starts, ends, keyStarts, keyEnds } = columns
  return {
    offsets: offsets.subarray(begin, end),
    timestamps: timestamps.subarray(begin, end),
    starts: starts.subarray(begin, end),
    ends: ends.subarray(begin, end),
    keyStarts: keyStarts.subarray(begin, end),
    keyEnds: keyEnds.subarray(begin, end),
  }
}

/** Says of each batch in turn whether it is no message: a mark of a transaction, or within one that was aborted. */
function abortedFilter(aborted: readonly AbortedTransaction[]): (bytes: Buffer, at: number) => boolean {
  const coming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  const open = new Set<bigint>()
  return (bytes, at) => {
    const attributes = bytes.readInt16BE(at + ATTRIBUTES_AT)
    if (!(attributes & (TRANSACTIONAL_BIT | CONTROL_BIT))) return false
    const last = Number(bytes.readBigInt64BE(at)) + bytes.readInt32BE(at + LAST_DELTA_AT)
    while (coming.length > 0 && coming[0].firstOffset <= last) open.add(coming.shift()!.producerId)
    const producerId = bytes.readBigInt64BE(at + PRODUCER_AT)
    if (!(attributes & CONTROL_BIT)) return open.has(producerId)
    if (markOf(bytes, at) === ABORT_MARK) open.delete(producerId)
    return true
  }
}

/** The type in the key of the only record of a control batch: behind length, attributes, time, offset and key length, of a byte each. */
function markOf(bytes: Buffer, at: number): number {
  return bytes.readInt16BE(at + RECORDS_AT + 5 + 2)
}

function guarded<T>(topic: string, partition: number, offset: number, work: () => T, behind?: number): T {
  try {
    return work()
  } catch (error) {
    throw damaged(topic, partition, offset, error, behind)
  }
}

function* guardedAll<T>(topic: string, partition: number, offset: number, work: Generator<T>): Generator<T> {
  for (;;) {
    const next = guarded(topic, partition, offset, () => work.next())
    if (next.done) return
    yield next.value
  }
}

/** `behind` is the first offset that is not in the batch, where that is known. */
export function damaged(topic: string, partition: number, offset: number, cause: unknown, behind?: number): Failure {
  const at = cause instanceof DamagedBatch ? cause.offset : offset
  const how = cause instanceof DamagedBatch ? cause.message : `is in a damaged batch: ${(cause as Error).message}`
  const what = `Offset ${at} of partition ${partition} of ${topic} ${how}.`
  const on =
    behind === undefined
      ? 'read on from a later offset (k2 ingest offsets set)'
      : `read on behind it with \`k2 ingest offsets set ${topic} ${partition} ${behind}\``
  const details = { topic, partition, offset: at, ...(behind !== undefined && { behind }) }
  return new Failure('CORRUPT', `${what} Nothing of it was taken. Repair the topic, or ${on}.`, { details, cause })
}
