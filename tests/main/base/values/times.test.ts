import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { timestampText } from '../../../../src/contract/columns.ts'
import { parseDate } from '../../../../src/main/base/values/parse-date.ts'
import { parseInstant, parseMonthFirstDate, parseTimeOfDay } from '../../../../src/main/base/values/parse-time.ts'
import { createWallClock } from '../../../../src/main/base/values/zone.ts'

const SYDNEY = 'Australia/Sydney'
const utc = createWallClock('UTC')
const within = (text: string) => [Buffer.from(`,${text},`), 1, Buffer.byteLength(text) + 1] as const
const instant = (text: string, clock = utc) => timestampText(parseInstant(...within(text), clock))
const rawInstant = (date: string, time: string, clock = createWallClock(SYDNEY)) =>
  timestampText(clock.instantOf(parseMonthFirstDate(...within(date)) + parseTimeOfDay(...within(time))))

/** The wall's reading of an instant, by Intl alone, in microseconds as if it were UTC. */
function wallOf(zone: string, ms: number): number {
  const [year, month, day, hour, minute, second] = Array<'numeric'>(6).fill('numeric')
  const fields = { year, month, day, hour, minute, second }
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...fields })
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) * 1000
}

describe('an instant', () => {
  it.each([
    ['2014-03-10T10:00:00Z', '2014-03-10T10:00:00.000000Z'],
    ['2014-03-10 10:00:00.123456', '2014-03-10T10:00:00.123456Z'],
    ['2014-03-10T10:00:00.123456789+11:00', '2014-03-09T23:00:00.123456Z'],
    ['2014-03-10t10:00:00-0530', '2014-03-10T15:30:00.000000Z'],
    ['2014-03-10T10:00+11', '2014-03-09T23:00:00.000000Z'],
    ['2014-03-10 10:00:00.5 +11:00', '2014-03-09T23:00:00.500000Z'],
    ['2014-03-10', '2014-03-10T00:00:00.000000Z'],
    ['1394398867532', '2014-03-09T21:01:07.532000Z'],
    ['1394398867532123', '2014-03-09T21:01:07.532123Z'],
    ['2012-02-29T00:00:00Z', '2012-02-29T00:00:00.000000Z'],
  ])('may be written as %s', (text, expected) => {
    expect(instant(text)).toBe(expected)
  })

  it('is wall time of the zone where it has no offset', () => {
    expect(instant('2014-03-10T10:00:00', createWallClock(SYDNEY))).toBe('2014-03-09T23:00:00.000000Z')
  })

  it.each([
    ['10:00', 'neither an ISO 8601 time nor'],
    ['2014-02-29T00:00:00Z', 'is not a date of the calendar'],
    ['2014-13-01T00:00:00Z', 'is not a date of the calendar'],
    ['2014-03-10T24:00:00Z', 'is not a time of day'],
    ['2014-03-10T10:60:00Z', 'is not a time of day'],
    ['2014-03-10T10:00:00.Z', 'is not a time of day'],
    ['2014-03-10T10:00:00+1', 'neither an ISO'],
    ['2014-03-10X10:00:00', 'neither an ISO'],
    ['0014-03-10T10:00:00', 'is not between 1900 and 2199'],
    ['1394398867', 'neither an ISO'],
    ['139439886753212345', 'neither an ISO'],
    ['', 'neither an ISO'],
  ])('%j is refused with the reason', (text, reason) => {
    expect(() => instant(text)).toThrow(reason)
  })

  it('is what JavaScript makes of the same text, for any time', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date('1900-01-01'), max: new Date('2199-12-31'), noInvalidDate: true }), date => {
        expect(parseInstant(...within(date.toISOString()), utc)).toBe(date.getTime() * 1000)
      }),
    )
  })
})

describe('a wall time', () => {
  const zones = [
    SYDNEY,
    'America/New_York',
    'Europe/London',
    'Australia/Lord_Howe',
    'Asia/Kolkata',
    'Pacific/Apia',
    'Africa/Casablanca',
  ]

  it('is an instant at which the zone shows just that time', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(1990, 0, 1) / 1000, max: Date.UTC(2037, 0, 1) / 1000 }),
        (zone, seconds) => {
          const wall = wallOf(zone, seconds * 1000)
          const found = createWallClock(zone).instantOf(wall)
          expect(wallOf(zone, found / 1000)).toBe(wall)
          // A wall time that comes twice is the first one for a file that begins with it.
          expect(found).toBeLessThanOrEqual(seconds * 1e6)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('goes forward through every hour of a day on which clocks go back', () => {
    const clock = createWallClock(SYDNEY)
    const start = Date.UTC(2014, 3, 5, 12)
    for (let ms = start; ms < start + 8 * 3_600_000; ms += 137_000) {
      const whole = ms - (ms % 1000)
      expect(clock.instantOf(wallOf(SYDNEY, whole))).toBe(whole * 1000)
    }
  })

  it('that comes twice is the first one, also where rows are out of order by less than a minute', () => {
    const clock = createWallClock(SYDNEY)
    expect(rawInstant('04/06/2014', '02:30:10.000', clock)).toBe('2014-04-05T15:30:10.000000Z')
    expect(rawInstant('04/06/2014', '02:30:09.000', clock)).toBe('2014-04-05T15:30:09.000000Z')
    expect(rawInstant('04/06/2014', '02:59:59.999', clock)).toBe('2014-04-05T15:59:59.999000Z')
    expect(rawInstant('04/06/2014', '02:00:01.000', clock)).toBe('2014-04-05T16:00:01.000000Z')
    expect(rawInstant('04/06/2014', '02:30:10.000', clock)).toBe('2014-04-05T16:30:10.000000Z')
    expect(rawInstant('04/06/2014', '03:00:00.000', clock)).toBe('2014-04-05T17:00:00.000000Z')
  })

  it('that clocks jumped over is refused', () => {
    expect(rawInstant('10/05/2014', '01:59:59.999')).toBe('2014-10-04T15:59:59.999000Z')
    expect(() => rawInstant('10/05/2014', '02:30:00.000')).toThrow('does not exist in Australia/Sydney')
    expect(rawInstant('10/05/2014', '03:00:00.000')).toBe('2014-10-04T16:00:00.000000Z')
  })

  it('is read by the offset of its day: UTC+11 in March, UTC+10 in July', () => {
    expect(rawInstant('03/10/2014', '07:57:14.754')).toBe('2014-03-09T20:57:14.754000Z')
    expect(rawInstant('07/10/2014', '07:57:14.754')).toBe('2014-07-09T21:57:14.754000Z')
  })

  it.each([
    ['13/03/2014', '10:00:00', 'the day seems to come first'],
    ['2014-03-10', '10:00:00', 'is not a date as MM/DD/YYYY'],
    ['03/10/14', '10:00:00', 'is not a date as MM/DD/YYYY'],
    ['02/30/2014', '10:00:00', 'is not a date of the calendar'],
    ['03/10/2014', '25:00:00', 'is not a time of day'],
    ['03/10/2014', '1:00:00', 'is not a time of day'],
    ['03/10/2014', '10:00:0a', 'is not a time of day'],
  ])('%s %s is refused with the reason', (date, time, reason) => {
    expect(() => rawInstant(date, time)).toThrow(reason)
  })

  it('of a zone that does not exist is a failure that names it', () => {
    expect(() => createWallClock('Mars/Olympus')).toThrow('There is no time zone Mars/Olympus')
  })
})

it('reads days of the reference file in three forms', () => {
  const day = Date.UTC(2014, 2, 9) / 86_400_000
  for (const text of ['2014-03-09', '03/09/2014', '3/9/2014', '20140309']) expect(parseDate(text)).toBe(day)
  for (const text of ['2014-02-30', 'yesterday', '09.03.2014']) expect(() => parseDate(text)).toThrow('is not a date')
})
