// Instruments as they are listed: what trades and quotes have of one, in one row.
import type { TailTable } from '../../../contract/tables.ts'
import { symbolRow, type SymbolCount, type SymbolRow } from '../../market/symbol-count.ts'
import type { CompanyNames } from './company-names.ts'
import type { SymbolCounts } from './table-symbols.ts'

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
  return [...seen.keys()].sort().map(key => symbolRow(seen.get(key)!, names?.get(key) ?? null))
}
