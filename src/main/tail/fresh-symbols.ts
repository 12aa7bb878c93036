// Which instruments the live view has rows of that a table lacks, and how many. Straight through the part of the ring
// that holds them, without an order and without rows: measured, a million rows take some ten milliseconds.
import type { OffsetVector } from '../market/topic-offsets.ts'
import { isOfPart } from './recent.ts'
import { findSegment } from './ring.ts'
import { findLacking, partOf, type Lacking, type TailPosition } from './rows-from.ts'
import { rowAt } from './segment.ts'
import type { Store } from './store.ts'
import type { SymbolCount } from '../market/symbol-count.ts'

export interface FreshSymbols {
  symbols: readonly SymbolCount[]
  /** Messages from the boundary on that it does not hold. */
  lacking: readonly Lacking[]
}

/** Of the rows from these offsets on; a partition that the boundary does not name is counted whole. */
export function countFresh(store: Store, boundary: OffsetVector, pin: TailPosition): FreshSymbols {
  const { ring, instruments } = store
  const part = partOf(store, boundary, pin)
  const seen: { firstMicros: number; lastMicros: number; count: number }[] = []
  let segment = findSegment(ring, part.from)
  for (let position = part.from; position < part.to; position++) {
    while (position >= segment.first + segment.count) segment = segment.newer!
    const at = rowAt(segment, position)
    if (!isOfPart(part, segment, at)) continue
    const micros = segment.exchangeTimes[at]
    const one = (seen[segment.instruments[2 * at]] ??= { firstMicros: micros, lastMicros: micros, count: 0 })
    if (micros < one.firstMicros) one.firstMicros = micros
    if (micros > one.lastMicros) one.lastMicros = micros
    one.count++
  }
  const symbols = instruments.all.flatMap(({ code, symbol, exchange, assetClass }) =>
    code in seen ? [{ symbol, exchange, assetClass, ...seen[code] }] : [],
  )
  return { symbols, lacking: findLacking(store, boundary, pin) }
}
