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

export const TAIL_TABLES = { trades, quotes } as const
export type TailTable = keyof typeof TAIL_TABLES
