// So many requests a minute for each caller, counted in windows of a minute that begin with a caller's first request.

export interface Allowance {
  limit: number
  remaining: number
  /** Seconds until the window ends and the whole limit is there again. */
  resetSeconds: number
  exceeded: boolean
}

const WINDOW_MS = 60_000
/** Callers remembered at once. Beyond it the oldest window goes, so that made-up callers cannot fill the memory. */
const MAX_CALLERS = 10_000

/** Counts one request of the caller and says how it stands. A limit of 0 is no limit and gives nothing. */
export function createRateLimit(perMinute: number, nowMs: () => number = () => performance.now()) {
  const windows = new Map<string, { endsAt: number; used: number }>()

  return function countRequest(caller: string): Allowance | undefined {
    if (perMinute === 0) return undefined
    const now = nowMs()
    let window = windows.get(caller)
    if (!window || window.endsAt <= now) {
      window = { endsAt: now + WINDOW_MS, used: 0 }
      windows.delete(caller) // so that the map stays in the order in which windows end
      windows.set(caller, window)
      if (windows.size > MAX_CALLERS) windows.delete(windows.keys().next().value!)
    }
    window.used++
    return {
      limit: perMinute,
      remaining: Math.max(0, perMinute - window.used),
      resetSeconds: Math.ceil((window.endsAt - now) / 1000),
      exceeded: window.used > perMinute,
    }
  }
}
