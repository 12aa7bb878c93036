// What bars and measures are answered with: one fixed row of everything.
import { tradesWithQuotes, type asofContract } from '../../src/contract/asof.ts'
import type { barsContract } from '../../src/contract/bars.ts'
import { bars } from '../../src/contract/bars.ts'
import type { Handlers } from '../../src/contract/capability.ts'
import type { ColumnBatch } from '../../src/contract/columns.ts'
import type { QueryMeta } from '../../src/contract/fields.ts'
import type { TableSpec } from '../../src/contract/tables.ts'

export function plainBars(
  at: string,
  query: QueryMeta,
  oneRow: (table: TableSpec) => ColumnBatch,
): Handlers<typeof barsContract & typeof asofContract> {
  const prices = { open_price: '1.5', high_price: '2', low_price: '1', close_price: '2', volume: '300' }
  return {
    'bars.list': ({ limit }) => ({ data: oneRow(bars), query, pagination: { limit, has_more: false } }),
    'asof.join': ({ limit }) => ({ data: oneRow(tradesWithQuotes), query, pagination: { limit, has_more: false } }),
    'summary.day': ({ symbol, date }) => ({
      data: { symbol, exchange: 'ASX', date, ...prices, trade_count: 2, vwap: '1.66666667' },
      query,
    }),
    'aggregations.run': ({ symbols }) => ({
      data: symbols.map(symbol => ({
        symbol,
        exchange: 'ASX',
        window_start: at,
        window_end: at,
        trade_count: 2,
        vwap: null,
        twap: '1.5',
        ohlcv: prices,
        volume_profile: [{ price: '1.5', volume: '300', trade_count: 2 }],
        spread: {
          quotes: 1,
          two_sided_seconds: 1.5,
          average: '0.01',
          least: '0.01',
          greatest: '0.01',
          mid: '1.505',
          imbalance: -0.25,
        },
      })),
      query,
    }),
  }
}
