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
}

/** The newest `limit` windows, oldest first. */
export function fillBars(bars: readonly Bar[], { windowAt, limit, startMicros, endMicros }: FillOptions): FilledBar[] {
  const first = bars.at(0)
  const last = bars.at(-1)
  if (!first || !last) return []
  const from = startMicros === undefined ? first.start : Math.min(startMicros, first.start)
  const to = endMicros === undefined ? last.end : Math.max(endMicros, last.end)
  const filled: FilledBar[] = []
  let next = bars.length - 1
  for (let window = windowAt(to - 1); filled.length < limit; window = windowAt(window.start - 1)) {
    const bar = bars[next]?.start === window.start ? bars[next--] : undefined
    filled.push({ start: window.start, end: window.end, bar, close: bar?.close ?? bars[next]?.close })
    if (window.start <= from) break
  }
  return filled.reverse()
}
