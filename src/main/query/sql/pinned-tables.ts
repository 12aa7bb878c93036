// A table as a receipt pins it: at a snapshot, and with what the log had beyond it then, which by now is mostly in the table
// too. The statement's own conditions and the hash of its rows say the rest.
import { Failure } from '../../../contract/failure.ts'
import type { PinnedTable } from '../../../contract/receipts.ts'
import { TAIL_TABLES, type TableId, type TailTable } from '../../../contract/tables.ts'
import { quoteText } from '../../duck/quote.ts'
import type { Filter, TableAt } from '../../lake/reads.ts'
import type { OffsetVector } from '../../market/topic-offsets.ts'
import { offsetIn, reachedOffsets } from '../hybrid/base.ts'
import type { QueryTools } from '../tools.ts'
import { liveQuestionOf, type LiveRows } from './live-rows.ts'
import type { PlannedTable } from './plan-tables.ts'

export function pinOf({ at, live, untilMicros }: PlannedTable): PinnedTable {
  const pinned = { snapshot: at.snapshotId ?? null, ...(untilMicros !== undefined && { until_micros: untilMicros }) }
  if (!live?.fresh) return pinned
  const base = { at, offsets: live.boundary, isCertain: !live.mayRepeat }
  return { ...pinned, from: plain(live.boundary), to: plain(reachedOffsets(base, live.fresh)) }
}

const plain = (vector: OffsetVector) => vector.map(topic => ({ ...topic, next: { ...topic.next } }))

/** Rows of the log between the snapshot and where it was: those that the table has by now, and those it has not. */
export interface PinnedBeyond {
  head: TableAt
  /** Which of the head's rows. */
  where: string
  live?: LiveRows
}

export async function beyondPin(
  { reads, live }: Pick<QueryTools, 'reads' | 'live'>,
  table: TableId,
  { from = [], to = [] }: PinnedTable,
  filter: Filter,
  signal: AbortSignal,
): Promise<PinnedBeyond | undefined> {
  const ranges = to.flatMap(topic =>
    Object.entries(topic.next).map(([partition, end]) => ({
      topic,
      partition,
      start: offsetIn(from, topic, partition) ?? 0,
      end,
    })),
  )
  const wanted = ranges.filter(({ start, end }) => start < end)
  if (wanted.length === 0 || !Object.hasOwn(TAIL_TABLES, table)) return undefined
  const { knownOffsets = [], ...head } = await reads.head(table, signal)
  const where = wanted
    .map(({ topic, partition, start, end }) => {
      const of = `_topic = ${quoteText(topic.topic)} AND _partition = ${Number(partition)}`
      return `(${of} AND _offset >= ${Number(start)} AND _offset < ${Number(end)})`
    })
    .join(' OR ')
  const missing = wanted
    .map(one => ({ ...one, start: Math.max(one.start, offsetIn(knownOffsets, one.topic, one.partition) ?? 0) }))
    .filter(({ start, end }) => start < end)
  if (missing.length === 0) return { head, where }

  const tail = table as TailTable
  const columns = TAIL_TABLES[tail].columns.map(({ name }) => name)
  const boundary = to.map(topic => {
    const next = Object.entries(topic.next).map(([partition, end]) => {
      const found = missing.find(one => one.topic === topic && one.partition === partition)
      return [partition, found ? found.start : end] as const
    })
    return { ...topic, next: Object.fromEntries(next) }
  })
  const client = await live()
  const question = { data_type: tail, boundary, before: to, ...liveQuestionOf(filter), limit: MOST_ROWS }
  const fresh = await client['tail.fresh'](question, { signal })
  for (const { topic, partition, start, end } of missing) {
    const first = offsetIn(fresh.holdsFrom, topic, partition) ?? Infinity
    if (first > start || (offsetIn(fresh.next, topic, partition) ?? 0) < end) throw lost()
  }
  return { head, where, live: { at: head, boundary, fresh, columns, mayRepeat: false, ms: 0, why: null } }
}

const MOST_ROWS = 1_000_000

function lost(): Failure {
  const what =
    'Rows of this answer are not in the tables yet, and no longer in memory, so they cannot be given again now.'
  return new Failure('UNAVAILABLE', `${what} Ask again when the writer has come past them; see k2 ingest offsets show.`)
}
