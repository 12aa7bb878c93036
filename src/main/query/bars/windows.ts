// Windows of time that bars are of: as long as each other, or days of an exchange's own clock.
import type { Interval } from '../../../contract/bars.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import { createWallClock } from '../../base/values/zone.ts'

export interface Window {
  start: number
  /** Exclusive. */
  end: number
}

/** The window that a moment is in. Windows follow each other without gaps. */
export interface WindowAt {
  (micros: number): Window
  /** Of every window, where all are as long. */
  width?: number
}

const MINUTE = 60e6
const DAY = 86_400e6
const WIDTHS: Record<Exclude<Interval, '1d'>, number> = {
  '1m': MINUTE,
  '5m': 5 * MINUTE,
  '15m': 15 * MINUTE,
  '30m': 30 * MINUTE,
  '1h': 60 * MINUTE,
}

/** A day is the exchange's own: a session of Sydney's would lie in two days of UTC's. */
export function windowsOf(interval: Interval, zone: string): WindowAt {
  return interval === '1d' ? daysOf(zone) : evenWindows(WIDTHS[interval])
}

function evenWindows(width: number): WindowAt {
  const windowAt = (micros: number) => {
    const start = Math.floor(micros / width) * width
    return { start, end: start + width }
  }
  return Object.assign(windowAt, { width })
}

function daysOf(zone: string): WindowAt {
  if (zone === 'UTC') return evenWindows(DAY)
  let last: Window = { start: NaN, end: NaN }
  return micros => {
    if (micros >= last.start && micros < last.end) return last
    return (last = dayOf(zone, localDate(zone, micros)))
  }
}

/** From the midnight that begins the date to the next one. */
export function dayOf(zone: string, date: string): Window {
  const day = Date.parse(`${date}T00:00:00Z`) * 1000
  return { start: midnight(zone, day), end: midnight(zone, day + DAY) }
}

/** Clocks that are put forward at midnight begin the day an hour later. */
function midnight(zone: string, wallMicros: number): number {
  for (let late = 0; late <= 180; late += 30) {
    try {
      return createWallClock(zone).instantOf(wallMicros + late * MINUTE)
    } catch (error) {
      if (!(error instanceof BadValue)) throw error // else that wall time was jumped over
    }
  }
  return createWallClock(zone).instantOf(wallMicros)
}

const formats = new Map<string, Intl.DateTimeFormat>()

function localDate(zone: string, micros: number): string {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
    formats.set(zone, format)
  }
  return format.format(Math.floor(micros / 1000))
}
