// Wakes whoever waits. Nothing is queued: one who comes late waits for the next ring.
export interface Bell {
  ring(): void
  /** Until the next ring or the abort, whichever comes first; leaves no listener behind. */
  wait(signal: AbortSignal): Promise<void>
  /** How many wait now. */
  waiting(): number
}

export function createBell(): Bell {
  let waiters = new Set<() => void>()
  return {
    ring() {
      const woken = waiters
      waiters = new Set()
      for (const wake of woken) wake()
    },
    wait(signal) {
      return new Promise(resolve => {
        if (signal.aborted) return resolve()
        const wake = () => {
          waiters.delete(wake)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        waiters.add(wake)
        signal.addEventListener('abort', wake)
      })
    },
    waiting: () => waiters.size,
  }
}
