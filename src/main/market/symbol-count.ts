// What is known of an instrument by its rows of one kind.
import type { AssetClass } from '../../contract/tables.ts'

export interface SymbolCount {
  symbol: string
  exchange: string
  assetClass: AssetClass
  /** Exchange times, microseconds since 1970. */
  firstMicros: number
  lastMicros: number
  count: number
}
