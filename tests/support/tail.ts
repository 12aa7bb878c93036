// A tail with a clock that stands still until it is set, for tests.
import { onTestFinished } from 'vitest'
import { rowsOf, type ColumnBatch } from '../../src/contract/columns.ts'
import type { Clock } from '../../src/main/base/clock.ts'
import { createTail, type Tail, type TailOptions } from '../../src/main/tail/tail.ts'

/** 2026-11-21 10:00:00 UTC. */
export const START = Date.UTC(2026, 10, 21, 10) * 1000
export const SECOND = 1e6
export const MINUTE = 60 * SECOND

export interface ManualClock extends Clock {
  micros: number
}

export function manualClock(micros = START): ManualClock {
  const clock: ManualClock = { micros, nowMicros: () => clock.micros, nowMs: () => Math.floor(clock.micros / 1000) }
  return clock
}

export function openTail(options: Partial<TailOptions> = {}): Tail {
  const tail = createTail({ dataType: 'trades', minutes: 5, maxPerSymbol: 10_000, maxMegabytes: 16, ...options })
  onTestFinished(() => tail.close())
  return tail
}

/** The ids of the rows, which tests number as they make them. */
export function idsOf(batch: ColumnBatch): number[] {
  return rowsOf(batch).map(row => Number(row.trade_id ?? row.quote_id))
}
