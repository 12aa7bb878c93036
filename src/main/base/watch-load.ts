// Looks at the load of this process every second: resident memory against a budget (typed arrays and DuckDB live off the
// heap, so the heap says little) and how far it is behind the log.
import { createLoadLevel, type LoadChange, type LoadLevel } from './load-level.ts'
import { readResidentMb } from './memory.ts'

export interface LoadWatch {
  level: () => LoadLevel
  close: () => void
}

export interface LoadWatchOptions {
  budgetMb: number
  /** Called when the level changes, from the timer. */
  onChange: (change: LoadChange) => void
  /** Messages in the log not read yet, undefined until it was looked at; the last known number stays when it cannot tell. */
  lag?: () => Promise<number | undefined> | number | undefined
  everyMs?: number
  clock?: { nowMs: () => number }
  /** What is weighed; this process unless the caller sums several. */
  residentMb?: () => number
}

/** The timer does not keep the process alive. */
export function watchLoad(options: LoadWatchOptions): LoadWatch {
  const { budgetMb, onChange, lag = () => 0, everyMs = 1000, clock, residentMb = readResidentMb } = options
  const levels = createLoadLevel({ clock, onChange })
  let knownLag: number | undefined
  let isLooking = false
  let closed = false

  async function look(): Promise<void> {
    if (isLooking) return
    isLooking = true
    try {
      knownLag = (await lag()) ?? knownLag
    } catch {
      // The log cannot say just now. Memory still counts.
    }
    isLooking = false
    if (!closed) levels.update({ lag: knownLag, memoryShare: residentMb() / budgetMb })
  }
  const timer = setInterval(() => void look(), everyMs)
  timer.unref()
  return {
    level: levels.level,
    close() {
      closed = true
      clearInterval(timer)
    },
  }
}
