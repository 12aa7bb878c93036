// Which quote was in force at each of many moments: both sides ascend, so each search begins where the last one ended.

export interface InForceOptions {
  /** None of the same moment. */
  strict?: boolean
  /** Microseconds that are added to each moment. */
  later?: number
}

/**
 * For each time the row of the last quote at or before it, -1 where there is none. Gallops from the last hit, then
 * bisects: cheap where quotes are as many as trades, and where they are a hundred times as many.
 */
export function inForce(
  times: Float64Array,
  quoteTimes: Float64Array,
  { strict = false, later = 0 }: InForceOptions = {},
): Int32Array {
  const found = new Int32Array(times.length)
  const count = quoteTimes.length
  // Times are whole microseconds, so "before" is "at or before a little less".
  const shift = strict ? later - 0.5 : later
  let next = 0
  for (let i = 0; i < times.length; i++) {
    const time = times[i] + shift
    if (next < count && quoteTimes[next] <= time) {
      let low = next
      let step = 1
      while (low + step < count && quoteTimes[low + step] <= time) {
        low += step
        step *= 2
      }
      let high = Math.min(count, low + step)
      low++
      while (low < high) {
        const middle = (low + high) >>> 1
        if (quoteTimes[middle] <= time) low = middle + 1
        else high = middle
      }
      next = low
    }
    found[i] = next - 1
  }
  return found
}

/** Where the quote is older than allowed, or the moment beyond what is known, there is none. */
export function dropStale(
  found: Int32Array,
  times: Float64Array,
  quoteTimes: Float64Array,
  toleranceMicros: number,
): void {
  for (let i = 0; i < found.length; i++)
    if (found[i] >= 0 && times[i] - quoteTimes[found[i]] > toleranceMicros) found[i] = -1
}
