// Batches of one topic on their way into its table: decoded, repeats left out, sequences watched, what is no row set aside.
// What comes out is a function of the messages of each partition, however they were cut into batches.
import type { ColumnBatch } from '../../contract/columns.ts'
import { TABLES } from '../../contract/tables.ts'
import { createRowCollector } from '../market/collect-rows.ts'
import { createCursor, pointCursor } from '../market/decode-primitives.ts'
import { problemOf, type SchemaOf } from '../market/decode-wire.ts'
import { createDedupe } from '../market/dedupe.ts'
import type { DayOf } from '../market/exchanges.ts'
import { readFingerprint, type Fingerprint } from '../market/fingerprint.ts'
import { keyOf, NONE, valueOf } from '../market/log-batch.ts'
import type { Problem, StandardBatch } from '../market/standard-batch.ts'
import type { DataType } from '../market/topics.ts'
import type { DeadLetter, Intake } from './intake.ts'
import { createQualityCounts, type QualityCount } from './quality/quality-counts.ts'
import { createSessionDays } from './quality/session-days.ts'
import { createSequenceWatch, type Split } from './quality/watch-sequences.ts'
import { createReference } from './reference.ts'
import type { LastSequence } from '../market/stream-table.ts'

export interface TakeInOptions {
  table: DataType
  topic: string
  /** 0 drops no repeats. */
  dedupeMinutes: number
  dedupeRows?: number
  /** Where sequences are in the table. */
  lastSequences?: readonly LastSequence[]
  /** Rows of reference data that are in the table; of each company the last one counts. */
  companies?: ColumnBatch
  /** Schemas of messages; K2's own when left out. */
  schemaOf?: SchemaOf
  dayOf?: DayOf
  onSplit?: (split: Split) => void
  mostInstruments?: number
}

export interface CountingIntake extends Intake {
  /** Since the start, by exchange. */
  counts: () => readonly QualityCount[]
  /** What the window of repeats remembers. */
  remembered: () => { messages: number; bytes: number }
}

/** So many messages go through each step together: few enough to stay in the processor's caches. */
const STEP_MESSAGES = 512
/** Of an object and the texts it shares with others. */
const GAP_BYTES = 300
const LETTER_BYTES = 300

const NOT_A_ROW: Problem = { reason: 'no_value', error: 'The message has no value.' }
const UNKNOWN_COMPANY: Problem = {
  reason: 'unknown_company',
  error: 'A tombstone of a company that was never heard of: there is no row to make inactive.',
}
const NO_KEY: Problem = { reason: 'no_value', error: 'A tombstone without a key says of no company that it is gone.' }

export function createIntake(options: TakeInOptions): CountingIntake {
  const { table, topic, dedupeMinutes, dedupeRows, lastSequences = [], companies, schemaOf } = options
  const collector = createRowCollector(TABLES[table], schemaOf)
  const dedupe = createDedupe({ minutes: dedupeMinutes, rowsPerPartition: dedupeRows })
  const reference = table === 'reference_data' ? createReference(collector, companies) : undefined
  // What a tombstone makes inactive is what came right before it, and is known for certain only when that was looked at.
  const stepMessages = reference ? 1 : STEP_MESSAGES
  const counts = createQualityCounts()
  const dayOf = options.dayOf ?? createSessionDays()
  const watch =
    table === 'reference_data'
      ? undefined
      : createSequenceWatch({ ...options, collector, dataType: table, lastSequences, dayOf, counts })

  const cursor = createCursor()
  const print: Fingerprint = { low: 0, high: 0 }
  const prints = new Int32Array(2 * stepMessages)
  const logMicros = new Float64Array(stepMessages)
  const marks = new Uint8Array(stepMessages)
  let deadLetters: DeadLetter[] = []
  let letterBytes = 0
  let duplicates = 0
  let isKnown = false

  function setAside(batch: StandardBatch, i: number, { reason, error }: Problem): void {
    if (isKnown) return
    const { topic, partition, offsets, timestamps } = batch
    const [key, bytes] = [copied(keyOf(batch, i)), copied(valueOf(batch, i))]
    deadLetters.push({ topic, partition, offset: offsets[i], logMicros: timestamps[i], key, bytes, reason, error })
    letterBytes += LETTER_BYTES + (key?.length ?? 0) + (bytes?.length ?? 0)
  }

  /** Whether it became the next row. */
  function readMessage(batch: StandardBatch, i: number, row: number): boolean {
    const { starts, ends, offsets, timestamps, problems } = batch
    const problem = problems?.get(i)
    if (problem) {
      setAside(batch, i, problem)
      return false
    }
    if (starts[i] === NONE) return readTombstone(batch, i, row)
    cursor.at = starts[i]
    cursor.end = ends[i]
    try {
      collector.read(cursor, offsets[i], timestamps[i])
    } catch (error) {
      setAside(batch, i, problemOf(error))
      return false
    }
    readFingerprint(cursor, starts[i], ends[i], print)
    prints[2 * row] = print.low
    prints[2 * row + 1] = print.high
    return true
  }

  /** No two of them are repeats: they lie at different offsets and have no content. */
  function readTombstone(batch: StandardBatch, i: number, row: number): boolean {
    const { partition, offsets, timestamps } = batch
    const key = keyOf(batch, i)
    if (!reference || !key) {
      setAside(batch, i, reference ? NO_KEY : NOT_A_ROW)
      return false
    }
    if (!reference.deactivate(key, partition, offsets[i], timestamps[i])) {
      setAside(batch, i, UNKNOWN_COMPANY)
      return false
    }
    prints[2 * row] = offsets[i]
    prints[2 * row + 1] = offsets[i] / 2 ** 32
    return true
  }

  /** Messages `from` … `to` of a batch into rows. */
  function step(batch: StandardBatch, from: number, to: number): void {
    const { partition, timestamps } = batch
    const first = collector.rowCount()
    let rows = 0
    for (let i = from; i < to; i++) {
      if (!readMessage(batch, i, rows)) continue
      logMicros[rows++] = timestamps[i]
    }
    if (dedupe.markRepeats(partition, prints, logMicros, rows, marks) > 0) leaveOut(first, rows)
    if (reference && !isInTable() && collector.rowCount() > first) learn(batch, from)
    watch?.look({ partition, from: first, prints, logMicros, isKnown })
    if (isKnown) collector.cutBack(first)
    else collector.place(first, topic, partition)
  }

  function leaveOut(first: number, rows: number): void {
    let kept = 0
    for (let k = 0; k < rows; k++) {
      if (marks[k]) {
        if (!isKnown) countDuplicate(first + k)
        continue
      }
      prints[2 * kept] = prints[2 * k]
      prints[2 * kept + 1] = prints[2 * k + 1]
      logMicros[kept++] = logMicros[k]
    }
    collector.takeOut(first, marks)
  }

  function countDuplicate(row: number): void {
    duplicates++
    watch?.countDuplicate(row)
  }

  /** What is read again; of it only the table knows what was a repeat of something older. */
  const isInTable = () => isKnown && companies !== undefined

  /** Repeats are not learned from: what they repeat may have been corrected since. */
  function learn({ bytes, starts, ends }: StandardBatch, i: number): void {
    if (starts[i] !== NONE) reference!.learn(bytes.subarray(starts[i], ends[i]))
  }

  function takeAll(batch: StandardBatch): void {
    pointCursor(cursor, batch.bytes)
    collector.reserve(batch.count)
    for (let from = 0; from < batch.count; from += stepMessages)
      step(batch, from, Math.min(batch.count, from + stepMessages))
  }

  return {
    rowCount: collector.rowCount,
    heldBytes: () => collector.bytes() + letterBytes + (watch?.findings().gaps.length ?? 0) * GAP_BYTES,
    take(batch) {
      const lettersBefore = deadLetters.length
      const gapsBefore = watch?.findings().gaps.length ?? 0
      isKnown = false
      takeAll(batch)
      return { deadLetters: deadLetters.length - lettersBefore, gaps: watch?.findings().gaps.slice(gapsBefore) ?? [] }
    },
    remember(batch) {
      isKnown = true
      takeAll(batch)
    },
    drain() {
      const found = watch?.takeFindings() ?? { gaps: [], outOfOrder: 0, resets: 0 }
      const taken = { rows: collector.drain(), deadLetters, ...found, duplicates }
      watch?.forgetCodes()
      deadLetters = []
      letterBytes = 0
      duplicates = 0
      return taken
    },
    reuse: collector.reuse,
    counts: counts.all,
    remembered: () => ({ messages: dedupe.size(), bytes: dedupe.bytes() }),
  }
}

function copied(bytes: Buffer | null): Buffer | null {
  return bytes && Buffer.from(bytes)
}
