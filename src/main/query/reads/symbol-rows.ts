// Instruments as they are listed: what trades and quotes have of one, in one row.
import { timestampText } from '../../../contract/columns.ts'
import type { AssetClass, TailTable } from '../../../contract/tables.ts'
import type { SymbolCount } from '../../market/symbol-count.ts'
import type { CompanyNames } from './company-names.ts'
import type { SymbolCounts } from './table-symbols.ts'

export interface SymbolRow {
  symbol: string
  exchange: string
  asset_class: AssetClass
  first_seen: string
  last_seen: string
  trades: number
  quotes: number
  company_name: string | null
}

/** By exchange and symbol; of one exchange, in upper case, where it is said. */
export function symbolRows(
  parts: readonly { table: TailTable; counts: SymbolCounts }[],
  names: CompanyNames | undefined,
  wanted: string | undefined,
): SymbolRow[] {
  const seen = new Map<string, Partial<Record<TailTable, SymbolCount>>>()
  for (const { table, counts } of parts)
    for (const [key, one] of counts)
      if (wanted === undefined || one.exchange === wanted) seen.set(key, { ...seen.get(key), [table]: one })
  return [...seen.keys()].sort().map(key => {
    const { trades, quotes } = seen.get(key)!
    const both = [trades, quotes].filter(one => one !== undefined)
    return {
      symbol: both[0].symbol,
      exchange: both[0].exchange,
      asset_class: both[0].assetClass,
      first_seen: timestampText(Math.min(...both.map(({ firstMicros }) => firstMicros))),
      last_seen: timestampText(Math.max(...both.map(({ lastMicros }) => lastMicros))),
      trades: trades?.count ?? 0,
      quotes: quotes?.count ?? 0,
      company_name: names?.get(key) ?? null,
    }
  })
}
