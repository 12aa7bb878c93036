// Times out of bytes, in microseconds: ISO 8601, epoch numbers, and a date and a time of day in columns of their own.
import { BadValue, BeyondLimits } from './bad-value.ts'
import type { WallClock } from './zone.ts'

const [SPACE, PLUS, MINUS, DOT, SLASH, ZERO, COLON, LARGE_T, LARGE_Z] = [32, 43, 45, 46, 47, 48, 58, 84, 90]
const [SMALL_T, SMALL_Z] = [116, 122]
const DAY = 86_400e6
const [FIRST_YEAR, LAST_YEAR] = [1900, 2199]
const FRACTION_DIGITS = 6
const FRACTION_UNITS = [1e6, 1e5, 1e4, 1e3, 1e2, 10, 1]

/**
 * ISO 8601, or a whole number since 1970 in milliseconds (12 to 14 digits) or microseconds (15 to 17 digits).
 * Without an offset it is the wall clock's. What is finer than a microsecond is cut.
 */
export function parseInstant(bytes: Buffer, from: number, to: number, wallClock: WallClock): number {
  if (bytes[from + 4] !== MINUS) return parseEpoch(bytes, from, to)
  const day = dayOf(digitsAt(bytes, from, 4, to), digitsAt(bytes, from + 5, 2, to), digitsAt(bytes, from + 8, 2, to))
  if (bytes[from + 7] !== MINUS) throw notATime()
  const separator = bytes[from + 10]
  if (to - from === 10) return wallClock.instantOf(day)
  if (separator !== LARGE_T && separator !== SPACE && separator !== SMALL_T) throw notATime()
  const end = endOfTimeOfDay(bytes, from + 11, to)
  const wallMicros = day + parseTimeOfDay(bytes, from + 11, end)
  return end === to ? wallClock.instantOf(wallMicros) : wallMicros - parseOffset(bytes, end, to)
}

/** MM/DD/YYYY as microseconds; the wall's own day. */
export function parseMonthFirstDate(bytes: Buffer, from: number, to: number): number {
  if (to - from !== 10 || bytes[from + 2] !== SLASH || bytes[from + 5] !== SLASH) {
    throw new BadValue('is not a date as MM/DD/YYYY')
  }
  const month = digitsAt(bytes, from, 2, to)
  const dayOfMonth = digitsAt(bytes, from + 3, 2, to)
  if (month > 12 && dayOfMonth <= 12) {
    throw new BadValue(`is not a date as MM/DD/YYYY: there is no month ${month}, the day seems to come first`)
  }
  return dayOf(digitsAt(bytes, from + 6, 4, to), month, dayOfMonth)
}

/** HH:MM, HH:MM:SS or HH:MM:SS.f, as microseconds. */
export function parseTimeOfDay(bytes: Buffer, from: number, to: number): number {
  const hours = digitsAt(bytes, from, 2, to)
  const minutes = digitsAt(bytes, from + 3, 2, to)
  if (!(hours <= 23 && minutes <= 59) || bytes[from + 2] !== COLON) throw notATimeOfDay()
  const upToMinutes = (hours * 60 + minutes) * 60e6
  if (to - from === 5) return upToMinutes
  const seconds = digitsAt(bytes, from + 6, 2, to)
  if (!(seconds <= 59) || bytes[from + 5] !== COLON) throw notATimeOfDay()
  const upToSeconds = upToMinutes + seconds * 1e6
  if (to - from === 8) return upToSeconds
  if (bytes[from + 8] !== DOT || to - from === 9) throw notATimeOfDay()
  return upToSeconds + parseFraction(bytes, from + 9, to)
}

function parseFraction(bytes: Buffer, from: number, to: number): number {
  let fraction = 0
  let digits = 0
  for (let at = from; at < to; at++) {
    const digit = bytes[at] - ZERO
    if (digit < 0 || digit > 9) throw notATimeOfDay()
    if (digits === FRACTION_DIGITS) continue
    fraction = fraction * 10 + digit
    digits++
  }
  return fraction * FRACTION_UNITS[digits]
}

function endOfTimeOfDay(bytes: Buffer, from: number, to: number): number {
  let at = from
  while (at < to && bytes[at] !== LARGE_Z && bytes[at] !== SMALL_Z && bytes[at] !== PLUS && bytes[at] !== MINUS) at++
  return at > from && bytes[at - 1] === SPACE ? at - 1 : at
}

/** Z, ±HH, ±HHMM or ±HH:MM. */
function parseOffset(bytes: Buffer, at: number, to: number): number {
  let from = at
  if (bytes[from] === SPACE) from++
  const sign = bytes[from]
  const length = to - from
  if ((sign === LARGE_Z || sign === SMALL_Z) && length === 1) return 0
  if (sign !== PLUS && sign !== MINUS) throw notATime()
  const hours = digitsAt(bytes, from + 1, 2, to)
  const minutesAt = bytes[from + 3] === COLON ? from + 4 : from + 3
  const minutes = length === 3 ? 0 : digitsAt(bytes, minutesAt, 2, to)
  if ((length !== 3 && minutesAt + 2 !== to) || !(hours <= 18 && minutes <= 59)) throw notATime()
  const offset = (hours * 60 + minutes) * 60e6
  return sign === MINUS ? -offset : offset
}

const [MILLIS_DIGITS, MICROS_DIGITS, MOST_DIGITS] = [12, 15, 17]

function parseEpoch(bytes: Buffer, from: number, to: number): number {
  const digits = to - from
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = bytes[at] - ZERO
    if (digit < 0 || digit > 9) throw notATime()
    value = value * 10 + digit
  }
  if (digits < MILLIS_DIGITS || digits > MOST_DIGITS) throw notATime()
  const micros = digits < MICROS_DIGITS ? value * 1000 : value
  if (micros >= LATEST) throw new BeyondLimits(`is after ${LAST_YEAR}`)
  return micros
}

const cumulativeDays = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
const monthDays = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Midnight of a date of the Gregorian calendar, in microseconds since 1970. */
export function dayOf(year: number, month: number, dayOfMonth: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = month === 2 && isLeap ? 29 : monthDays[month]
  if (!(month >= 1 && dayOfMonth >= 1 && dayOfMonth <= days)) throw new BadValue('is not a date of the calendar')
  if (!(year >= FIRST_YEAR && year <= LAST_YEAR))
    throw new BeyondLimits(`is not between ${FIRST_YEAR} and ${LAST_YEAR}`)
  return daysBefore(year, month, dayOfMonth, isLeap) * DAY
}

function daysBefore(year: number, month: number, dayOfMonth: number, isLeap: boolean): number {
  const before = year - 1
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400)
  const since1 = before * 365 + leapDays + cumulativeDays[month] + (isLeap && month > 2 ? 1 : 0) + dayOfMonth - 1
  return since1 - DAYS_BEFORE_1970
}

const DAYS_BEFORE_1970 = 719_162
const LATEST = Date.UTC(LAST_YEAR + 1, 0, 1) * 1000

/** NaN where they are not all digits. */
function digitsAt(bytes: Buffer, at: number, count: number, to: number): number {
  if (at + count > to) return NaN
  let value = 0
  for (let i = at; i < at + count; i++) {
    const digit = bytes[i] - ZERO
    if (digit < 0 || digit > 9) return NaN
    value = value * 10 + digit
  }
  return value
}

function notATime(): BadValue {
  return new BadValue('is neither an ISO 8601 time nor milliseconds or microseconds since 1970')
}

function notATimeOfDay(): BadValue {
  return new BadValue('is not a time of day as HH:MM:SS.sss')
}
