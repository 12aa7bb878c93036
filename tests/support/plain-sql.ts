// What SQL answers with, whatever is asked.
import type { Handlers } from '../../src/contract/capability.ts'
import type { ColumnBatch } from '../../src/contract/columns.ts'
import type { QueryMeta } from '../../src/contract/fields.ts'
import type { exports } from '../../src/contract/export.ts'
import type { results } from '../../src/contract/results.ts'
import type { sql } from '../../src/contract/sql.ts'

export function plainSql(query: QueryMeta): Handlers<typeof sql & typeof results> {
  const data: ColumnBatch = { rowCount: 1, columns: { one: { type: 'int', values: Int32Array.of(1) } } }
  const columns = [{ name: 'one', type: 'INTEGER' }]
  return {
    'sql.run': ({ limit }) => ({ data, query: { ...query, columns }, pagination: { limit, has_more: false } }),
    'sql.export': oneRow,
    'results.open': () => ({
      result: '00000000-0000-4000-8000-000000000000',
      row_count: 1,
      columns: [{ name: 'one', type: 'int' }],
      is_truncated: false,
      advice: null,
      query: { ...query, columns },
    }),
    'results.window': ({ first }) => ({ rows: data, first, row_count: 1 }),
    'results.export': oneRow,
    'results.close': ({ result }) => ({ result, closed: true }),
  }
}

async function* oneRow() {
  yield Buffer.from('one\r\n1\r\n')
}

export const plainFiles: Handlers<typeof exports> = {
  'trades.export': oneRow,
  'quotes.export': oneRow,
  'snapshots.export': oneRow,
}
