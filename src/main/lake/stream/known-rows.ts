// Which rows of a batch are in a table already: those of messages that were read again. By the message's place in the log
// and by something that it says itself, as the log of another life gives its places to other messages.
import type { DuckDBConnection } from '@duckdb/node-api'
import { cellOf, type Cell, type ColumnBatch } from '../../../contract/columns.ts'
import type { TableId } from '../../../contract/tables.ts'
import { takeRows } from '../../../contract/take-rows.ts'
import type { TableMetadata } from '../iceberg/metadata.ts'
import { headOf } from '../iceberg/metadata.ts'
import type { Lake } from '../lake.ts'
import type { Condition, Filter } from '../read/filter.ts'
import { planScan } from '../read/plan-scan.ts'
import { scanBatches } from '../read/scan.ts'

/** What makes a row of each table the one that it is, and the time by which its files are found. */
interface Identity {
  key: readonly string[]
  offset: string
  time: string
}

const OF_ROWS = ['_topic', '_partition', '_offset', 'message_id']
const identities: Record<TableId, Identity> = {
  trades: { key: OF_ROWS, offset: '_offset', time: 'exchange_timestamp' },
  quotes: { key: OF_ROWS, offset: '_offset', time: 'exchange_timestamp' },
  reference_data: { key: OF_ROWS, offset: '_offset', time: 'ingestion_timestamp' },
  sequence_gaps: { key: ['_topic', '_partition', '_offset', 'detected_at'], offset: '_offset', time: 'detected_at' },
  dead_letters: { key: ['topic', 'partition', 'offset', 'detected_at'], offset: 'offset', time: 'detected_at' },
}

/** The rows that are not there, and how many are. Cheap where all files of the table are older than the rows. */
export async function leaveOutKnown(
  lake: Lake,
  id: TableId,
  { metadata, batch }: { metadata: TableMetadata; batch: ColumnBatch },
  signal?: AbortSignal,
): Promise<{ batch: ColumnBatch; known: number }> {
  if (batch.rowCount === 0) return { batch, known: 0 }
  const { key, offset, time } = identities[id]
  const filter = [...within(batch, time), ...within(batch, offset)]
  const keys = textsOf(batch, key)
  const wanted = new Set(keys)
  const there = new Set<string>()
  for await (const found of rowsThere(lake, id, { metadata, filter, columns: key }, signal))
    for (const row of textsOf(found, key)) if (wanted.has(row)) there.add(row)
  return leaveOut(batch, row => there.has(keys[row]))
}

export function leaveOut(batch: ColumnBatch, isKnown: (row: number) => boolean): { batch: ColumnBatch; known: number } {
  const rows = Array.from({ length: batch.rowCount }, (_, row) => row).filter(row => !isKnown(row))
  const known = batch.rowCount - rows.length
  return { batch: known === 0 ? batch : takeRows(batch, Uint32Array.from(rows)), known }
}

/** Of the newest snapshot; nothing is read where no file can have such rows. */
export async function* rowsThere(
  lake: Lake,
  id: TableId,
  { metadata, filter, columns }: { metadata: TableMetadata; filter: Filter; columns: readonly string[] },
  signal?: AbortSignal,
): AsyncGenerator<ColumnBatch, void> {
  const snapshotId = headOf(metadata)?.['snapshot-id']
  if (snapshotId === undefined) return
  const { io, cache } = lake
  const release = lake.table(id).pin(snapshotId)
  let connection: DuckDBConnection | undefined
  try {
    const plan = await planScan({ metadata, snapshotId, filter, io, cache, columns, signal })
    if (plan.files.length === 0) return
    connection = await lake.duck.connect()
    yield* scanBatches({ plan, io, connection, columns, signal })
  } finally {
    connection?.closeSync()
    release()
  }
}

/** Of each row, a text that says these cells. */
export function textsOf({ rowCount, columns }: ColumnBatch, names: readonly string[]): string[] {
  const chosen = names.map(name => columns[name])
  return Array.from({ length: rowCount }, (_, row) =>
    JSON.stringify(chosen.map(column => inOrder(cellOf(column, row)))),
  )
}

/** A map's keys come in any order. */
function inOrder(cell: Cell): unknown {
  if (typeof cell !== 'object' || cell === null || Array.isArray(cell)) return cell
  return Object.entries(cell).sort(([a], [b]) => (a < b ? -1 : 1))
}

function within({ columns }: ColumnBatch, name: string): Condition[] {
  const { values } = columns[name]
  let [least, most] = [values[0], values[0]]
  for (const value of values) {
    if (value < least) least = value
    if (value > most) most = value
  }
  return [
    { column: name, op: '>=', value: BigInt(least) },
    { column: name, op: '<=', value: BigInt(most) },
  ]
}
