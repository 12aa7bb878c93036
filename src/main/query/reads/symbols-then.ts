// Every instrument as the tables were at a snapshot or a time, or as a replay session sees them: what came later is not
// counted, and a name that was given later is not told.
import type { QueryMeta } from '../../../contract/fields.ts'
import { Failure, isBeforeFirst } from '../../../contract/failure.ts'
import { TAIL_TABLES, type TableId, type TailTable } from '../../../contract/tables.ts'
import type { TableAt } from '../../lake/reads.ts'
import type { SymbolRow } from '../../market/symbol-count.ts'
import { resolveState, type Then } from '../moments.ts'
import { lakeMeta, NO_FILES, sumOfFiles, type QueryTools } from '../tools.ts'
import { readNames } from './company-names.ts'
import { symbolRows } from './symbol-rows.ts'
import { addCounts, countSymbols } from './table-symbols.ts'

const NAMES = 'reference_data'

export async function symbolsThen(
  tools: QueryTools,
  thenOf: (table: TableId) => Then,
  exchange: string | undefined,
  signal: AbortSignal,
): Promise<{ data: SymbolRow[]; query: QueryMeta }> {
  const startedMs = performance.now()
  const tables = Object.keys(TAIL_TABLES) as TailTable[]
  const states = await Promise.allSettled(tables.map(table => stateThen(tools, table, thenOf(table), signal)))
  const failed = states.filter(state => state.status === 'rejected')
  const unexpected =
    failed.find(({ reason }) => !isBeforeFirst(reason)) ?? (failed.length === tables.length && failed[0])
  if (unexpected) throw unexpected.reason
  const parts = await Promise.all(
    states.map(async (state, i) => {
      const table = tables[i]
      // A table that was not there yet has no rows.
      if (state.status === 'rejected') return { table, counts: new Map(), files: NO_FILES }
      const { untilMicros = Infinity } = thenOf(table)
      const { counts, files } = await countSymbols(tools, state.value, { filter: before(untilMicros) }, signal)
      return { table, at: state.value, counts: addCounts(new Map(), counts), files }
    }),
  )
  const names = await namesThen(tools, thenOf(NAMES), signal)
  const data = symbolRows(parts, names, exchange?.toUpperCase())
  const at = parts.find(part => part.at)!.at!
  const rows = data.reduce((sum, { trades, quotes }) => sum + trades + quotes, 0)
  return { data, query: lakeMeta(tools, { at, files: sumOfFiles(parts.map(({ files }) => files)), rows, startedMs }) }
}

function stateThen({ reads }: QueryTools, table: TableId, { past }: Then, signal: AbortSignal): Promise<TableAt> {
  return resolveState(reads, table, past, signal)
}

async function namesThen(tools: QueryTools, then: Then, signal: AbortSignal) {
  try {
    return await readNames(tools, await stateThen(tools, NAMES, then, signal), then, signal)
  } catch (error) {
    if (error instanceof Failure && error.code === 'SNAPSHOT_NOT_FOUND') return new Map<string, string>()
    throw error
  }
}

function before(untilMicros: number) {
  return Number.isFinite(untilMicros) ? [{ column: 'exchange_timestamp', op: '<' as const, value: untilMicros }] : []
}
