// Times of day in a zone. The zone is named once, in the header; everything below it is in that zone.
import type { Settings } from '../stores/settings.ts'

export interface Zone {
  /** IANA name. */
  id: string
  /** As the header says it. */
  label: string
}

/** Until the contract tells where exchanges are. An exchange that is not here is shown in UTC, as the server does. */
const EXCHANGE_ZONES: Record<string, Zone> = {
  ASX: { id: 'Australia/Sydney', label: 'Sydney time' },
}
const UTC: Zone = { id: 'UTC', label: 'UTC' }
let local = UTC

/** The same zone is the same object, for whatever is made anew when it changes. */
export function zoneOf(choice: Settings['zone'], exchange: string | undefined): Zone {
  if (choice === 'utc') return UTC
  if (choice === 'exchange') return (exchange && EXCHANGE_ZONES[exchange]) || UTC
  const id = Intl.DateTimeFormat().resolvedOptions().timeZone
  if (id !== local.id) local = { id, label: `${(id.split('/').pop() ?? id).replaceAll('_', ' ')} time` }
  return local
}

/** Zones change their offset at whole quarters of an hour, so one answer of Intl serves a quarter. */
const QUARTER_MS = 15 * 60_000
const offsets = new Map<string, number>()
const formats = new Map<string, Intl.DateTimeFormat>()

/** Milliseconds to add to UTC. */
export function zoneOffsetMs(zoneId: string, utcMs: number): number {
  if (zoneId === 'UTC') return 0
  const quarter = Math.floor(utcMs / QUARTER_MS)
  const key = `${zoneId} ${quarter}`
  const known = offsets.get(key)
  if (known !== undefined) return known
  if (offsets.size > 5000) offsets.clear()
  const offset = readOffsetMs(zoneId, quarter * QUARTER_MS)
  offsets.set(key, offset)
  return offset
}

function readOffsetMs(zoneId: string, utcMs: number): number {
  let format = formats.get(zoneId)
  if (!format) {
    const numeric = 'numeric'
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zoneId,
      hourCycle: 'h23',
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
      second: numeric,
    })
    formats.set(zoneId, format)
  }
  const part = Object.fromEntries(format.formatToParts(utcMs).map(({ type, value }) => [type, Number(value)]))
  const wall = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second)
  return wall - utcMs
}

const digits2 = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'))
const DAY_MS = 86_400_000

export type Precision = 'minute' | 'second' | 'millisecond' | 'microsecond'

/** `micros` since 1970 → "10:41:22.118". Cut, not rounded: a time never shows a moment that has not come. */
export function timeOfDay(micros: number, zone: Zone, precision: Precision = 'millisecond'): string {
  const utcMs = Math.floor(micros / 1000)
  const wallMs = utcMs + zoneOffsetMs(zone.id, utcMs)
  const ofDay = ((wallMs % DAY_MS) + DAY_MS) % DAY_MS
  const minute = `${digits2[Math.floor(ofDay / 3_600_000)]}:${digits2[Math.floor(ofDay / 60_000) % 60]}`
  if (precision === 'minute') return minute
  const second = `${minute}:${digits2[Math.floor(ofDay / 1000) % 60]}`
  if (precision === 'second') return second
  const rest = String((ofDay % 1000) * 1000 + (Math.floor(micros) - utcMs * 1000)).padStart(6, '0')
  return `${second}.${precision === 'millisecond' ? rest.slice(0, 3) : rest}`
}

/** "Sat 21 Nov 2026" in the zone. */
export function dateOf(micros: number, zone: Zone): string {
  const utcMs = Math.floor(micros / 1000)
  const wall = new Date(utcMs + zoneOffsetMs(zone.id, utcMs))
  const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][wall.getUTCDay()]
  const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
  return `${day} ${wall.getUTCDate()} ${months[wall.getUTCMonth()]} ${wall.getUTCFullYear()}`
}
