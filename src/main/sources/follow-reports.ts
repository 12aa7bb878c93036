// Reports of work that goes on by itself: a slow reader gets the newest of each kind and never holds the work up.
import { createBell } from '../base/bell.ts'

export interface Reports<T> {
  /** Replaces a passing report that nobody took yet; `isFinal` ones are all kept. */
  put: (report: T, isFinal: boolean) => void
}

/**
 * Gives what the work reports, and fails as it fails. A reader that leaves aborts the work and waits until it has ended.
 */
export async function* followReports<T>(
  work: (reports: Reports<T>, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<T> {
  signal.throwIfAborted()
  const left = new AbortController()
  const both = AbortSignal.any([signal, left.signal])
  const bell = createBell()
  const ended = new AbortController()
  let finals: T[] = []
  let passing: T | undefined
  const reports: Reports<T> = {
    put(report, isFinal) {
      passing = isFinal ? undefined : report
      if (isFinal) finals.push(report)
      bell.ring()
    },
  }
  const working = work(reports, both).finally(() => ended.abort())
  working.catch(() => {})
  try {
    for (;;) {
      const taken = passing === undefined ? finals : [...finals, passing]
      finals = []
      passing = undefined
      yield* taken
      if (ended.signal.aborted && finals.length === 0) break
      if (finals.length === 0 && passing === undefined) await bell.wait(ended.signal)
    }
    await working
  } finally {
    left.abort()
    await working.catch(() => {})
  }
}
