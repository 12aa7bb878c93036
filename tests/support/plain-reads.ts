// What reads of the tables answer with: one fixed row of everything.
import type { Handlers } from '../../src/contract/capability.ts'
import type { ColumnBatch } from '../../src/contract/columns.ts'
import type { QueryMeta } from '../../src/contract/fields.ts'
import type { reads } from '../../src/contract/reads.ts'
import { quotes, TABLES, trades, type TableSpec } from '../../src/contract/tables.ts'

export function plainReads(
  at: string,
  query: QueryMeta,
  oneRow: (table: TableSpec) => ColumnBatch,
): Handlers<typeof reads> {
  const page = (table: TableSpec, limit: number, fields?: readonly string[]) => {
    const { rowCount, columns } = oneRow(table)
    const named = Object.entries(columns).filter(([name]) => !fields?.length || fields.includes(name))
    const data = { rowCount, columns: Object.fromEntries(named) }
    return { data, query, pagination: { limit, next_cursor: null, has_more: false } }
  }
  const date = at.slice(0, 10)
  return {
    'trades.list': ({ limit }) => page(trades, limit),
    'quotes.list': ({ limit }) => page(quotes, limit),
    'trades.query': ({ limit, fields }) => page(trades, limit, fields),
    'quotes.query': ({ limit, fields }) => page(quotes, limit, fields),
    'snapshots.query': ({ table, limit, fields }) => page(TABLES[table], limit, fields),
    'dates.range': ({ data_type }) => ({
      data: { data_type, start_date: date, end_date: date, first: at, last: at, rows: 1 },
      query,
    }),
  }
}
