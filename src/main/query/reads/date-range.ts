// From when to when a table has rows, and how many.
import type { QueryMeta } from '../../../contract/fields.ts'
import { cellOf } from '../../../contract/columns.ts'
import type { TailTable } from '../../../contract/tables.ts'
import { readBatch } from '../../duck/read-batch.ts'
import { resolveState, type PastState } from '../moments.ts'
import { lakeMeta, type QueryTools } from '../tools.ts'
import { askedRows } from './asked-rows.ts'
import { rowFilter, timeRangeOf } from './row-filter.ts'

interface DateRangeInput extends PastState {
  data_type: TailTable
  symbol?: string
  exchange?: string
  /** Rows from here on are not looked at; the guard of replay sessions sets it. */
  end_time?: string
}

export interface DateRange {
  data_type: TailTable
  start_date: string | null
  end_date: string | null
  first: string | null
  last: string | null
  rows: number
}

const TIME = 'exchange_timestamp'

export async function readDateRange(
  tools: QueryTools,
  { data_type: table, symbol, exchange, end_time, ...past }: DateRangeInput,
  caller?: AbortSignal,
): Promise<{ data: DateRange; query: QueryMeta }> {
  const startedMs = performance.now()
  const { reads, pool } = tools
  const asked = askedRows(table, { symbol, exchange, end_time, order: 'asc' })
  const question = { filter: rowFilter(asked, timeRangeOf(asked)), columns: [TIME] }
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
