// What SQL answers with, whatever is asked.
import type { Handlers } from '../../src/contract/capability.ts'
import type { ColumnBatch } from '../../src/contract/columns.ts'
import type { QueryMeta } from '../../src/contract/fields.ts'
import type { exports } from '../../src/contract/export.ts'
import type { sql } from '../../src/contract/sql.ts'

export function plainSql(query: QueryMeta): Handlers<typeof sql> {
  const data: ColumnBatch = { rowCount: 1, columns: { one: { type: 'int', values: Int32Array.of(1) } } }
  const columns = [{ name: 'one', type: 'INTEGER' }]
  return {
    'sql.run': ({ limit }) => ({ data, query: { ...query, columns }, pagination: { limit, has_more: false } }),
    async *'sql.export'() {
      yield Buffer.from('one\r\n1\r\n')
    },
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
