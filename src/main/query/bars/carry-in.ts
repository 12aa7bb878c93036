// The close that was in force when a range began: what windows before the first trade in it are filled with.
import type { Exact } from './exact.ts'
import { lastBefore } from './last-before.ts'
import { barsOf, joinBars, tradeColumns, type BarsQuestion, type BarsTools, type ReadBars } from './read-bars.ts'
import { windowsOf } from './windows.ts'

export interface CarriedBars extends ReadBars {
  /** In the scale of the bars. */
  before?: Exact
}

export async function carryIn(
  tools: BarsTools,
  found: ReadBars,
  question: BarsQuestion,
  signal?: AbortSignal,
): Promise<CarriedBars> {
  const { at, symbol, exchange, fresh, startMicros, endMicros = Infinity, isOnMarket } = question
  if (startMicros === undefined || startMicros >= endMicros) return found
  const columns = tradeColumns(isOnMarket)
  const last = await lastBefore(tools, { at, symbol, exchange, fresh, columns, endMicros: startMicros }, signal)
  if (!last) return found
  // Joined with the others, so that all have one scale.
  const { bars, ...scales } = joinBars([barsOf([last], windowsOf('1m', 'UTC')), found])
  const [carried, ...own] = bars
  const readFrom = Number(last.columns.exchange_timestamp.values[0])
  return { ...found, ...scales, bars: own, before: carried.close, readFrom }
}
