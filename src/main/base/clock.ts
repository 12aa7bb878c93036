// What time it is, as a seam: engines take a clock, so that a test can say.
export interface Clock {
  nowMs(): number
  /** Microseconds since 1970, exact in a double until the year 2255. */
  nowMicros(): number
}

/** Further apart than this, the wall clock was set or the machine slept. */
const DRIFT_MS = 2

/**
 * The wall clock with the fine steps of the monotonic one, which alone would stand still while the machine sleeps.
 */
export function createClock(wallMs = () => Date.now(), monotonicMs = () => performance.now()): Clock {
  let offsetMs = wallMs() - monotonicMs()
  function preciseMs(): number {
    const wall = wallMs()
    const precise = offsetMs + monotonicMs()
    if (Math.abs(precise - wall) <= DRIFT_MS) return precise
    offsetMs += wall - precise
    return wall
  }
  return { nowMs: () => Math.floor(preciseMs()), nowMicros: () => Math.floor(preciseMs() * 1000) }
}

export const systemClock: Clock = createClock()
