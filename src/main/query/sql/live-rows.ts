// What the log has of a table beyond its newest snapshot, for one statement: the snapshot and the position of the live view
// are taken together, so that no row is missing in between and none comes twice.
import type { DuckDBConnection } from '@duckdb/node-api'
import type { ColumnBatch } from '../../../contract/columns.ts'
import { TAIL_TABLES, type TailTable } from '../../../contract/tables.ts'
import { COLUMN_TYPES } from '../../duck/column-types.ts'
import { insertBatch } from '../../duck/insert-batch.ts'
import { quoteName, quoteText } from '../../duck/quote.ts'
import type { Filter, TableAt, TableHead } from '../../lake/reads.ts'
import type { OffsetVector } from '../../market/topic-offsets.ts'
import type { FreshRows } from '../../tail/relay-contract.ts'
import { askLive, whyLiveIsAway, whyLiveIsPartial } from '../ask-live.ts'
import type { LiveNarrowing } from '../receipts/beyond-pin.ts'
import type { QueryTools } from '../tools.ts'

export interface LiveQuestion {
  table: TailTable
  filter: Filter
  columns: readonly string[]
}

export interface LiveRows {
  /** The snapshot that they go on from. */
  at: TableAt
  /** From where on they are the live view's. */
  boundary: OffsetVector
  /** Nothing where the live view is away. */
  fresh: FreshRows | undefined
  columns: readonly string[]
  /** Whether rows may be in the table too, so that those must be left out. */
  mayRepeat: boolean
  ms: number
  /** Why something may be missing. */
  why: string | null
}

/** Of a table. About 100 MB where few columns are read, and where all are. */
const MOST_ROWS = { few: 1_000_000, all: 300_000 }
const FEW = 10
/** A snapshot that came meanwhile may have what the live view no longer has. */
const MOST_TRIES = 3

export async function readLiveRows(
  tools: Pick<QueryTools, 'reads' | 'live' | 'liveMs'>,
  { table, filter, columns: wanted }: LiveQuestion,
  signal: AbortSignal,
): Promise<LiveRows> {
  const startedMs = performance.now()
  const mostRows = wanted.length > FEW ? MOST_ROWS.all : MOST_ROWS.few
  for (let tries = 1; ; tries++) {
    const head = await tools.reads.head(table, signal)
    const { at, boundary } = groundOf(head)
    const columns = head.isCertain ? wanted : [...new Set([...wanted, ...PLACE])]
    const found = { at, boundary, columns, mayRepeat: !head.isCertain }
    const ended = (fresh: FreshRows | undefined, why: string | null): LiveRows => {
      return { ...found, fresh, why, ms: Number((performance.now() - startedMs).toFixed(3)) }
    }
    try {
      const question = { data_type: table, boundary, columns: [...columns], ...liveQuestionOf(filter), limit: mostRows }
      const fresh = await askLive(tools, question, signal)
      if (fresh.lacking.length > 0 && tries < MOST_TRIES && (await hasMovedOn(tools.reads, at, signal))) continue
      return ended(fresh, whyPartial(table, fresh, mostRows))
    } catch (error) {
      return ended(undefined, whyLiveIsAway(error, signal))
    }
  }
}

/** Without the head itself, which holds on to all that is known of the table. */
function groundOf({ table, snapshotId, committedMicros, validThroughMicros, offsets, knownOffsets = [] }: TableHead) {
  return { at: { table, snapshotId, committedMicros, validThroughMicros, offsets }, boundary: knownOffsets }
}

async function hasMovedOn(reads: QueryTools['reads'], at: TableAt, signal: AbortSignal): Promise<boolean> {
  return (await reads.at(at.table, undefined, signal)).snapshotId !== at.snapshotId
}

function whyPartial(table: TailTable, fresh: FreshRows, mostRows: number): string | null {
  const why = whyLiveIsPartial(fresh)
  if (why !== null || fresh.rows.rowCount < mostRows) return why
  return `Only the newest ${mostRows} ${table} that are not in the tables yet were taken; narrow the symbols or the time.`
}

/** What the statement's own conditions leave of the live view's rows; it applies them itself once more. */
export function liveQuestionOf(filter: Filter): LiveNarrowing {
  const asked: LiveNarrowing = {}
  for (const condition of filter) {
    const { column, op } = condition
    if ('values' in condition) {
      if (column === 'symbol') asked.symbols = narrowed(asked.symbols, condition.values.map(String))
    } else if ('value' in condition) {
      const { value } = condition
      if (column === 'symbol' && op === '=') asked.symbols = narrowed(asked.symbols, [String(value)])
      if (column === 'exchange' && op === '=') asked.exchange ??= String(value)
      if (column !== 'exchange_timestamp') continue
      const micros = Number(value)
      if (op === '>=' || op === '>' || op === '=')
        asked.since_micros = Math.max(asked.since_micros ?? -Infinity, op === '>' ? micros + 1 : micros)
      if (op === '<' || op === '<=' || op === '=')
        asked.until_micros = Math.min(asked.until_micros ?? Infinity, op === '<' ? micros : micros + 1)
    }
  }
  return asked
}

function narrowed(symbols: string[] | undefined, to: string[]): string[] {
  return symbols?.filter(symbol => to.includes(symbol)) ?? to
}

/** What tells that a row of the table and one of the live view are the same. */
const PLACE = ['_topic', '_partition', '_offset', 'exchange_timestamp', 'message_id']

/** The table's rows and those of the live view as one SELECT; these are copied into the statement's own DuckDB. */
export async function joinLiveRows(
  connection: DuckDBConnection,
  files: string,
  { at: { table }, fresh, columns, mayRepeat }: LiveRows,
): Promise<string> {
  if (!fresh || fresh.rows.rowCount === 0) return files
  const name = `k2_live_${table}`
  const specs = TAIL_TABLES[table as TailTable].columns
  const held = specs.filter(spec => columns.includes(spec.name))
  const types = held.map(spec => `${quoteName(spec.name)} ${COLUMN_TYPES[spec.type]}`)
  await connection.run(`CREATE TABLE main.${name} (${types.join(', ')})`)
  await insertBatch(
    connection,
    name,
    pick(
      fresh.rows,
      held.map(spec => spec.name),
    ),
  )
  const own = specs.map(spec => {
    const [column, type] = [quoteName(spec.name), COLUMN_TYPES[spec.type]]
    // DuckDB leaves out what is not read. What was not fetched and is read must not pass for nothing.
    return columns.includes(spec.name) ? column : `error(${quoteText(NOT_FETCHED)})::${type} AS ${column}`
  })
  const rows = mayRepeat ? leaveOutKnown(files, `main.${name}`) : files
  // Where no column is read DuckDB reads the first one.
  const all = `SELECT TRUE AS ${ANY}, * FROM (${rows}) UNION ALL BY NAME SELECT TRUE AS ${ANY}, ${own.join(', ')} FROM main.${name}`
  return `SELECT * EXCLUDE (${ANY}) FROM (${all})`
}

const ANY = 'k2_any'
const NOT_FETCHED = 'k2: a column of the live view was not fetched'

/** Does `work`, and once more with all columns where it has read one that it did not seem to need. */
export async function withColumns<T>(work: (wantsAllColumns: boolean) => Promise<T>): Promise<T> {
  try {
    return await work(false)
  } catch (error) {
    if (!(error instanceof Error && error.message.includes(NOT_FETCHED))) throw error
    return work(true)
  }
}

/** By their place in the log, with its time, as the same offset of a topic made anew is another message; or by message id. */
function leaveOutKnown(files: string, live: string): string {
  const place = ['_topic', '_partition', '_offset', 'exchange_timestamp'].map(name => `f.${name} = l.${name}`)
  const hasNoPlace = 'f._topic IS NULL OR f._partition IS NULL OR f._offset IS NULL'
  const id = `CASE WHEN ${hasNoPlace} THEN f.message_id END = m.message_id`
  return `SELECT f.* FROM (${files}) f ANTI JOIN ${live} l ON ${place.join(' AND ')} ANTI JOIN ${live} m ON ${id}`
}

function pick({ rowCount, columns }: ColumnBatch, names: readonly string[]): ColumnBatch {
  return { rowCount, columns: Object.fromEntries(names.map(name => [name, columns[name]])) }
}
