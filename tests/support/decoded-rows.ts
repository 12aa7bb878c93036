// The rows of a standard batch as JSON clients see them, and for a message that is none what is wrong with it.
import { rowOf, type Row } from '../../src/contract/columns.ts'
import { TABLES } from '../../src/contract/tables.ts'
import { createCursor } from '../../src/main/market/decode-primitives.ts'
import { createRowDecoder } from '../../src/main/market/decode-rows.ts'
import type { SchemaOf } from '../../src/main/market/decode-wire.ts'
import type { Problem, StandardBatch } from '../../src/main/market/standard-batch.ts'
import { tableOfTopic } from '../../src/main/market/topics.ts'

export function decodedRows(batch: StandardBatch, schemaOf?: SchemaOf): (Row | Problem)[] {
  const table = TABLES[tableOfTopic(batch.topic)]
  const names = new Set(table.columns.map(({ name }) => name).filter(name => !name.startsWith('_')))
  const decoder = createRowDecoder(table, names, schemaOf)
  decoder.begin(batch.count)
  const cursor = createCursor(batch.bytes)
  for (let i = 0; i < batch.count; i++)
    if (!batch.problems?.has(i)) decoder.read(Object.assign(cursor, { at: batch.starts[i], end: batch.ends[i] }), i)
  const columns = decoder.columns()
  return Array.from(
    { length: batch.count },
    (_, i) => batch.problems?.get(i) ?? rowOf({ rowCount: batch.count, columns }, i),
  )
}
