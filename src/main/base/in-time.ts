// Work that is given so long, and is left when its time is up or its caller has gone.
import { setMaxListeners } from 'node:events'
import { Failure } from '../../contract/failure.ts'
import { cancelled } from './cancelled.ts'

/** As AbortSignal.timeout, which Node loses when memory is collected while it is part of AbortSignal.any. */
export function timeLimit(ms: number): AbortSignal {
  const late = new AbortController()
  setTimeout(() => late.abort(), ms).unref()
  return late.signal
}

/** The work's signal tells it of both; it is not waited for. */
export async function inTime<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  caller?: AbortSignal,
  whyLate = () => tooLate(ms),
): Promise<T> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), ms)
  const signal = caller ? AbortSignal.any([caller, late.signal]) : late.signal
  // Each file that is read at once listens to it.
  setMaxListeners(0, signal)
  const whyLeft = () => (caller?.aborted ? cancelled() : whyLate())
  const left = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(whyLeft()), { once: true }),
  )
  left.catch(() => {})
  try {
    return await Promise.race([work(signal), left])
  } catch (error) {
    // Its own words of being stopped say less.
    throw signal.aborted ? whyLeft() : error
  } finally {
    clearTimeout(timer)
  }
}

function tooLate(ms: number): Failure {
  return new Failure('TIMEOUT', `No answer within ${ms / 1000} s.`)
}
