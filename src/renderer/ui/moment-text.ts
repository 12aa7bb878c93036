// Moments as people write and read them: a day and a time of day in the page's zone.
import { timeOfDay, zoneOffsetMs, type Precision, type Zone } from './zone-time.ts'

/** "2014-03-10 10:41:22.118000". */
export function momentText(micros: number, zone: Zone, precision: Precision = 'microsecond'): string {
  return `${dayText(micros, zone)} ${timeOfDay(micros, zone, precision)}`
}

/** "2014-03-10" in the zone. */
export function dayText(micros: number, zone: Zone): string {
  const utcMs = Math.floor(micros / 1000)
  return new Date(utcMs + zoneOffsetMs(zone.id, utcMs)).toISOString().slice(0, 10)
}

const MOMENT = /^(?:(\d{4})-(\d{1,2})-(\d{1,2}))?(?:[T ]*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?)?$/

/**
 * "2014-03-10 10:41", "2014-03-10", "10:41:22.118": in the zone; a time alone is of the day of `near`.
 * Undefined where it is none, or no day of the calendar.
 */
export function momentIn(text: string, zone: Zone, near: number): number | undefined {
  const [whole, year, month, day, hour = '0', minute = '0', second = '0', fraction = ''] =
    MOMENT.exec(text.trim()) ?? []
  if (!whole) return undefined
  const [y, m, d] = (year ? [year, month, day] : dayText(near, zone).split('-')).map(Number)
  const wallMs = Date.UTC(y, m - 1, d, Number(hour), Number(minute), Number(second))
  const back = new Date(wallMs)
  const isReal =
    back.getUTCMonth() === m - 1 && back.getUTCHours() === Number(hour) && back.getUTCMinutes() === Number(minute)
  if (!isReal || Number(second) > 59) return undefined
  return utcOf(wallMs, zone) * 1000 + Number(fraction.padEnd(6, '0'))
}

/** Where clocks are put back an hour happens twice, and the first is meant; one that is left out counts on from before. */
function utcOf(wallMs: number, zone: Zone): number {
  const before = wallMs - zoneOffsetMs(zone.id, wallMs - 86_400_000)
  const after = wallMs - zoneOffsetMs(zone.id, wallMs + 86_400_000)
  const matches = [before, after].find(utcMs => utcMs + zoneOffsetMs(zone.id, utcMs) === wallMs)
  return matches ?? before
}
