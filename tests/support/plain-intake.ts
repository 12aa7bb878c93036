// An intake that is easy to trust, for tests of what is around it: messages are JSON, rows are objects, nothing is fast.
import type { Column, ColumnBatch } from '../../src/contract/columns.ts'
import type { DeadLetter, Gap, Intake, TakenIn } from '../../src/main/ingest/intake.ts'
import type { IntakeOptions } from '../../src/main/ingest/writer-options.ts'
import { keyOf, valueOf, type LogBatch } from '../../src/main/market/log-batch.ts'
import type { Produced } from '../../src/main/log/message-log.ts'

export interface PlainMessage {
  id: string
  symbol: string
  seq: number
  /** What makes two messages with one id a correction. */
  content?: number
}
/** A text is a message that is no row. */
export type PlainValue = PlainMessage | string

export interface PlainRow extends PlainMessage {
  topic: string
  partition: number
  offset: number
}

export function plainProduced(values: readonly PlainValue[], micros?: (i: number) => number): Produced {
  const texts = values.map(value => (typeof value === 'string' ? value : JSON.stringify(value)))
  let at = 0
  return {
    count: texts.length,
    keys: values.map(value => (typeof value === 'string' ? value : value.symbol)),
    values: Buffer.from(texts.join('')),
    ends: Uint32Array.from(texts, text => (at += Buffer.byteLength(text))),
    ...(micros && { timestamps: Float64Array.from(values, (_, i) => micros(i)) }),
  }
}

export function plainIntake({ topic, dedupeMinutes, lastSequences }: IntakeOptions): Intake {
  const windowMicros = dedupeMinutes * 60e6
  const latest = new Map<number, number>()
  const seen = new Map<string, number>()
  const sequences = new Map(
    lastSequences.map(({ partition, symbol, sequence }) => [`${partition} ${symbol}`, Number(sequence)]),
  )
  let rows: PlainRow[] = []
  let deadLetters: DeadLetter[] = []
  let gaps: Gap[] = []
  let duplicates = 0
  let outOfOrder = 0

  function each(batch: LogBatch, i: number, isTaken: boolean): void {
    const { partition } = batch
    const offset = batch.offsets[i]
    const logMicros = batch.timestamps[i]
    const place = { topic, partition, offset, logMicros }
    const bytes = valueOf(batch, i)
    const text = bytes?.toString() ?? ''
    if (!text.startsWith('{')) {
      const letter = { ...place, key: keyOf(batch, i), bytes: bytes && Buffer.from(bytes) }
      if (isTaken) deadLetters.push({ ...letter, reason: 'undecodable', error: `not JSON: ${text}` })
      return
    }
    const now = Math.max(latest.get(partition) ?? 0, logMicros)
    latest.set(partition, now)
    const before = seen.get(`${partition} ${text}`)
    seen.set(`${partition} ${text}`, now)
    if (before !== undefined && now - before < windowMicros) {
      if (isTaken) duplicates++
      return
    }
    const message = JSON.parse(text) as PlainMessage
    const instrument = `${partition} ${message.symbol}`
    const last = sequences.get(instrument)
    sequences.set(instrument, Math.max(last ?? 0, message.seq))
    if (!isTaken) return
    rows.push({ ...message, topic, partition, offset })
    if (last === undefined || message.seq === last + 1) return
    const size = message.seq - last - 1
    if (size < 0) return void outOfOrder++
    gaps.push({
      ...place,
      symbol: message.symbol,
      exchange: 'ASX',
      assetClass: 'equities',
      dataType: 'trades',
      expected: BigInt(last + 1),
      received: BigInt(message.seq),
      severity: size < 10 ? 'minor' : size <= 100 ? 'major' : 'critical',
    })
  }

  return {
    rowCount: () => rows.length,
    heldBytes: () => rows.length * 100 + deadLetters.length * 100,
    take(batch) {
      const [letters, before] = [deadLetters.length, gaps.length]
      for (let i = 0; i < batch.count; i++) each(batch, i, true)
      return { deadLetters: deadLetters.length - letters, gaps: gaps.slice(before) }
    },
    remember(batch) {
      for (let i = 0; i < batch.count; i++) each(batch, i, false)
    },
    drain() {
      const taken: TakenIn = { rows: batchOf(rows), deadLetters, gaps, duplicates, outOfOrder, resets: 0 }
      rows = []
      deadLetters = []
      gaps = []
      duplicates = outOfOrder = 0
      return taken
    },
  }
}

function batchOf(rows: readonly PlainRow[]): ColumnBatch {
  const texts = (of: (row: PlainRow) => string): Column => ({
    type: 'string',
    values: Uint32Array.from(rows, (_, i) => i),
    words: rows.map(of),
  })
  const numbers = (of: (row: PlainRow) => number): Column => ({ type: 'long', values: Float64Array.from(rows, of) })
  return {
    rowCount: rows.length,
    columns: {
      message_id: texts(({ id }) => id),
      symbol: texts(({ symbol }) => symbol),
      source_sequence: numbers(({ seq }) => seq),
      content: numbers(({ content }) => content ?? 0),
      _topic: texts(({ topic }) => topic),
      _partition: numbers(({ partition }) => partition),
      _offset: numbers(({ offset }) => offset),
    },
  }
}

const BESIDE = {
  deadLetters: ({ topic, partition, offset, reason, error }: DeadLetter) => ({
    topic,
    partition,
    offset,
    reason,
    error,
  }),
  gaps: ({ topic, partition, offset, symbol, expected, received, severity }: Gap) => ({
    topic,
    partition,
    offset,
    symbol,
    expected: Number(expected),
    received: Number(received),
    severity,
  }),
}

function batchOfRecords(records: readonly Record<string, string | number>[]): ColumnBatch {
  const columns = Object.keys(records[0] ?? {}).map((name): [string, Column] => [
    name,
    {
      type: 'string',
      values: Uint32Array.from(records, (_, i) => i),
      words: records.map(record => String(record[name])),
    },
  ])
  return { rowCount: records.length, columns: Object.fromEntries(columns) }
}

export const plainSideRows = {
  deadLetters: (letters: readonly DeadLetter[]) => batchOfRecords(letters.map(BESIDE.deadLetters)),
  gaps: (gaps: readonly Gap[]) => batchOfRecords(gaps.map(BESIDE.gaps)),
}
