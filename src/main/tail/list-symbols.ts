// Every instrument that the tails have seen since they began, with when and how often.
import type { TailTable } from '../../contract/tables.ts'
import { symbolRow, type SymbolCount, type SymbolRow } from '../market/symbol-count.ts'
import type { Tail } from './tail.ts'

/** By exchange, then symbol. Names of companies come with the reference data, which no tail has. */
export function listSymbols(tails: Record<TailTable, Tail>, exchange?: string): SymbolRow[] {
  const seen = new Map<string, Partial<Record<TailTable, SymbolCount>>>()
  const wanted = exchange?.toUpperCase()
  for (const dataType of Object.keys(tails) as TailTable[])
    for (const symbol of tails[dataType].symbols()) {
      if (wanted && symbol.exchange !== wanted) continue
      const name = `${symbol.exchange}\n${symbol.symbol}`
      seen.set(name, { ...seen.get(name), [dataType]: symbol })
    }
  return [...seen.keys()].sort().map(name => symbolRow(seen.get(name)!, null))
}
