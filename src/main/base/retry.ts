// Tries again what may well work in a moment: a lost connection, a timeout, a conflict with another writer.
import { setTimeout as sleepFor } from 'node:timers/promises'
import { Failure } from '../../contract/failure.ts'

export interface RetryOptions {
  /** Whether this error may be gone at the next try; any other fails at once. */
  isTransient?: (error: unknown) => boolean
  /** Before each wait; for the log. The next try is number `attempt` + 1. */
  onRetry?: (retry: { attempt: number; error: unknown; waitMs: number }) => void
  /** Ends a wait with CANCELLED. What is being tried has to heed it itself. */
  signal?: AbortSignal
  /** Tries in all. */
  tries?: number
  firstMs?: number
  mostMs?: number
  sleep?: Sleep
}

/** Rejects when the signal aborts. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>

/** Waits half to all of `firstMs`, then of twice that, and so on: a part at random, so that many do not come back at once. */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { onRetry, signal, tries = 3, firstMs = 100, mostMs = 10_000, sleep = sleepUnlessAborted } = options
  const { isTransient: mayPass = isTransient } = options
  for (let attempt = 1; ; attempt++) {
    if (signal?.aborted) throw cancelled()
    try {
      return await work(attempt)
    } catch (error) {
      if (attempt >= tries || signal?.aborted || !mayPass(error)) throw error
      const waitMs = backoffMs(attempt, firstMs, mostMs)
      onRetry?.({ attempt, error, waitMs })
      await sleep(waitMs, signal)
    }
  }
}

/** How long to wait after this many failures in a row, the first being 1. */
export function backoffMs(failures: number, firstMs: number, mostMs: number): number {
  const most = Math.min(mostMs, firstMs * 2 ** (failures - 1))
  return most * (0.5 + Math.random() / 2)
}

/** Failures that say themselves that they may pass; not the caller's own leaving, and never a bug. */
export function isTransient(error: unknown): boolean {
  return error instanceof Failure && error.retryable && error.code !== 'CANCELLED'
}

/** CANCELLED as soon as the signal aborts; keeps nothing behind. */
export async function sleepUnlessAborted(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleepFor(ms, undefined, { signal })
  } catch (cause) {
    throw cancelled(cause)
  }
}

function cancelled(cause?: unknown): Failure {
  return new Failure('CANCELLED', 'It was given up before it could be tried again.', { cause })
}
