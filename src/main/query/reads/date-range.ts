// From when to when a table has rows, and how many.
import type { Handlers } from '../../../contract/capability.ts'
import { cellOf } from '../../../contract/columns.ts'
import type { reads as readsContract } from '../../../contract/reads.ts'
import { readBatch } from '../../duck/read-batch.ts'
import { resolveState, type SeenIn, type Then } from '../moments.ts'
import { lakeMeta, type QueryTools } from '../tools.ts'
import { askedRows } from './asked-rows.ts'
import { rowFilter } from './row-filter.ts'

type DateRangeInput = Parameters<Handlers<typeof readsContract>['dates.range']>[0]

const TIME = 'exchange_timestamp'

export function dateRangeHandlers(
  tools: QueryTools,
  seenIn: SeenIn,
): Pick<Handlers<typeof readsContract>, 'dates.range'> {
  return {
    'dates.range'(input, { signal }) {
      const then = input.replay_session === undefined ? undefined : seenIn(input)(input.data_type)
      return readDateRange(tools, input, then, signal)
    },
  }
}

async function readDateRange(
  tools: QueryTools,
  { data_type: table, symbol, exchange, ...asked }: DateRangeInput,
  { past, untilMicros = Infinity }: Then = { past: asked },
  caller: AbortSignal,
) {
  const startedMs = performance.now()
  const { reads, pool } = tools
  const rowsAsked = askedRows(table, { symbol, exchange, order: 'asc' })
  const until = { fromMicros: -Infinity, toMicros: untilMicros }
  const question = { filter: rowFilter(rowsAsked, until), columns: [TIME] }
  const at = await resolveState(reads, table, past, caller)
  return pool.run(async ({ connection, signal }) => {
    const opened = await reads.open(at, question, connection, signal)
    try {
      const sql = `SELECT min(${TIME}) AS first, max(${TIME}) AS last, count(*) AS rows FROM (${opened.sql([TIME])})`
      const { columns } = await readBatch(connection, sql, signal)
      const [first, last] = [columns.first, columns.last].map(column => cellOf(column, 0) as string | null)
      const data = { data_type: table, start_date: dayOf(first), end_date: dayOf(last), first, last }
      const rows = Number(cellOf(columns.rows, 0))
      return { data: { ...data, rows }, query: lakeMeta(tools, { at, files: opened.files, rows, startedMs }) }
    } catch (error) {
      throw await opened.blame(error)
    } finally {
      opened.release()
    }
  }, caller)
}

function dayOf(time: string | null): string | null {
  return time && time.slice(0, 10)
}
