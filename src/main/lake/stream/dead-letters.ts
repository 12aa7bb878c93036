// Messages that could not be written, out of their table: listed, shown, and tried again.
import type { DuckDBConnection } from '@duckdb/node-api'
import { cellOf, type ColumnBatch } from '../../../contract/columns.ts'
import type { QueryMeta } from '../../../contract/fields.ts'
import { Failure } from '../../../contract/failure.ts'

import { readBatch, streamBatches } from '../../duck/read-batch.ts'
import { headOf } from '../iceberg/metadata.ts'
import type { Lake } from '../lake.ts'
import type { Condition, Filter } from '../read/filter.ts'
import { planScan, type ScanPlan } from '../read/plan-scan.ts'
import { openScan } from '../read/scan.ts'
import { metadataIfThere } from './set-offsets.ts'

/** A message as the log had it. */
export interface Letter {
  topic: string
  partition: number
  offset: number
  /** When the log took it in, microseconds since 1970. */
  logMicros: number
  key: Buffer | null
  bytes: Buffer | null
}

export interface LetterFilter {
  topic?: string
  partition?: number
  offset?: number
  reason?: string
}

export interface LetterRow {
  topic: string
  partition: number
  offset: string
  detected_at: string
  reason: string
  error: string
  bytes: number
}

const COLUMNS = ['detected_at', 'topic', 'partition', 'offset', 'key', 'bytes', 'reason', 'error']
const NEWEST_FIRST = 'ORDER BY detected_at DESC, topic, partition, "offset" DESC'
/** Messages of a megabyte each would be a hundred of them. */
const LETTERS_READ = 100
/** Whoever takes them writes them with one commit a table, between those of a stream. */
const AT_ONCE = { letters: 500, bytes: 16e6 }

/** The newest ones, and how many pass the filter in all. Their bytes are measured, not fetched. */
export async function listLetters(
  lake: Lake,
  { limit, ...asked }: LetterFilter & { limit: number },
  signal?: AbortSignal,
): Promise<{ data: LetterRow[]; total: number; query: QueryMeta }> {
  const started = performance.now()
  const select = (rows: string) =>
    `SELECT topic, partition, "offset", detected_at, reason, error, coalesce(octet_length(bytes), 0) AS bytes, ` +
    `count(*) OVER () AS total FROM (${rows}) ${NEWEST_FIRST} LIMIT ${limit}`
  return withLetters(lake, asked, signal, async (sqlOf, connection, plan) => {
    const batch = await readBatch(connection, select(sqlOf(COLUMNS)), signal)
    const data = Array.from({ length: batch.rowCount }, (_, row) =>
      rowOf(batch, row, Number(batch.columns.bytes.values[row])),
    )
    const total = batch.rowCount > 0 ? Number(batch.columns.total.values[0]) : 0
    return { data, total, query: metaOf(plan, data.length, started) }
  })
}

/** The newest one at this place: a topic that was made anew may have had another one there. */
export async function readLetter(
  lake: Lake,
  place: Required<Pick<LetterFilter, 'topic' | 'partition' | 'offset'>>,
  signal?: AbortSignal,
): Promise<LetterRow & Pick<Letter, 'key'> & { message: Buffer | null }> {
  return withLetters(lake, place, signal, async (sqlOf, connection) => {
    const sql = `SELECT * FROM (${sqlOf(COLUMNS)}) ${NEWEST_FIRST} LIMIT 1`
    const batch = await readBatch(connection, sql, signal)
    if (batch.rowCount === 0) {
      const { topic, partition, offset } = place
      throw new Failure('NOT_FOUND', `No message of ${topic}, partition ${partition}, offset ${offset} was set aside.`)
    }
    const { key, bytes: message } = letterOf(batch, 0)
    return { ...rowOf(batch, 0, message?.length ?? 0), key, message }
  })
}

/** All that pass the filter, a bounded number and size at a time. */
export async function* streamLetters(
  lake: Lake,
  filter: LetterFilter,
  signal?: AbortSignal,
): AsyncGenerator<Letter[], void> {
  const open = await openLetters(lake, filter, signal)
  try {
    let gathered: Letter[] = []
    let bytes = 0
    const sql = open.sqlOf(COLUMNS)
    for await (const batch of streamBatches(open.connection, sql, { batchRows: LETTERS_READ, signal })) {
      for (let row = 0; row < batch.rowCount; row++) {
        const letter = letterOf(batch, row)
        gathered.push(letter)
        bytes += letter.bytes?.length ?? 0
        if (gathered.length < AT_ONCE.letters && bytes < AT_ONCE.bytes) continue
        yield gathered
        gathered = []
        bytes = 0
      }
    }
    if (gathered.length > 0) yield gathered
  } catch (error) {
    throw await open.blame(error)
  } finally {
    open.close()
  }
}

async function withLetters<T>(
  lake: Lake,
  filter: LetterFilter,
  signal: AbortSignal | undefined,
  use: (
    sqlOf: (columns: readonly string[]) => string,
    connection: DuckDBConnection,
    plan: ScanPlan | undefined,
  ) => Promise<T>,
): Promise<T> {
  const open = await openLetters(lake, filter, signal)
  try {
    return await use(open.sqlOf, open.connection, open.plan)
  } catch (error) {
    throw await open.blame(error)
  } finally {
    open.close()
  }
}

async function openLetters(lake: Lake, asked: LetterFilter, signal: AbortSignal | undefined) {
  const table = lake.table('dead_letters')
  const metadata = await metadataIfThere(table)
  const snapshotId = metadata && headOf(metadata)?.['snapshot-id']
  const { io, cache } = lake
  const connection = await lake.duck.connect()
  if (!metadata || snapshotId === undefined) return { ...nothing(connection), connection }
  const unpin = table.pin(snapshotId)
  try {
    const plan = await planScan({ metadata, snapshotId, filter: filterOf(asked), io, cache, signal })
    const scan = await openScan({ plan, io, connection, signal })
    const close = () => {
      scan.release()
      connection.closeSync()
      unpin()
    }
    return { connection, plan, sqlOf: (columns: readonly string[]) => scan.sql(columns), blame: scan.blame, close }
  } catch (error) {
    connection.closeSync()
    unpin()
    throw error
  }
}

/** Of a table that is not there, or that nothing was ever written to. */
function nothing(connection: DuckDBConnection) {
  const columns =
    `NULL::TIMESTAMPTZ AS detected_at, '' AS topic, 0 AS partition, 0::BIGINT AS "offset", ''::BLOB AS key, ` +
    `''::BLOB AS bytes, '' AS reason, '' AS error`
  return {
    plan: undefined,
    sqlOf: () => `SELECT * FROM (SELECT ${columns}) WHERE false`,
    blame: (error: unknown) => Promise.resolve(error),
    close: () => connection.closeSync(),
  }
}

function filterOf({ topic, partition, offset, reason }: LetterFilter): Filter {
  const wanted = { topic, partition, offset: offset === undefined ? undefined : BigInt(offset), reason }
  return Object.entries(wanted).flatMap(([column, value]): Condition[] =>
    value === undefined ? [] : [{ column, op: '=', value }],
  )
}

function rowOf({ columns }: ColumnBatch, row: number, bytes: number): LetterRow {
  const text = (name: string) => cellOf(columns[name], row) as string
  return {
    topic: text('topic'),
    partition: Number(columns.partition.values[row]),
    offset: String(columns.offset.values[row]),
    detected_at: text('detected_at'),
    reason: text('reason'),
    error: text('error'),
    bytes,
  }
}

function letterOf({ columns }: ColumnBatch, row: number): Letter {
  const bytes = (name: string) => {
    const text = cellOf(columns[name], row)
    return text === null ? null : Buffer.from(text as string, 'base64')
  }
  return {
    topic: cellOf(columns.topic, row) as string,
    partition: Number(columns.partition.values[row]),
    offset: Number(columns.offset.values[row]),
    logMicros: Number(columns.detected_at.values[row]),
    key: bytes('key'),
    bytes: bytes('bytes'),
  }
}

function metaOf(plan: ScanPlan | undefined, rows: number, started: number): QueryMeta {
  const ms = performance.now() - started
  return {
    ms,
    engine: 'lake',
    snapshot_id: plan?.snapshotId ?? null,
    ...(plan && { files: plan.counts }),
    sources: { lake: { rows, ms } },
    watermark: null,
    freshness_ms: null,
    partial: false,
    why: null,
  }
}
