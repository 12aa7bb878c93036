// Every instrument that the tails have seen since they began, with when and how often.
import { timestampText } from '../../contract/columns.ts'
import type { AssetClass, TailTable } from '../../contract/tables.ts'
import type { Tail } from './tail.ts'
import type { SymbolCount } from '../market/symbol-count.ts'

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

/** By exchange, then symbol. Names of companies come with the reference data, which no tail has. */
export function listSymbols(tails: Record<TailTable, Tail>, exchange?: string): SymbolRow[] {
  const seen = new Map<string, { trades?: SymbolCount; quotes?: SymbolCount }>()
  const wanted = exchange?.toUpperCase()
  for (const dataType of Object.keys(tails) as TailTable[])
    for (const symbol of tails[dataType].symbols()) {
      if (wanted && symbol.exchange !== wanted) continue
      const name = `${symbol.exchange}\n${symbol.symbol}`
      seen.set(name, { ...seen.get(name), [dataType]: symbol })
    }
  return [...seen.keys()].sort().map(name => rowOf(seen.get(name)!))
}

function rowOf({ trades, quotes }: { trades?: SymbolCount; quotes?: SymbolCount }): SymbolRow {
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
    company_name: null,
  }
}
