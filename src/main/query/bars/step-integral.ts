// Values that stand until the next one, summed over the time they stood, by window: exact, at microseconds.
import { addExact, type Exact } from './exact.ts'
import type { WindowAt } from './windows.ts'

export interface Integral {
  /** Each value times the microseconds it stood. */
  sums: Exact[]
  /** For how long there were values. */
  micros: number
}

export interface StepIntegral {
  /** From now on these values stand, or none. Moments ascend. */
  step: (micros: number, values: readonly Exact[] | undefined) => void
  /** Ends the last values. */
  finish: (micros: number) => void
  at: (windowStart: number) => Integral | undefined
}

export function createStepIntegral(windowAt: WindowAt): StepIntegral {
  const windows = new Map<number, Integral>()
  let standing: readonly Exact[] | undefined
  let since = 0

  function advance(to: number): void {
    while (standing && since < to) {
      const { start, end } = windowAt(since)
      const until = Math.min(to, end)
      let found = windows.get(start)
      if (!found) windows.set(start, (found = { sums: standing.map(() => 0), micros: 0 }))
      for (let i = 0; i < standing.length; i++)
        found.sums[i] = addExact(found.sums[i], timesExact(standing[i], until - since))
      found.micros += until - since
      since = until
    }
    since = Math.max(since, to)
  }

  return {
    step(micros, values) {
      advance(micros)
      standing = values
    },
    finish: advance,
    at: windowStart => windows.get(windowStart),
  }
}

function timesExact(a: Exact, b: number): Exact {
  if (typeof a === 'number') {
    const product = a * b
    if (Number.isSafeInteger(product)) return product
  }
  return BigInt(a) * BigInt(b)
}
