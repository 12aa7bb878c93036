// What is known of an instrument by its rows of one kind, and of both kinds as it is listed.
import { timestampText } from '../../contract/columns.ts'
import type { AssetClass, TailTable } from '../../contract/tables.ts'

export interface SymbolCount {
  symbol: string
  exchange: string
  assetClass: AssetClass
  /** Exchange times, microseconds since 1970. */
  firstMicros: number
  lastMicros: number
  count: number
}

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

/** Of at least one kind. */
export function symbolRow(
  { trades, quotes }: Partial<Record<TailTable, SymbolCount>>,
  companyName: string | null,
): SymbolRow {
  const both = [trades, quotes].filter(seen => seen !== undefined)
  const [{ symbol, exchange, assetClass }] = both
  return {
    symbol,
    exchange,
    asset_class: assetClass,
    first_seen: timestampText(Math.min(...both.map(({ firstMicros }) => firstMicros))),
    last_seen: timestampText(Math.max(...both.map(({ lastMicros }) => lastMicros))),
    trades: trades?.count ?? 0,
    quotes: quotes?.count ?? 0,
    company_name: companyName,
  }
}
