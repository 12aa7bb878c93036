// Waiting for a server without losing what one has in hand: a few tries, then again whenever its breaker lets one through.
import { Failure } from '../../contract/failure.ts'
import type { Breaker, BreakerName } from '../base/breaker.ts'
import type { Log } from '../base/log.ts'
import { backoffMs, isTransient, retry, sleepUnlessAborted } from '../base/retry.ts'

/** What comes of the work at last; a failure that cannot pass comes at once. Another signal ends the waiting earlier. */
export type Hold = <T>(server: BreakerName, work: () => Promise<T>, signal?: AbortSignal) => Promise<T>

export interface HoldOptions {
  breakers: Readonly<Record<BreakerName, Breaker>>
  /** Gives everything up. */
  signal: AbortSignal
  /** Undefined when the server is back. */
  onWaiting: (server: BreakerName, error: unknown) => void
  logger: Pick<Log, 'warn'>
  firstMs?: number
  mostMs?: number
}

export function createHold({
  breakers,
  onWaiting,
  logger,
  firstMs = 100,
  mostMs = 10_000,
  ...options
}: HoldOptions): Hold {
  return async function hold<T>(server: BreakerName, work: () => Promise<T>, signal = options.signal): Promise<T> {
    const breaker = breakers[server]
    for (let rounds = 1; ; rounds++) {
      try {
        const result = await retry(() => unlessAborted(breaker.run(work), signal), {
          firstMs,
          mostMs,
          signal,
          isTransient: error => breaker.state() === 'closed' && isTransient(error),
          onRetry: ({ attempt, error, waitMs }) =>
            logger.warn('Failed and is tried again', { server, attempt, wait_ms: Math.round(waitMs), error }),
        })
        if (rounds > 1) onWaiting(server, undefined)
        return result
      } catch (error) {
        if (signal.aborted || !isTransient(error)) {
          if (rounds > 1) onWaiting(server, undefined)
          throw error
        }
        onWaiting(server, error)
        await breaker.waitUntilTryable(signal)
        await sleepUnlessAborted(backoffMs(rounds, firstMs, mostMs), signal)
      }
    }
  }
}

/** What is under way cannot always be called back: it ends by itself, and nobody waits for it. */
export async function unlessAborted<T>(working: Promise<T>, signal: AbortSignal): Promise<T> {
  let leave!: () => void
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(new Failure('CANCELLED', 'It was given up while it was under way.'))
  })
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([working, left])
  } finally {
    signal.removeEventListener('abort', leave)
    working.catch(() => {})
  }
}
