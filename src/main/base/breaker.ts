// Leaves a server alone that keeps failing, and lets one request through now and then to see whether it is back.
import { Failure } from '../../contract/failure.ts'
import { createBell } from './bell.ts'
import { sleepUnlessAborted, type Sleep } from './retry.ts'

export type BreakerName = 'kafka' | 'registry' | 'catalog' | 's3'
export type BreakerState = 'closed' | 'half-open' | 'open'

export interface Breaker {
  readonly name: BreakerName
  /** Closed: everything passes. Open: nothing does. Half-open: the next one does, and decides. */
  state: () => BreakerState
  /** Failures in a row, up to now. */
  failures: () => number
  /** What the last of these was; undefined while there are none. */
  lastError: () => unknown
  /** How long nothing passes yet; 0 unless open. */
  tryableInMs: () => number
  /** UNAVAILABLE without trying while nothing passes; else what comes of the work. */
  run: <T>(work: () => Promise<T>) => Promise<T>
  /** Until `run` would try. Of several who wait only one passes when half-open: the others are refused and wait again. */
  waitUntilTryable: (signal?: AbortSignal) => Promise<void>
}

export interface BreakerOptions {
  name: BreakerName
  /** Whether this error says that the server is in trouble. */
  isFailure?: (error: unknown) => boolean
  /** Only differences count, so the default is one that nobody sets. */
  clock?: { nowMs: () => number }
  failures?: number
  halfOpenAfterMs?: number
  /** Each one that counts. */
  onFailure?: () => void
  onChange?: (change: { name: BreakerName; state: BreakerState; previous: BreakerState; error: unknown }) => void
  sleep?: Sleep
}

const SERVERS: Record<BreakerName, string> = {
  kafka: 'Kafka',
  registry: 'The schema registry',
  catalog: 'The catalog',
  s3: 'The object store',
}
/** A waiter looks at the clock this often at least, as the clock may be one that jumps. */
const LOOK_EVERY_MS = 1_000

export function createBreaker(options: BreakerOptions): Breaker {
  const { name, isFailure = isServerTrouble, clock = { nowMs: () => performance.now() } } = options
  const { failures: allowed = 5, halfOpenAfterMs = 30_000, sleep = sleepUnlessAborted, onFailure, onChange } = options
  const probeEnded = createBell()
  let state: BreakerState = 'closed'
  let failures = 0
  let lastError: unknown
  let openedAt = 0
  let isProbing = false

  function change(next: BreakerState): void {
    if (next === state) return
    const previous = state
    state = next
    onChange?.({ name, state, previous, error: lastError })
  }

  function succeed(): void {
    failures = 0
    lastError = undefined
    change('closed')
  }

  function fail(error: unknown): void {
    failures++
    lastError = error
    onFailure?.()
    if (state === 'closed' && failures < allowed) return
    openedAt = clock.nowMs()
    change('open')
  }

  const tryableInMs = () => (state === 'open' ? Math.max(0, openedAt + halfOpenAfterMs - clock.nowMs()) : 0)
  const look = () => {
    if (state === 'open' && tryableInMs() === 0) change('half-open')
    return state
  }

  function refusal(): Failure {
    const why = lastError instanceof Error ? ` (${lastError.message})` : ''
    const when = isProbing ? 'is being tried again just now' : `is tried again in ${Math.ceil(tryableInMs() / 1000)} s`
    return new Failure('UNAVAILABLE', `${SERVERS[name]} failed ${failures} times in a row${why}; it ${when}.`, {
      details: { breaker: name, retry_in_ms: Math.ceil(tryableInMs()) },
      cause: lastError,
    })
  }

  return {
    name,
    state: look,
    failures: () => failures,
    lastError: () => lastError,
    tryableInMs,
    async run(work) {
      const begunAs = look()
      if (begunAs === 'open' || isProbing) throw refusal()
      isProbing = begunAs === 'half-open'
      const mine = isProbing
      // What began before the breaker opened and ends after it decides nothing any more.
      const counts = () => mine || state === 'closed'
      try {
        const result = await work()
        if (counts()) succeed()
        return result
      } catch (error) {
        if (counts() && isFailure(error)) fail(error)
        // Whatever else the server says, it is there; a caller who left, or a bug of ours, says nothing of it.
        else if (counts() && isAnswer(error)) succeed()
        throw error
      } finally {
        if (mine) {
          isProbing = false
          probeEnded.ring()
        }
      }
    },
    async waitUntilTryable(signal) {
      const until = signal ?? new AbortController().signal
      for (;;) {
        if (until.aborted) throw new Failure('CANCELLED', `Waiting for ${SERVERS[name].toLowerCase()} was given up.`)
        if (isProbing) await probeEnded.wait(until)
        else if (look() === 'open') await sleep(Math.min(tryableInMs(), LOOK_EVERY_MS), signal)
        else return
      }
    },
  }
}

/** It did not answer, not in time, or only that it cannot. A conflict is an answer. */
export function isServerTrouble(error: unknown): boolean {
  return error instanceof Failure && (error.code === 'UNAVAILABLE' || error.code === 'TIMEOUT')
}

function isAnswer(error: unknown): boolean {
  return error instanceof Failure && error.code !== 'CANCELLED' && error.code !== 'INTERNAL'
}
