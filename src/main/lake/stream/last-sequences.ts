// Where the sequence of every instrument of a topic is, out of the table: what a gap check goes on from after a restart.
// Looked for in the newest days only; an instrument that was silent for longer begins anew.
import type { DuckDBConnection } from '@duckdb/node-api'
import { cellOf, type ColumnBatch } from '../../../contract/columns.ts'
import type { TableId } from '../../../contract/tables.ts'
import { readBatch } from '../../duck/read-batch.ts'
import { headOf } from '../iceberg/metadata.ts'
import { fieldNamed, type Schema } from '../iceberg/schema.ts'
import { decodeValue } from '../iceberg/single-value.ts'
import type { Lake } from '../lake.ts'
import type { Condition } from '../read/filter.ts'
import { planScan, type ScanFile, type ScanPlan } from '../read/plan-scan.ts'
import { openScan } from '../read/scan.ts'

export interface LastSequence {
  symbol: string
  exchange: string
  sequence: bigint
  exchangeMicros: number
}

/** The exchange's own day that a time falls into: any number that grows with it. */
export type DayOf = (exchange: string, micros: number) => number

const LOOK_BACK_MICROS = 7 * 86_400_000_000
const READ = ['symbol', 'exchange', 'exchange_timestamp', 'source_sequence']

/** Ascending by time, so that a cache of the newest ones keeps those. Nothing from a table without sequences. */
export async function lastSequences(lake: Lake, id: TableId, topic: string, dayOf: DayOf): Promise<LastSequence[]> {
  const table = lake.table(id)
  const { metadata } = await table.load()
  const head = headOf(metadata)
  if (!head || !table.definition.spec.columns.some(({ name }) => name === 'source_sequence')) return []
  const snapshotId = head['snapshot-id']
  const release = table.pin(snapshotId)
  const connection = await lake.duck.connect()
  const plan = (more: readonly Condition[]) => {
    const filter: Condition[] = [
      { column: '_topic', op: '=', value: topic },
      { column: 'source_sequence', op: 'is not null' },
    ]
    const { io, cache } = lake
    return planScan({ metadata, snapshotId, filter: [...filter, ...more], io, cache })
  }
  try {
    const newest = await newestMicros(lake, await plan([]), connection)
    if (newest === undefined) return []
    const from = newest - LOOK_BACK_MICROS
    const recent = await plan([{ column: 'exchange_timestamp', op: '>=', value: BigInt(from) }])
    return await ofNewestDays(lake, recent, connection, { from, newest, dayOf })
  } finally {
    connection.closeSync()
    release()
  }
}

/**
 * The time of the topic's newest row. Files are looked at from the newest on, as a file may have rows of several topics
 * and its bounds speak of all of them: mostly the first few days tell.
 */
async function newestMicros(lake: Lake, plan: ScanPlan, connection: DuckDBConnection): Promise<number | undefined> {
  const upTo = new Map(plan.files.map(file => [file, upperMicros(plan.schema, file)]))
  const sql = (rows: string) => `SELECT max(exchange_timestamp) AS newest FROM (${rows})`
  let newest = -Infinity
  while (upTo.size > 0) {
    const after = Math.max(...upTo.values()) - LOOK_BACK_MICROS
    const files = [...upTo.keys()].filter(file => upTo.get(file)! >= after)
    const { columns } = await readRows(lake, { ...plan, files }, connection, sql, ['exchange_timestamp'])
    if (cellOf(columns.newest, 0) !== null) newest = Math.max(newest, Number(columns.newest.values[0]))
    files.forEach(file => upTo.delete(file))
    for (const [file, upper] of upTo) if (upper <= newest) upTo.delete(file)
  }
  return newest === -Infinity ? undefined : newest
}

function upperMicros(schema: Schema, { file }: ScanFile): number {
  const { id, type } = fieldNamed(schema, 'exchange_timestamp')!
  const bound = file.upperBounds?.get(id)
  return bound ? Number(decodeValue(type as string, bound)) : Infinity
}

async function ofNewestDays(
  lake: Lake,
  plan: ScanPlan,
  connection: DuckDBConnection,
  { from, newest, dayOf }: { from: number; newest: number; dayOf: DayOf },
): Promise<LastSequence[]> {
  const exchanges = await readRows(lake, plan, connection, rows => `SELECT DISTINCT exchange FROM (${rows})`, [
    'exchange',
  ])
  const names = textsOf(exchanges, 'exchange')
  const day = daySql(new Map(names.map(name => [name, firstMicros(micros => dayOf(name, micros), from, newest)])))
  const sql = (rows: string) =>
    `SELECT symbol, exchange, max(source_sequence) AS sequence, arg_max(exchange_timestamp, source_sequence) AS reached_at ` +
    `FROM (${rows}) GROUP BY symbol, exchange, ${day} ` +
    `QUALIFY row_number() OVER (PARTITION BY symbol, exchange ORDER BY max(exchange_timestamp) DESC) = 1 ORDER BY reached_at`
  const found = await readRows(lake, plan, connection, sql, READ)
  const [symbol, exchange] = [textsOf(found, 'symbol'), textsOf(found, 'exchange')]
  return symbol.map((name, row) => ({
    symbol: name,
    exchange: exchange[row],
    sequence: BigInt(found.columns.sequence.values[row]),
    exchangeMicros: Number(found.columns.reached_at.values[row]),
  }))
}

/** Where days begin after `from`, by halving: whose day it is is known to a function only. */
function firstMicros(dayOf: (micros: number) => number, from: number, to: number): number[] {
  if (dayOf(from) === dayOf(to)) return []
  if (to - from <= 1) return [to]
  const middle = Math.floor((from + to) / 2)
  return [...firstMicros(dayOf, from, middle), ...firstMicros(dayOf, middle, to)]
}

/** How many days have begun by a row's time, at its exchange. */
function daySql(begins: ReadonlyMap<string, readonly number[]>): string {
  const cases = [...begins].map(([exchange, starts]) => {
    const days = starts.map(start => `(epoch_us(exchange_timestamp) >= ${start})::INTEGER`)
    return `WHEN '${exchange.replaceAll("'", "''")}' THEN ${days.join(' + ') || '0'}`
  })
  return cases.length === 0 ? '0' : `CASE exchange ${cases.join(' ')} END`
}

async function readRows(
  lake: Lake,
  plan: ScanPlan,
  connection: DuckDBConnection,
  sqlOf: (rows: string) => string,
  columns: readonly string[],
): Promise<ColumnBatch> {
  const scan = await openScan({ plan, io: lake.io, connection })
  try {
    return await readBatch(connection, sqlOf(scan.sql(columns)))
  } catch (error) {
    throw await scan.blame(error)
  } finally {
    scan.release()
  }
}

function textsOf({ rowCount, columns }: ColumnBatch, name: string): string[] {
  return Array.from({ length: rowCount }, (_, row) => cellOf(columns[name], row) as string)
}
