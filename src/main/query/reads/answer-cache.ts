// Answers that were given before, by snapshot and question: a snapshot never changes, so there is nothing to take back.
// Those who ask the same at the same time wait for one answer; it is stopped when the last of them has gone.
import { createBoundedCache, type Weighed } from '../../base/bounded-cache.ts'
import { cancelled, throwIfCancelled } from '../../base/cancelled.ts'

export interface AnswerCache<V> {
  get: (key: string, make: (signal: AbortSignal) => Promise<V>, signal?: AbortSignal) => Promise<V>
}

export interface AnswerCacheOptions {
  maxBytes: number
  /** For metrics. */
  onLook?: (look: { hits: number; misses: number }) => void
}

interface Flight<V> {
  answer: Promise<V>
  abort: AbortController
  waiting: number
}

/** One answer may take this part of the cache at the most. */
const LARGEST_SHARE = 1 / 8

export function createAnswerCache<V extends Weighed>(options: AnswerCacheOptions): AnswerCache<V> {
  const { maxBytes, onLook = () => {} } = options
  const held = createBoundedCache<V>(maxBytes)
  const flights = new Map<string, Flight<V>>()

  function begin(key: string, make: (signal: AbortSignal) => Promise<V>): Flight<V> {
    const abort = new AbortController()
    const flight: Flight<V> = { abort, waiting: 0, answer: answer() }
    async function answer(): Promise<V> {
      try {
        const value = await make(abort.signal)
        if (value.bytes <= maxBytes * LARGEST_SHARE) held.put(key, value)
        return value
      } finally {
        forget(key, flight)
      }
    }
    flights.set(key, flight)
    return flight
  }

  function forget(key: string, flight: Flight<V>): void {
    if (flights.get(key) === flight) flights.delete(key)
  }

  return {
    async get(key, make, signal) {
      const known = held.get(key)
      onLook(known ? { hits: 1, misses: 0 } : { hits: 0, misses: 1 })
      if (known) return known
      throwIfCancelled(signal)
      const flight = flights.get(key) ?? begin(key, make)
      flight.waiting++
      let leave = () => {}
      const left = new Promise<never>((_, reject) => (leave = () => reject(cancelled())))
      signal?.addEventListener('abort', leave)
      try {
        return await Promise.race([flight.answer, left])
      } finally {
        signal?.removeEventListener('abort', leave)
        if (--flight.waiting === 0) {
          // Nobody may join what is being stopped.
          forget(key, flight)
          flight.abort.abort()
        }
      }
    },
  }
}
