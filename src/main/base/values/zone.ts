// Wall times of a zone as instants: exact by Intl's own rules, which are asked once a day and not once a row.
import { Failure } from '../../../contract/failure.ts'
import { BadValue } from './bad-value.ts'

export interface WallClock {
  /**
   * The instant of a wall time, both in microseconds. Where a wall time comes twice, as clocks go back, it is the
   * first one, unless the row before was more than a minute past that: then the second has begun. So a file that
   * goes forward is read forward. A wall time that clocks jumped over is refused.
   */
  instantOf: (wallMicros: number) => number
}

/** What a zone's clock is ahead of UTC, in microseconds, at an instant. */
type OffsetAt = (micros: number) => number

const HOUR = 3_600e6
const DAY = 24 * HOUR
/** Rows of one moment may be in a file in any order; within so much a step back is no second pass. */
const DISORDER = 60e6

export function createWallClock(zone: string): WallClock {
  const offsetAt = offsetsOf(zone)
  const offsets = new Map<number, number | undefined>()
  let previous = -Infinity
  let lastDay = NaN
  let lastOffset: number | undefined

  /** The one offset of a day of the wall's, with a margin of a day at both ends; nothing where it changes. */
  function offsetOf(day: number): number | undefined {
    if (offsets.has(day)) return offsets.get(day)
    const offset = offsetAt((day - 1) * DAY)
    let isOne = true
    // No zone has changed its clocks and changed them back within six hours.
    for (let at = (day - 1) * DAY; at <= (day + 2) * DAY; at += 6 * HOUR) isOne &&= offsetAt(at) === offset
    offsets.set(day, isOne ? offset : undefined)
    return isOne ? offset : undefined
  }

  /** On a day on which clocks change: every offset around is tried, and those that fit are the instants. */
  function searched(wallMicros: number): number {
    const instants = [...offsetsAround(wallMicros)]
      .map(offset => wallMicros - offset)
      .filter(instant => instant + offsetAt(instant) === wallMicros)
      .sort((a, b) => a - b)
    if (instants.length === 0) throw new BadValue(`does not exist in ${zone}, whose clocks jumped over it`)
    const [first, second = first] = instants
    return first < previous - DISORDER && second >= previous - DISORDER ? second : first
  }

  function offsetsAround(wallMicros: number): Set<number> {
    const found = new Set<number>()
    for (let at = wallMicros - 2 * DAY; at <= wallMicros + 2 * DAY; at += 6 * HOUR) found.add(offsetAt(at))
    return found
  }

  return {
    instantOf(wallMicros) {
      const day = Math.floor(wallMicros / DAY)
      if (day !== lastDay) {
        lastOffset = offsetOf(day)
        lastDay = day
      }
      previous = lastOffset === undefined ? searched(wallMicros) : wallMicros - lastOffset
      return previous
    },
  }
}

const formats = new Map<string, Intl.DateTimeFormat>()

function offsetsOf(zone: string): OffsetAt {
  if (/^(utc|gmt|z)$/i.test(zone)) return () => 0
  const format = formatOf(zone)
  const known = new Map<number, number>()
  return micros => {
    const seconds = Math.floor(micros / 1e6)
    const cached = known.get(seconds)
    if (cached !== undefined) return cached
    const parts: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(seconds * 1000)) parts[type] = Number(value)
    const { year, month, day, hour, minute, second } = parts
    const offset = Date.UTC(year, month - 1, day, hour, minute, second) * 1000 - seconds * 1e6
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(seconds, offset)
    return offset
  }
}

const MOST_KNOWN = 10_000

function formatOf(zone: string): Intl.DateTimeFormat {
  const cached = formats.get(zone)
  if (cached) return cached
  const [year, month, day, hour, minute, second] = Array<'numeric'>(6).fill('numeric')
  const fields = { year, month, day, hour, minute, second }
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      calendar: 'gregory',
      ...fields,
    })
    formats.set(zone, format)
    return format
  } catch (cause) {
    throw new Failure(
      'INVALID_INPUT',
      `There is no time zone ${zone}; --timezone takes names such as Australia/Sydney or UTC.`,
      { cause },
    )
  }
}
