// Windows without trades, put in between those that have some.
import type { Bar } from './add-bars.ts'
import type { Exact } from './exact.ts'
import type { Window, WindowAt } from './windows.ts'

/** A window with trades or without; prices are missing where there is none to be told. */
export interface FilledBar extends Window {
  bar: Bar | undefined
  close: Exact | undefined
}

export interface FillOptions {
  windowAt: WindowAt
  limit: number
  /** From where on, and up to where, windows are told also before the first trade and after the last one. */
  startMicros?: number
  endMicros?: number
  /** The close that was in force at the start. */
  before?: Exact
}

/** The newest `limit` windows, oldest first. */
export function fillBars(bars: readonly Bar[], options: FillOptions): FilledBar[] {
  const { windowAt, limit, startMicros, endMicros, before } = options
  if (bars.length === 0 && before === undefined) return []
  const from = Math.min(startMicros ?? Infinity, bars.at(0)?.start ?? Infinity)
  const to = Math.max(endMicros ?? -Infinity, bars.at(-1)?.end ?? -Infinity)
  if (from >= to) return []
  const filled: FilledBar[] = []
  let next = bars.length - 1
  for (let window = windowAt(to - 1); filled.length < limit; window = windowAt(window.start - 1)) {
    const bar = bars[next]?.start === window.start ? bars[next--] : undefined
    filled.push({ start: window.start, end: window.end, bar, close: bar?.close ?? bars[next]?.close ?? before })
    if (window.start <= from) break
  }
  return filled.reverse()
}
