// The tables, their columns and their types, declared once. Iceberg schema, Avro records, tail columns, JSON rows,
// OpenAPI and the grid are functions of this. Order and names are the product's public surface.

export type ColumnType =
  'string' | 'enum' | 'timestamp' | 'decimal' | 'long' | 'int' | 'boolean' | 'date' | 'list' | 'map' | 'bytes'

export interface ColumnSpec {
  name: string
  type: ColumnType
  required: boolean
  about: string
  /** The values of an enum. */
  values?: readonly string[]
}

export interface TableSpec {
  name: string
  columns: readonly ColumnSpec[]
  /** Rows may have some of the columns only. */
  mayLack?: boolean
}

export const ASSET_CLASSES = ['equities', 'crypto', 'futures', 'options'] as const
export const SIDES = ['BUY', 'SELL', 'SELL_SHORT', 'UNKNOWN'] as const
export type AssetClass = (typeof ASSET_CLASSES)[number]
export type Side = (typeof SIDES)[number]

const required = (name: string, type: ColumnType, about: string, values?: readonly string[]): ColumnSpec => ({
  name,
  type,
  required: true,
  about,
  ...(values && { values }),
})
const optional = (name: string, type: ColumnType, about: string, values?: readonly string[]): ColumnSpec => ({
  ...required(name, type, about, values),
  required: false,
})

const instrument = [
  required('symbol', 'string', 'Instrument, as the exchange names it'),
  required('exchange', 'string', 'Exchange, upper case'),
  required('asset_class', 'enum', 'Asset class', ASSET_CLASSES),
]
const logPlace = [
  optional('_topic', 'string', 'Topic the row came from'),
  optional('_partition', 'int', 'Partition it came from'),
  optional('_offset', 'long', 'Its offset in that partition'),
]
const ingestion = required(
  'ingestion_timestamp',
  'timestamp',
  "When it was taken in: the producer's time, else the log's",
)
const vendorData = optional('vendor_data', 'map', 'What the source said beyond these columns')

export const trades: TableSpec = {
  name: 'trades',
  columns: [
    required('message_id', 'string', 'exchange:timestamp_ms:symbol:trade_id'),
    required('trade_id', 'string', "The exchange's id of the trade"),
    ...instrument,
    required('exchange_timestamp', 'timestamp', 'When it traded, by the exchange'),
    required('price', 'decimal', 'Price, exact'),
    required('quantity', 'decimal', 'Quantity, exact'),
    required('currency', 'string', 'Currency of the price'),
    optional('side', 'enum', 'Side of the aggressor', SIDES),
    optional('trade_conditions', 'list', 'Condition codes'),
    optional('source_sequence', 'long', "The source's sequence number"),
    ingestion,
    optional('platform_sequence', 'long', 'Sequence number given on the way'),
    vendorData,
    ...logPlace,
  ],
}

export const quotes: TableSpec = {
  name: 'quotes',
  columns: [
    required('message_id', 'string', 'exchange:timestamp_ms:symbol:quote_id'),
    required('quote_id', 'string', "The exchange's id of the quote"),
    ...instrument,
    required('exchange_timestamp', 'timestamp', 'When it was quoted, by the exchange'),
    optional('bid_price', 'decimal', 'Best bid; null when there is none'),
    optional('bid_quantity', 'decimal', 'Quantity at the best bid'),
    optional('ask_price', 'decimal', 'Best ask; null when there is none'),
    optional('ask_quantity', 'decimal', 'Quantity at the best ask'),
    required('currency', 'string', 'Currency of the prices'),
    optional('source_sequence', 'long', "The source's sequence number"),
    ingestion,
    optional('platform_sequence', 'long', 'Sequence number given on the way'),
    vendorData,
    ...logPlace,
  ],
}

export const referenceData: TableSpec = {
  name: 'reference_data',
  columns: [
    required('message_id', 'string', 'What identifies the message it came with'),
    required('company_id', 'string', "The source's id of the company; its newest row is the current one"),
    ...instrument,
    required('company_name', 'string', 'Name of the company'),
    optional('isin', 'string', 'International securities identification number'),
    optional('currency', 'string', 'Currency it trades in'),
    optional('listing_date', 'date', 'First day it was listed'),
    optional('delisting_date', 'date', 'Last day it was listed'),
    required('is_active', 'boolean', 'False after a tombstone'),
    ingestion,
    vendorData,
    ...logPlace,
  ],
}

export const sequenceGaps: TableSpec = {
  name: 'sequence_gaps',
  columns: [
    required('detected_at', 'timestamp', 'When it was noticed'),
    required('symbol', 'string', 'Instrument'),
    required('exchange', 'string', 'Exchange'),
    required('asset_class', 'enum', 'Asset class', ASSET_CLASSES),
    required('data_type', 'string', 'trades or quotes'),
    required('expected_sequence', 'long', 'The number that was due'),
    required('received_sequence', 'long', 'The number that came'),
    required('gap_size', 'long', 'How many are missing: received less expected'),
    required('severity', 'string', 'How bad it is'),
    ...logPlace,
  ],
}

export const deadLetters: TableSpec = {
  name: 'dead_letters',
  columns: [
    required('detected_at', 'timestamp', 'When it was noticed'),
    required('topic', 'string', 'Topic of the message'),
    required('partition', 'int', 'Its partition'),
    required('offset', 'long', 'Its offset'),
    optional('key', 'bytes', 'Its key'),
    optional('bytes', 'bytes', 'The message itself'),
    required('reason', 'string', 'What is wrong with it, in one word'),
    required('error', 'string', 'What is wrong with it'),
  ],
}

/** The tables of namespace `market_data`. */
export const TABLES = {
  trades,
  quotes,
  reference_data: referenceData,
  sequence_gaps: sequenceGaps,
  dead_letters: deadLetters,
} as const
export type TableId = keyof typeof TABLES

export const TAIL_TABLES = { trades, quotes } as const
export type TailTable = keyof typeof TAIL_TABLES
