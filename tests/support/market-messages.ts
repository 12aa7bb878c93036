// Trades and quotes as the log carries them, for tests and benchmarks: a row given as data becomes bytes by the product's encoder.
import { SIDES, type AssetClass, type Side, type TailTable } from '../../src/contract/tables.ts'
import type { Produced } from '../../src/main/log/message-log.ts'
import { EMBEDDED_SCHEMA_IDS } from '../../src/main/market/avro-schemas.ts'
import { encodeInstrument, putQuote, putTrade, type EncodedInstrument } from '../../src/main/market/encode.ts'
import { NONE, type LogBatch } from '../../src/main/market/log-batch.ts'
import { createValueBuffer, type ValueBuffer } from '../../src/main/market/value-buffer.ts'

/** Prices and quantities are whole numbers at scale 8; null where there is none. Times are microseconds. */
export interface SampleRow {
  symbol: string
  exchange?: string
  assetClass?: AssetClass
  currency?: string
  id?: number | string
  micros: number
  ingestedMicros?: number
  sequence?: number | null
  price?: number | bigint
  quantity?: number | bigint
  side?: Side
  conditions?: readonly string[] | null
  bid?: number | null
  ask?: number | null
  vendorData?: Readonly<Record<string, string>> | null
  /** When the log took it in; `micros` when left out. */
  logMicros?: number
}

const encoded = new Map<string, EncodedInstrument>()

function instrumentOf({ symbol, exchange = 'ASX', assetClass = 'equities', currency = 'AUD' }: SampleRow) {
  const name = [symbol, exchange, assetClass, currency].join('\n')
  let instrument = encoded.get(name)
  if (!instrument) encoded.set(name, (instrument = encodeInstrument({ symbol, exchange, assetClass, currency })))
  return instrument
}

export function putRow(out: ValueBuffer, dataType: TailTable, row: SampleRow): void {
  const common = {
    ids: [row.id ?? 1],
    exchangeTimestamps: [row.micros],
    ingestionTimestamps: [row.ingestedMicros ?? row.micros],
    sourceSequences: [row.sequence ?? NaN],
    vendorData: [row.vendorData ?? null],
  }
  const { price = 3_618_000_000, quantity = 40_000_000_000, side = 'BUY', conditions = null } = row
  const [bid, ask] = [row.bid === undefined ? 3_618_000_000 : row.bid, row.ask === undefined ? 3_619_000_000 : row.ask]
  const id = EMBEDDED_SCHEMA_IDS[dataType]
  if (dataType === 'trades') {
    const own = { prices: [price], quantities: [quantity], sides: [SIDES.indexOf(side)], conditions: [conditions] }
    putTrade(out, id, instrumentOf(row), { ...common, ...own }, 0)
  } else {
    const bids = { bidPrices: [bid ?? NaN], bidQuantities: [bid === null ? NaN : quantity] }
    const asks = { askPrices: [ask ?? NaN], askQuantities: [ask === null ? NaN : quantity] }
    putQuote(out, id, instrumentOf(row), { ...common, ...bids, ...asks }, 0)
  }
}

/** What a producer would append for these rows. */
export function produced(dataType: TailTable, rows: readonly SampleRow[]): Produced {
  const out = createValueBuffer()
  for (const row of rows) putRow(out, dataType, row)
  return {
    count: rows.length,
    keys: rows.map(({ symbol }) => symbol),
    values: out.bytes.subarray(0, out.length),
    ends: out.ends.slice(0, out.count),
    timestamps: Float64Array.from(rows, ({ logMicros, micros }) => logMicros ?? micros),
  }
}

/** The same as a reader of the log would get them, from one partition. */
export function logBatch(
  dataType: TailTable,
  rows: readonly SampleRow[],
  { topic = `market.equities.${dataType}.asx`, partition = 0, offset = 0 } = {},
): LogBatch {
  return batchOf(produced(dataType, rows), { topic, partition, offset })
}

/** Messages without keys, one after the other. */
export function batchOf(
  { count, values, ends, timestamps }: Omit<Produced, 'keys'>,
  { topic, partition, offset }: { topic: string; partition: number; offset: number },
): LogBatch {
  const nextOffset = offset + count
  return {
    topic,
    partition,
    count,
    nextOffset,
    latest: nextOffset,
    offsets: Float64Array.from({ length: count }, (_, i) => offset + i),
    timestamps: timestamps ?? new Float64Array(count),
    bytes: Buffer.from(values.buffer, values.byteOffset, values.length),
    starts: Int32Array.from({ length: count }, (_, i) => (i === 0 ? 0 : ends[i - 1])),
    ends: Int32Array.from(ends.subarray(0, count)),
    keyStarts: new Int32Array(count).fill(NONE),
    keyEnds: new Int32Array(count).fill(NONE),
  }
}

/** The bytes of one message. */
export function messageOf(dataType: TailTable, row: SampleRow): Buffer {
  return Buffer.from(produced(dataType, [row]).values)
}
