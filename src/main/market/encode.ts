// Trades and quotes as the bytes that go into the log: Avro (see avro-schemas.ts) in Confluent wire format.
//   0 · schema id, u32 big-endian · the record's fields in order; a field that may be null has its branch, 0 or 1, before it
import { ASSET_CLASSES, type AssetClass } from '../../contract/tables.ts'
import {
  clearValues,
  countDigits,
  createValueBuffer,
  endValue,
  putByte,
  putBytes,
  putDecimal,
  putDigits,
  putLong,
  putText,
  putWireHeader,
  reserve,
  type ValueBuffer,
} from './value-buffer.ts'

export interface Instrument {
  symbol: string
  /** Upper case. */
  exchange: string
  assetClass: AssetClass
  currency: string
}

/** An instrument with what every message of it repeats already in bytes. */
export interface EncodedInstrument {
  /** `ASX:` and `:BHP:`, the fixed parts of a message id. */
  idHead: Uint8Array
  idMiddle: Uint8Array
  /** Symbol, exchange and asset class; currency. */
  names: Uint8Array
  currency: Uint8Array
  size: number
}

/** What trades and quotes have in common, row by row. Optional numbers are null where they are NaN. */
interface MessageColumns {
  ids: ArrayLike<number | string>
  /** Microseconds since 1970. */
  exchangeTimestamps: ArrayLike<number>
  ingestionTimestamps: ArrayLike<number>
  sourceSequences: ArrayLike<number>
  platformSequences?: ArrayLike<number>
  vendorData?: ArrayLike<Readonly<Record<string, string>> | null>
}

/** Prices and quantities are whole numbers at scale 8. */
export interface TradeColumns extends MessageColumns {
  prices: ArrayLike<number | bigint>
  quantities: ArrayLike<number | bigint>
  /** Places in SIDES. */
  sides: ArrayLike<number>
  conditions: ArrayLike<readonly string[] | null>
}

export interface QuoteColumns extends MessageColumns {
  bidPrices: ArrayLike<number | bigint>
  bidQuantities: ArrayLike<number | bigint>
  askPrices: ArrayLike<number | bigint>
  askQuantities: ArrayLike<number | bigint>
}

/** More than the numbers, lengths and branches of any record take. */
const NUMBERS_SIZE = 160

export function encodeInstrument({ symbol, exchange, assetClass, currency }: Instrument): EncodedInstrument {
  const idHead = Buffer.from(`${exchange}:`)
  const idMiddle = Buffer.from(`:${symbol}:`)
  const out = createValueBuffer()
  putText(out, symbol)
  putText(out, exchange)
  putLong(out, ASSET_CLASSES.indexOf(assetClass))
  const names = Buffer.from(out.bytes.subarray(0, out.length))
  clearValues(out)
  putText(out, currency)
  const currencyText = Buffer.from(out.bytes.subarray(0, out.length))
  const size = idHead.length + idMiddle.length + names.length + currencyText.length
  return { idHead, idMiddle, names, currency: currencyText, size }
}

export function putTrade(
  out: ValueBuffer,
  schemaId: number,
  instrument: EncodedInstrument,
  columns: TradeColumns,
  row: number,
): void {
  putStart(out, schemaId, instrument, columns, row)
  putDecimal(out, columns.prices[row])
  putDecimal(out, columns.quantities[row])
  putBytes(out, instrument.currency)
  putOptionalLong(out, columns.sides[row])
  putConditions(out, columns.conditions[row])
  putEnd(out, columns, row)
}

export function putQuote(
  out: ValueBuffer,
  schemaId: number,
  instrument: EncodedInstrument,
  columns: QuoteColumns,
  row: number,
): void {
  putStart(out, schemaId, instrument, columns, row)
  putOptionalDecimal(out, columns.bidPrices[row])
  putOptionalDecimal(out, columns.bidQuantities[row])
  putOptionalDecimal(out, columns.askPrices[row])
  putOptionalDecimal(out, columns.askQuantities[row])
  putBytes(out, instrument.currency)
  putEnd(out, columns, row)
}

/** Wire header, message id, id, names, time. The message id is that of messageIdOf. */
function putStart(
  out: ValueBuffer,
  schemaId: number,
  { idHead, idMiddle, names, size }: EncodedInstrument,
  columns: MessageColumns,
  row: number,
): void {
  const id = columns.ids[row]
  const idSize = typeof id === 'number' ? countDigits(id) : Buffer.byteLength(id)
  const micros = columns.exchangeTimestamps[row]
  const millis = Math.floor(micros / 1000)
  reserve(out, NUMBERS_SIZE + size + idSize * 2)
  putWireHeader(out, schemaId)
  putLong(out, idHead.length + countDigits(millis) + idMiddle.length + idSize)
  putBytes(out, idHead)
  putDigits(out, millis)
  putBytes(out, idMiddle)
  putId(out, id)
  putLong(out, idSize)
  putId(out, id)
  putBytes(out, names)
  putLong(out, micros)
}

/** Sequence, ingestion, platform sequence, vendor data. */
function putEnd(out: ValueBuffer, columns: MessageColumns, row: number): void {
  putOptionalLong(out, columns.sourceSequences[row])
  putLong(out, columns.ingestionTimestamps[row])
  putOptionalLong(out, columns.platformSequences?.[row] ?? NaN)
  putVendorData(out, columns.vendorData?.[row] ?? null)
  endValue(out)
}

function putId(out: ValueBuffer, id: number | string): void {
  if (typeof id === 'number') putDigits(out, id)
  else out.length += out.bytes.write(id, out.length)
}

function putOptionalLong(out: ValueBuffer, value: number): void {
  if (Number.isNaN(value)) return putByte(out, 0)
  putByte(out, 2)
  putLong(out, value)
}

function putOptionalDecimal(out: ValueBuffer, unscaled: number | bigint): void {
  if (Number.isNaN(unscaled)) return putByte(out, 0)
  putByte(out, 2)
  putDecimal(out, unscaled)
}

function putConditions(out: ValueBuffer, conditions: readonly string[] | null): void {
  if (conditions === null) return putByte(out, 0)
  putByte(out, 2)
  if (conditions.length > 0) putLong(out, conditions.length)
  for (const condition of conditions) putText(out, condition)
  putBlockEnd(out)
}

function putVendorData(out: ValueBuffer, data: Readonly<Record<string, string>> | null): void {
  if (data === null) return putByte(out, 0)
  const entries = Object.entries(data)
  reserve(out, 12)
  putByte(out, 2)
  if (entries.length > 0) putLong(out, entries.length)
  for (const [key, value] of entries) {
    putText(out, key)
    putText(out, value)
  }
  putBlockEnd(out)
}

/** Ends a list or map, and makes the room again that its texts have used up. */
function putBlockEnd(out: ValueBuffer): void {
  reserve(out, NUMBERS_SIZE)
  putByte(out, 0)
}
