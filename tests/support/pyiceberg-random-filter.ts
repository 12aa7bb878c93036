// Filters over trades as nobody would think of them, near the values that odd rows have.
import fc from 'fast-check'
import { decimalText } from '../../src/contract/columns.ts'
import type { AskedCondition, AskedFilter, AskedValue } from './pyiceberg-filter.ts'

const OPENING = Date.parse('2014-03-10T23:00:00Z')

const moments = fc
  .oneof(
    fc.integer({ min: OPENING - 86_400_000, max: OPENING + 4 * 86_400_000 }),
    fc.constantFrom(-1, 0, 1, -86_400_000, Date.parse('2255-06-05T00:00:00Z')),
  )
  .map(ms => new Date(ms).toISOString().replace('Z', '+00:00'))
const decimals = fc
  .oneof(fc.bigInt({ min: 1n - 10n ** 18n, max: 10n ** 18n - 1n }), fc.bigInt({ min: -2n, max: 2n ** 51n }))
  .map(unscaled => decimalText(unscaled, 8))
const longs = fc
  .oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -2n, max: 3000n }))
  .map(String)
const words = fc.oneof(
  fc.constantFrom('BHP', 'RIO', 'BTCUSDT', 'Zürich AG', '株式会社', 'ASX', 'BINANCE', 'BUY', 'FROM PYTHON', ''),
  fc.string({ unit: 'grapheme', maxLength: 20 }).filter(text => !text.includes('\0')),
)

const COLUMNS: [string[], fc.Arbitrary<AskedValue>][] = [
  [['symbol', 'exchange', 'side', 'message_id', '_topic'], words],
  [['exchange_timestamp', 'ingestion_timestamp'], moments],
  [['price', 'quantity'], decimals],
  [['source_sequence', '_offset'], longs],
  [['_partition'], fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map(String)],
]

const condition: fc.Arbitrary<AskedCondition> = fc.constantFrom(...COLUMNS).chain(([columns, values]) =>
  fc.oneof(
    fc.record({ column: fc.constantFrom(...columns), op: fc.constantFrom('<', '<=', '>', '>=', '='), value: values }),
    fc.record({
      column: fc.constantFrom(...columns),
      op: fc.constant('in'),
      values: fc.array(values, { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ column: fc.constantFrom(...columns), op: fc.constantFrom('is null', 'is not null') }),
  ),
)

export const anyFilter: fc.Arbitrary<AskedFilter> = fc.array(condition, { minLength: 1, maxLength: 3 })
