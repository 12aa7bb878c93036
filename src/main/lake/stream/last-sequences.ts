// Where the sequence of every instrument is in each partition of a topic, out of the table: what a gap check goes on from
// after a restart. Looked for in the newest days only; an instrument that was silent for longer begins anew.
import type { DuckDBConnection } from '@duckdb/node-api'
import { cellOf, type ColumnBatch } from '../../../contract/columns.ts'
import type { TableId } from '../../../contract/tables.ts'
import { readBatch } from '../../duck/read-batch.ts'
import type { DayOf } from '../../market/exchanges.ts'
import { isRestart } from '../../market/sequence-restart.ts'
import type { LastSequence } from '../../market/stream-table.ts'
import { headOf } from '../iceberg/metadata.ts'
import { fieldNamed, type Schema } from '../iceberg/schema.ts'
import { decodeValue } from '../iceberg/single-value.ts'
import type { Lake } from '../lake.ts'
import type { Condition } from '../read/filter.ts'
import { planScan, type ScanFile, type ScanPlan } from '../read/plan-scan.ts'
import { openScan } from '../read/scan.ts'

const LOOK_BACK_MICROS = 7 * 86_400_000_000
const READ_PLACED = ['symbol', 'exchange', 'exchange_timestamp', 'source_sequence', '_partition', '_offset']
/** What numbers are held against each other by: no order holds across partitions. */
const INSTRUMENT = '_partition, symbol, exchange'
/** What a source begins anew with. */
const IS_FIRST = 'source_sequence IN (0, 1)'

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
  const found = await readRows(lake, plan, connection, rows => newestDaySql(rows, day), READ_PLACED)
  const last = lastIn(found)
  if (last.some(({ mayHaveRestarted }) => mayHaveRestarted)) {
    const stretches = await readRows(lake, plan, connection, rows => stretchesSql(rows, day), READ_PLACED)
    const reached = followRestarts(stretches)
    for (const one of last) Object.assign(one, reached.get(nameOf(one)))
  }
  return last
    .map(({ partition, symbol, exchange, sequence, exchangeMicros }) => ({
      ...{ partition, symbol, exchange, sequence, exchangeMicros },
    }))
    .sort((a, b) => a.exchangeMicros - b.exchangeMicros)
}

interface Last extends LastSequence {
  /** A 0 or 1 came after a higher number of its day, be it a 0 after a 1. */
  mayHaveRestarted: boolean
}

/** Mostly this is all there is to ask: an instrument that begins with 1 and goes on from there. */
function newestDaySql(rows: string, day: string): string {
  return (
    `SELECT ${INSTRUMENT}, max(source_sequence) AS sequence, arg_max(exchange_timestamp, source_sequence) AS reached_at, ` +
    `coalesce(max(_offset) FILTER (${IS_FIRST}) > min(_offset) FILTER (NOT (${IS_FIRST})), false) ` +
    `OR coalesce(max(_offset) FILTER (source_sequence = 0) > min(_offset) FILTER (source_sequence <> 0), false) AS may_have_restarted ` +
    `FROM (${rows}) GROUP BY ${INSTRUMENT}, ${day} ` +
    `QUALIFY row_number() OVER (PARTITION BY ${INSTRUMENT} ORDER BY max(exchange_timestamp) DESC) = 1`
  )
}

/**
 * Of the newest day of each instrument that may have begun anew, the stretches of its log that begin with a 0 or 1, in the
 * order of the log: whether each of these was a new beginning depends on what was reached before it.
 */
function stretchesSql(rows: string, day: string): string {
  return (
    `WITH rows AS (SELECT *, ${day} AS day FROM (${rows})), ` +
    `last AS (FROM (${newestDaySql('FROM rows', 'day').replace('SELECT ', 'SELECT day, ')}) WHERE may_have_restarted), ` +
    `numbered AS (SELECT rows.*, count(*) FILTER (${IS_FIRST}) OVER ` +
    `(PARTITION BY ${INSTRUMENT} ORDER BY _offset ROWS UNBOUNDED PRECEDING) AS stretch ` +
    `FROM rows SEMI JOIN last USING (${INSTRUMENT}, day)) ` +
    `SELECT ${INSTRUMENT}, max(source_sequence) AS sequence, arg_max(exchange_timestamp, source_sequence) AS reached_at, ` +
    `arg_min(source_sequence, _offset) AS first_sequence, arg_min(exchange_timestamp, _offset) AS begun_at ` +
    `FROM numbered GROUP BY ${INSTRUMENT}, stretch ORDER BY ${INSTRUMENT}, stretch`
  )
}

function lastIn(found: ColumnBatch): Last[] {
  const { may_have_restarted: restarted } = found.columns
  return placesIn(found).map((place, row) => ({ ...place, mayHaveRestarted: Number(restarted.values[row]) === 1 }))
}

/** As the gap check itself judges a 0 or 1: a new beginning if it is later than the highest number, else a late row. */
function followRestarts(stretches: ColumnBatch): Map<string, LastSequence> {
  const { first_sequence: firsts, begun_at: begins } = stretches.columns
  const reached = new Map<string, LastSequence>()
  placesIn(stretches).forEach((place, row) => {
    const name = nameOf(place)
    const before = reached.get(name)
    const first = { sequence: BigInt(firsts.values[row]), exchangeMicros: Number(begins.values[row]) }
    if (!before || isRestart(before, first) || place.sequence > before.sequence) reached.set(name, place)
  })
  return reached
}

function placesIn(found: ColumnBatch): LastSequence[] {
  const [symbol, exchange] = [textsOf(found, 'symbol'), textsOf(found, 'exchange')]
  const { _partition: partitions, sequence, reached_at: reachedAt } = found.columns
  return symbol.map((name, row) => ({
    partition: Number(partitions.values[row]),
    symbol: name,
    exchange: exchange[row],
    sequence: BigInt(sequence.values[row]),
    exchangeMicros: Number(reachedAt.values[row]),
  }))
}

function nameOf({ partition, symbol, exchange }: LastSequence): string {
  return `${partition}\n${exchange}\n${symbol}`
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
