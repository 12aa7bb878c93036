// The tables that a statement reads, each at its state: as they are now, with what the log has beyond them; as they were at
// a snapshot or a moment; or as a replay session sees them.
import type { DuckDBConnection } from '@duckdb/node-api'
import { Failure } from '../../../contract/failure.ts'
import type { PastState } from '../../../contract/fields.ts'
import type { PinnedTable } from '../../../contract/receipts.ts'
import { TAIL_TABLES, type TableId, type TailTable } from '../../../contract/tables.ts'
import type { Condition, Filter, TableAt } from '../../lake/reads.ts'
import { choiceOf, neverWritten, orNothing, resolveState, type SeenIn } from '../moments.ts'
import { beyondPin, type PinnedBeyond } from '../receipts/beyond-pin.ts'
import { timeColumnOf } from '../reads/row-order.ts'
import type { QueryTools } from '../tools.ts'
import type { Param } from './bind-params.ts'
import type { FoundTable } from './check-statement.ts'
import { liveQuestionOf, readLiveRows, type LiveRows } from './live-rows.ts'
import { neededColumns } from './needed-columns.ts'
import type { Parsed } from './parse-sql.ts'
import { filterOf } from './push-down.ts'
import { refuse } from './refuse.ts'
import { placeOf } from './sql-tree.ts'
import { statesOf } from './states.ts'
import type { Rewritten } from './time-travel.ts'

export interface SqlState extends PastState {
  /** With what the log has beyond the tables; that is so where nothing says otherwise. */
  live?: boolean
  replay_session?: string
  /** By what the statement calls the tables, as a receipt says. */
  pinned?: Readonly<Record<string, PinnedTable>>
}

export interface PlanTools extends Pick<QueryTools, 'reads' | 'live'> {
  seenIn: SeenIn
}

export interface PlannedTable {
  /** What the statement calls it. */
  name: string
  at: TableAt
  filter: Filter
  live?: LiveRows
  /** In a replay session: nothing from here on. */
  untilMicros?: number
  /** Of a receipt. */
  beyond?: PinnedBeyond
}

export interface PlanQuestion {
  parsed: Parsed
  params: readonly Param[]
  state: SqlState
  rewritten: Rewritten
  /** Fetch all columns of the live view, whatever the statement seems to need. */
  wantsAllColumns: boolean
  /** Of the pool: it says what a text is as a time. */
  connection: DuckDBConnection
  signal: AbortSignal
}

export async function planTables(tools: PlanTools, question: PlanQuestion): Promise<PlannedTable[]> {
  const { parsed, params, state, rewritten, connection, signal } = question
  const { travelled, others } = rewritten
  const pushed = { tree: parsed.tree, params, connection }
  const filterFor = async (refs: readonly FoundTable[]) => (refs.length === 1 ? filterOf(refs[0], pushed) : [])
  const tables = [...new Set(others.map(({ table }) => table))].map(table => {
    return { table, refs: others.filter(other => other.table === table) }
  })
  if (state.pinned) {
    const all = [...tables.map(({ table, refs }) => ({ name: table, table, refs })), ...travelled]
    return Promise.all(all.map(one => planPinned(tools, one, question, filterFor)))
  }
  if (state.replay_session !== undefined) {
    if (travelled.length > 0)
      throw refuse('The session says which state of the tables is read; leave out AT', {
        sql: parsed.sql,
        at: placeOf(travelled[0].refs[0].ref),
      })
    const see = tools.seenIn(state)
    return Promise.all(
      tables.map(async ({ table, refs }) => {
        const { past, untilMicros } = see(table)
        const at = await orNothing(table, resolveState(tools.reads, table, past, signal))
        return { name: table, at, filter: [...(await filterFor(refs)), ...before(table, untilMicros)], untilMicros }
      }),
    )
  }

  const choice = choiceIn(state)
  const isLive = (table: TableId): table is TailTable => choice === 'live' && Object.hasOwn(TAIL_TABLES, table)
  const still = tables.map(({ table }) => table).filter(table => !isLive(table))
  const states = await statesOf(tools.reads, still, typeof choice === 'string' ? undefined : choice, signal)
  const planned = tables.map(async ({ table, refs }): Promise<PlannedTable> => {
    const filter = await filterFor(refs)
    if (!isLive(table)) return { name: table, at: states.get(table)!, filter }
    const all = TAIL_TABLES[table].columns.map(({ name }) => name)
    const columns = question.wantsAllColumns ? all : neededColumns(parsed.tree, table, refs)
    const live = await readLiveRows(tools, { table, filter, columns }, signal)
    return { name: table, at: live.at, filter, live }
  })
  const then = travelled.map(async ({ name, table, choice, refs }): Promise<PlannedTable> => {
    return { name, at: await tools.reads.at(table, choice, signal), filter: await filterFor(refs) }
  })
  return Promise.all([...planned, ...then])
}

async function planPinned(
  tools: PlanTools,
  { name, table, refs }: { name: string; table: TableId; refs: readonly FoundTable[] },
  { state, signal }: PlanQuestion,
  filterFor: (refs: readonly FoundTable[]) => Promise<Filter>,
): Promise<PlannedTable> {
  const pinned = Object.hasOwn(state.pinned!, name) ? state.pinned![name] : undefined
  if (!pinned)
    throw new Failure('INVALID_INPUT', `The receipt does not say the state of ${name}; give it as it was given.`)
  const { snapshot, until_micros: until } = pinned
  const filter = [...(await filterFor(refs)), ...before(table, until)]
  const at = snapshot === null ? neverWritten(table) : await tools.reads.at(table, { snapshotId: snapshot }, signal)
  return { name, at, filter, beyond: await beyondPin(tools, table, pinned, liveQuestionOf(filter), signal) }
}

function before(table: TableId, micros: number | undefined): Condition[] {
  return micros === undefined ? [] : [{ column: timeColumnOf(table), op: '<', value: micros }]
}

/** `current` is the newest state of the tables alone, as is `live: false`. */
function choiceIn(state: SqlState): 'live' | 'current' | NonNullable<ReturnType<typeof choiceOf>> {
  const isCurrent = state.snapshot_id === CURRENT && state.as_of === undefined
  const choice = isCurrent ? undefined : choiceOf(state)
  if (state.live && (choice || isCurrent))
    throw new Failure('INVALID_INPUT', 'live is of the tables as they are now: leave out snapshot_id and as_of.')
  return choice ?? (isCurrent || state.live === false ? 'current' : 'live')
}

const CURRENT = 'current'
