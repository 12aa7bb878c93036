// At most so many at once; the others wait in order.
import { cancelled, throwIfCancelled } from '../../base/cancelled.ts'

export type Gate = <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<T>

export function createGate(limit: number): Gate {
  const waiting = new Set<() => void>()
  let free = limit

  function enter(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.delete(go)
        reject(cancelled())
      }
      const go = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      waiting.add(go)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  return async (work, signal) => {
    throwIfCancelled(signal)
    if (free > 0) free--
    else await enter(signal) // the place of the one that lets us in
    try {
      return await work()
    } finally {
      const [next] = waiting
      if (next === undefined) free++
      else {
        waiting.delete(next)
        next()
      }
    }
  }
}
