// The day around a moment, by the exchange's own clock.
import { dayText, momentIn } from '../ui/moment-text.ts'
import { zoneOf } from '../ui/zone-time.ts'

/** Half open, microseconds since 1970. */
export interface TimeSpan {
  fromMicros: number
  toMicros: number
}

const MORE_THAN_A_DAY_MICROS = 30 * 3_600e6

export function exchangeDay(micros: number, exchange: string): TimeSpan {
  const zone = zoneOf('exchange', exchange)
  const midnight = (near: number) => momentIn(dayText(near, zone), zone, near) ?? near
  const fromMicros = midnight(micros)
  return { fromMicros, toMicros: midnight(fromMicros + MORE_THAN_A_DAY_MICROS) }
}
