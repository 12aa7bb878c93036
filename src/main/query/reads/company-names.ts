// The names of companies, by instrument, as the reference data has them: a company's current row is the one with
// the highest offset; of several companies under one symbol the one that is active, and then the newest, gives its name.
import { cellOf } from '../../../contract/columns.ts'
import { readBatch } from '../../duck/read-batch.ts'
import type { Filter, TableAt } from '../../lake/reads.ts'
import type { QueryTools } from '../tools.ts'
import { instrumentKey } from './table-symbols.ts'

export type CompanyNames = ReadonlyMap<string, string>

const COLUMNS = ['company_id', 'exchange', 'symbol', 'company_name', 'is_active', 'ingestion_timestamp', '_offset']
const NEWEST = '_offset DESC NULLS LAST, ingestion_timestamp DESC'
const TABLE = 'reference_data'

export function companyNames(
  tools: Pick<QueryTools, 'reads' | 'pool'>,
): (signal?: AbortSignal) => Promise<CompanyNames> {
  let known: { snapshotId: string | undefined; names: CompanyNames } = { snapshotId: undefined, names: new Map() }
  return async caller => {
    const at = await tools.reads.at(TABLE, undefined, caller)
    if (at.snapshotId === known.snapshotId) return known.names
    const names = await readNames(tools, at, {}, caller)
    known = { snapshotId: at.snapshotId, names }
    return names
  }
}

/** As they were known at a state of the reference data, of that what was taken in before a time. */
export function readNames(
  { reads, pool }: Pick<QueryTools, 'reads' | 'pool'>,
  at: TableAt,
  { untilMicros = Infinity }: { untilMicros?: number },
  caller?: AbortSignal,
): Promise<CompanyNames> {
  const filter: Filter = Number.isFinite(untilMicros)
    ? [{ column: 'ingestion_timestamp', op: '<', value: untilMicros }]
    : []
  return pool.run(async ({ connection, signal }) => {
    const opened = await reads.open(at, { filter, columns: COLUMNS }, connection, signal)
    try {
      const current = `SELECT * FROM (${opened.sql(COLUMNS)}) QUALIFY row_number() OVER (PARTITION BY company_id ORDER BY ${NEWEST}) = 1`
      const { rowCount, columns } = await readBatch(
        connection,
        `SELECT exchange, symbol, company_name FROM (${current})
         QUALIFY row_number() OVER (PARTITION BY exchange, symbol ORDER BY is_active DESC, ${NEWEST}, company_id) = 1`,
        signal,
      )
      const text = (name: string, row: number) => cellOf(columns[name], row) as string
      return new Map(
        Array.from({ length: rowCount }, (_, row) => [
          instrumentKey({ exchange: text('exchange', row), symbol: text('symbol', row) }),
          text('company_name', row),
        ]),
      )
    } catch (error) {
      throw await opened.blame(error)
    } finally {
      opened.release()
    }
  }, caller)
}
