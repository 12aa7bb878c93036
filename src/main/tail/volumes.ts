// How much was traded of each instrument in the last day, as far as this process has seen it: sums by the hour.
import type { Instrument } from './instruments.ts'
import type { Store } from './store.ts'

/**
 * The hour is the one in which a trade came in: one that is late or of a time to come counts like those it came with,
 * and history that is sent again is ranked too. What the tail reads again at its start counts from then on.
 */
export interface Hour {
  /** Hours since 1970. */
  number: number
  /** By instrument code; as long as instruments traded in it demand. */
  sums: Float64Array
}

/** The hour under way and the 23 before it: nothing older than a day counts. With all instruments there may be, 50 MB. */
const HOURS = 24
const MICROS_PER_HOUR = 3600e6
const FEWEST = 1024
const NONE = new Float64Array(0)

export function createHours(): Hour[] {
  return Array.from({ length: HOURS }, () => ({ number: -Infinity, sums: NONE }))
}

/** The hour of this time, in the place of the one a day before. */
export function hourOf(hours: readonly Hour[], micros: number): Hour {
  const number = Math.floor(micros / MICROS_PER_HOUR)
  const hour = hours[number % HOURS]
  if (hour.number !== number) {
    hour.number = number
    hour.sums.fill(0)
  }
  return hour
}

export function addVolume(hour: Hour, code: number, quantity: number): void {
  if (code >= hour.sums.length) hour.sums = lengthened(hour.sums, code)
  hour.sums[code] += quantity
}

/** The first so many by volume in the day up to this time; what was not traded is none of them. */
export function findMostTraded({ hours, instruments }: Store, nowMicros: number, limit: number): Instrument[] {
  const volumes = new Float64Array(instruments.all.length)
  const last = Math.floor(nowMicros / MICROS_PER_HOUR)
  for (const { number, sums } of hours)
    if (number > last - HOURS) for (let code = 0; code < sums.length; code++) volumes[code] += sums[code]
  // Numbers alone are sorted five times as fast as instruments by their numbers.
  const least = volumes.slice().sort().at(-limit) ?? 0
  const traded = instruments.all.filter(({ code }) => volumes[code] > 0 && volumes[code] >= least)
  return traded.sort((a, b) => volumes[b.code] - volumes[a.code]).slice(0, limit)
}

function lengthened(sums: Float64Array, code: number): Float64Array {
  const longer = new Float64Array(Math.max(FEWEST, 2 ** Math.ceil(Math.log2(code + 1))))
  longer.set(sums)
  return longer
}
