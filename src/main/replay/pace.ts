// When a row is due: the time between rows, as fast as was asked, against a clock that a test can hold.
import { setTimeout as sleep } from 'node:timers/promises'

export interface Ticker {
  nowMs: () => number
  /** Ends early, without an error, when the signal aborts. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>
}

export const realTicker: Ticker = {
  nowMs: () => performance.now(),
  wait: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
}

export type Speed = number | 'max'

/** At `atMs` the clock shows `micros`; from there it goes as fast as `speed`, back where the direction is -1. */
export interface Pace {
  atMs: number
  micros: number
  speed: Speed
  direction: 1 | -1
}

/** How long until the clock shows a time; 0 or less when it has. */
export function msUntil({ atMs, micros, speed, direction }: Pace, due: number, nowMs: number): number {
  if (speed === 'max') return 0
  return atMs + ((due - micros) * direction) / 1000 / speed - nowMs
}

/** What the clock shows. At full speed it shows what was played last. */
export function shownAt({ atMs, micros, speed, direction }: Pace, nowMs: number): number {
  return speed === 'max' ? micros : Math.floor(micros + (nowMs - atMs) * 1000 * speed * direction)
}

/** Readers take what they are given in much less. */
const HELD_UP_MS = 100

/** A slow reader holds the clock up, instead of being sent everything that fell due meanwhile; a quick one does not. */
export function heldMs(elapsedMs: number): number {
  return elapsedMs < HELD_UP_MS ? 0 : elapsedMs
}
