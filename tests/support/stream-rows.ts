// Trades as a stream brings them, and a log that says what it holds, for tests of tables and offsets.
import type { Column, ColumnBatch } from '../../src/contract/columns.ts'
import { Failure } from '../../src/contract/failure.ts'
import type { LogView } from '../../src/main/lake/stream/log-view.ts'
import type { OffsetVector } from '../../src/main/market/topic-offsets.ts'
import { START_MICROS, tradesBatch } from './lake.ts'

export const TOPIC = 'market.equities.trades.asx'

/** `topic` up to these offsets, in one life of one log. */
export function at(next: Record<string, number>, { topic = TOPIC, epoch = 'e', cluster = 'c' } = {}): OffsetVector {
  return [{ cluster, epoch, topic, next }]
}

/** The messages of one partition from `from` up to `to`, each a trade that its offset tells. */
export function tradesAt(partition: number, from: number, to: number, { topic = TOPIC, life = '' } = {}): ColumnBatch {
  const offsets = Array.from({ length: to - from }, (_, i) => from + i)
  const { columns } = tradesBatch(from, offsets.length)
  const texts = (words: readonly string[]): Column => ({
    type: 'string',
    words,
    values: Uint32Array.from({ length: offsets.length }, (_, i) => (words.length === 1 ? 0 : i)),
  })
  const numbers = (type: 'int' | 'long' | 'timestamp', of: (offset: number) => number): Column => ({
    type,
    values: Float64Array.from(offsets, of),
  })
  return {
    rowCount: offsets.length,
    columns: {
      ...columns,
      message_id: texts(offsets.map(offset => `${life}${topic}-${partition}-${offset}`)),
      exchange_timestamp: numbers('timestamp', offset => START_MICROS + offset),
      _topic: texts([topic]),
      _partition: numbers('int', () => partition),
      _offset: numbers('long', offset => offset),
    },
  }
}

export interface LetterAt {
  topic?: string
  partition?: number
  offset: number
  micros?: number
  reason?: string
  key?: string | null
  bytes?: Buffer | null
}

export function letters(rows: readonly LetterAt[]): ColumnBatch {
  const texts = (type: 'string' | 'bytes', of: (row: LetterAt) => string | null): Column => ({
    type,
    words: rows.map(of),
    values: Uint32Array.from(rows.keys()),
  })
  const numbers = (type: 'int' | 'long' | 'timestamp', of: (row: LetterAt) => number): Column => ({
    type,
    values: Float64Array.from(rows, of),
  })
  return {
    rowCount: rows.length,
    columns: {
      detected_at: numbers('timestamp', ({ micros, offset }) => micros ?? START_MICROS + offset),
      topic: texts('string', ({ topic = TOPIC }) => topic),
      partition: numbers('int', ({ partition = 0 }) => partition),
      offset: numbers('long', ({ offset }) => offset),
      key: texts('bytes', ({ key = 'BHP' }) => key && Buffer.from(key).toString('base64')),
      bytes: texts('bytes', ({ bytes = Buffer.from('not a trade') }) => bytes && bytes.toString('base64')),
      reason: texts('string', ({ reason = 'undecodable' }) => reason),
      error: texts('string', ({ offset }) => `message ${offset} is no trade`),
    },
  }
}

/** One topic whose partitions hold these ranges. */
export function logOf(
  ranges: Record<number, [earliest: number, latest: number]>,
  { topic = TOPIC, epoch = 'e', cluster = 'c', offsetAt = (micros: number) => micros * 0 } = {},
): () => Promise<LogView> {
  const partitions = Object.entries(ranges).map(([partition, [earliest, latest]]) => ({
    partition: Number(partition),
    earliest,
    latest,
  }))
  const view: LogView = {
    kind: 'kafka',
    cluster: () => Promise.resolve(cluster),
    topics: () => Promise.resolve([{ name: topic, epoch }]),
    ranges: () => Promise.resolve(partitions),
    offsetsAt: (_, micros) =>
      Promise.resolve(new Map(partitions.map(({ partition, earliest }) => [partition, earliest + offsetAt(micros)]))),
  }
  return () => Promise.resolve(view)
}

export const noLog = (): Promise<LogView> => Promise.reject(new Failure('UNAVAILABLE', 'The brokers do not answer.'))
