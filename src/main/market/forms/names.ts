// Under which names a message may say its values: those of the columns, and those of the slim form and of K2's CSV files.
import type { ColumnSpec, TableSpec } from '../../../contract/tables.ts'
import { TABLES } from '../../../contract/tables.ts'
import type { DataType } from '../topics.ts'

/** By another name. */
const ALIASES: Record<DataType, Readonly<Record<string, string>>> = {
  trades: { sequence_number: 'source_sequence' },
  quotes: { sequence_number: 'source_sequence', bid_size: 'bid_quantity', ask_size: 'ask_quantity' },
  reference_data: { start_date: 'listing_date', end_date: 'delisting_date' },
}

/** What a message may leave out although every row needs it. */
export const FILLED_IN: ReadonlySet<string> = new Set([
  'message_id',
  'trade_id',
  'quote_id',
  'company_id',
  'exchange',
  'asset_class',
  'currency',
  'is_active',
  'ingestion_timestamp',
])

export interface SlotNames {
  table: TableSpec
  /** By slot. A time has a second one, for milliseconds. */
  names: readonly string[]
  slotOf: ReadonlyMap<string, number>
  /** What has to be there for it to be a row of the table at all: of each of these at least one. */
  needed: readonly (readonly string[])[]
}

export function slotNamesOf(dataType: DataType): SlotNames {
  const table = TABLES[dataType]
  const columns = table.columns.filter(isOfMessage)
  const millis = columns.filter(({ type }) => type === 'timestamp').map(({ name }) => millisOf(name))
  const names = [...columns.map(({ name }) => name), ...millis]
  const slotOf = new Map(names.map((name, slot) => [name, slot]))
  for (const [alias, name] of Object.entries(ALIASES[dataType])) slotOf.set(alias, slotOf.get(name)!)
  const needed = columns
    .filter(({ name, required }) => required && !FILLED_IN.has(name))
    .map(({ name, type }) => (type === 'timestamp' ? [name, millisOf(name)] : [name]))
  // Either side of a quote may be missing, but one that says nothing of either is none.
  if (dataType === 'quotes') needed.push(['bid_price', 'ask_price'])
  return { table, names, slotOf, needed }
}

/** The log's own columns are in no message. */
export function isOfMessage({ name }: ColumnSpec): boolean {
  return !name.startsWith('_')
}

export function millisOf(name: string): string {
  return `${name}_ms`
}
