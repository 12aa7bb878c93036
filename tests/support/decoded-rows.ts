// The rows of a standard batch as JSON clients see them, and for a message that is none what is wrong with it.
import { rowOf, type Row } from '../../src/contract/columns.ts'
import { TABLES } from '../../src/contract/tables.ts'
import { createCursor } from '../../src/main/market/decode-primitives.ts'
import { createRowDecoder } from '../../src/main/market/decode-rows.ts'
import type { SchemaOf } from '../../src/main/market/decode-wire.ts'
import type { Problem, StandardBatch } from '../../src/main/market/standard-batch.ts'
import { createStandardizer, noRegistry, type Schemas } from '../../src/main/market/standardize.ts'
import { tableOfTopic } from '../../src/main/market/topics.ts'
import { messageBatch, type MessageBatchOptions } from './message-batch.ts'

/** When the log took every message in, unless a test says otherwise. */
export const LOG_MICROS = 1_500_000_000_000_001
export const topics = {
  trades: 'market.equities.trades.asx',
  quotes: 'market.equities.quotes.asx',
  reference_data: 'market.equities.reference_data.asx',
} as const

/** Messages as whoever reads standard batches gets them; of trades unless the options say otherwise. */
export async function standardizedRows(
  values: readonly (Uint8Array | string | null)[],
  options: Partial<MessageBatchOptions> = {},
  schemas: Schemas = noRegistry,
): Promise<(Row | Problem)[]> {
  const place = { topic: topics.trades, partition: 3, offset: 100, logMicros: LOG_MICROS }
  const standard = await createStandardizer({ schemas })(messageBatch(values, { ...place, ...options }))
  return decodedRows(standard, schemas.schemaOf)
}

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
