// What the log had of a table beyond a pinned snapshot, up to where an answer was then: by now mostly in the table too.
import type { PinnedTable } from '../../../contract/receipts.ts'
import { TAIL_TABLES, type TableId, type TailTable } from '../../../contract/tables.ts'
import { emptyBatch, type ColumnBatch } from '../../../contract/columns.ts'
import type { Condition, TableAt } from '../../lake/reads.ts'
import type { OffsetVector } from '../../market/topic-offsets.ts'
import type { FreshRows } from '../../tail/relay-contract.ts'
import { reachedOffsets } from '../hybrid/base.ts'
import { readNewest } from '../hybrid/lake-window.ts'
import { mergeNewest } from '../hybrid/merge-rows.ts'
import type { HybridQuestion } from '../hybrid/question.ts'
import type { QueryTools } from '../tools.ts'
import { furtherOf, rangesBetween, refuseUnlessHeld, rowsIn } from './log-ranges.ts'

/** Which rows are of interest; all when nothing is said. */
export interface LiveNarrowing {
  symbols?: string[]
  exchange?: string
  since_micros?: number
  until_micros?: number
}

export interface PinnedBeyond {
  /** The newest snapshot, which of its rows, and between which offsets they all lie. */
  head: TableAt
  where: string
  filter: readonly Condition[]
  /** Rows that the table has not even now. */
  fresh?: FreshRows
  /** From where on they are the live view's. */
  boundary: OffsetVector
}

/** Of all that is pinned: a million rows take some hundred megabytes. */
export const MOST_BEYOND = 1_000_000

/** From where to where an answer took rows of the live view. */
export function stretchOf(
  boundary: OffsetVector,
  reached: Pick<FreshRows, 'next' | 'holdsFrom' | 'lacking'>,
): Pick<PinnedTable, 'from' | 'to'> {
  return { from: plain(boundary), to: plain(reachedOffsets({ offsets: boundary }, reached)) }
}

const plain = (vector: OffsetVector) => vector.map(topic => ({ ...topic, next: { ...topic.next } }))

/** Nothing where the answer had no rows of the log alone. */
export async function beyondPin(
  { reads, live }: Pick<QueryTools, 'reads' | 'live'>,
  table: TableId,
  { from = [], to = [] }: PinnedTable,
  narrowing: LiveNarrowing,
  signal?: AbortSignal,
): Promise<PinnedBeyond | undefined> {
  const wanted = rangesBetween(from, to)
  if (wanted.length === 0 || !Object.hasOwn(TAIL_TABLES, table)) return undefined
  const { knownOffsets = [], ...head } = await reads.head(table, signal)
  const where = `(${rowsIn(wanted).join(' OR ')})`
  const filter: Condition[] = [
    { column: '_offset', op: '>=', value: Math.min(...wanted.map(one => one.from)) },
    { column: '_offset', op: '<', value: Math.max(...wanted.map(one => one.to)) },
  ]
  const boundary = furtherOf(to, from, knownOffsets)
  const missing = rangesBetween(boundary, to)
  if (missing.length === 0) return { head, where, filter, boundary }
  const client = await live()
  const question = { data_type: table as TailTable, boundary, before: to, ...narrowing, limit: MOST_BEYOND }
  const fresh = await client['tail.fresh'](question, { signal })
  refuseUnlessHeld(fresh, missing)
  return { head, where, filter, boundary, fresh }
}

/** Those rows, the newest in the total order. */
export async function rowsBeyond(
  tools: Pick<QueryTools, 'reads' | 'pool' | 'live'>,
  pin: PinnedTable,
  { table, symbols, exchange, sinceMicros, untilMicros, limit }: HybridQuestion,
  signal?: AbortSignal,
): Promise<ColumnBatch> {
  const { columns } = TAIL_TABLES[table]
  const narrowing = {
    ...(symbols && { symbols: [...symbols] }),
    exchange,
    ...(Number.isFinite(sinceMicros) && { since_micros: sinceMicros }),
    until_micros: untilMicros,
  }
  const beyond = await beyondPin(tools, table, pin, narrowing, signal)
  if (!beyond) return emptyBatch(columns)
  const question = { table, symbols, exchange, sinceMicros, untilMicros, limit }
  const { head, where, filter } = beyond
  const { rows } = await readNewest(tools, head, question, { where, filter, signal })
  if (!beyond.fresh) return rows
  const [first, second] = [rows, beyond.fresh.rows].map(batch => ({ batch, from: 0, to: batch.rowCount }))
  return mergeNewest(columns, first, second, limit).batch
}
