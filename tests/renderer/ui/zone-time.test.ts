// Times of day in zones, over the changes of the clock.
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { dateOf, timeOfDay, zoneOf, zoneOffsetMs } from '../../../src/renderer/ui/zone-time.ts'

const at = (iso: string, micros = 0) => Date.parse(iso) * 1000 + micros
const sydney = zoneOf('exchange', 'ASX')
const utc = zoneOf('utc', 'ASX')
const newYork = { id: 'America/New_York', label: 'New York time' }

describe('a time of day', () => {
  it('is in the zone, to the millisecond', () => {
    expect(timeOfDay(at('2026-11-20T23:41:22.118Z'), sydney)).toBe('10:41:22.118')
    expect(timeOfDay(at('2026-11-20T23:41:22.118Z'), utc)).toBe('23:41:22.118')
  })

  it('has its microseconds when asked, and cuts them otherwise', () => {
    const moment = at('2026-11-20T23:41:22.118Z', 999)
    expect(timeOfDay(moment, sydney, 'microsecond')).toBe('10:41:22.118999')
    expect(timeOfDay(moment, sydney)).toBe('10:41:22.118')
    expect(timeOfDay(moment, sydney, 'second')).toBe('10:41:22')
    expect(timeOfDay(moment, sydney, 'minute')).toBe('10:41')
  })

  it.each([
    ['2026-10-03T15:59:59.999Z', '01:59:59.999', 'before Sydney goes ahead'],
    ['2026-10-03T16:00:00.000Z', '03:00:00.000', 'after'],
    ['2026-04-04T15:59:59.999Z', '02:59:59.999', 'before Sydney goes back'],
    ['2026-04-04T16:00:00.000Z', '02:00:00.000', 'after'],
  ])('%s is %s in Sydney, %s', (iso, text) => {
    expect(timeOfDay(at(iso), sydney)).toBe(text)
  })

  it('is eleven hours ahead of UTC in Sydney in March 2014', () => {
    expect(timeOfDay(at('2014-03-09T20:57:14.754Z'), sydney)).toBe('07:57:14.754')
  })

  it('follows the other hemisphere too', () => {
    expect(zoneOffsetMs(newYork.id, Date.parse('2026-03-08T06:59:59Z'))).toBe(-5 * 3_600_000)
    expect(zoneOffsetMs(newYork.id, Date.parse('2026-03-08T07:00:00Z'))).toBe(-4 * 3_600_000)
  })

  it('is right before 1970', () => {
    expect(timeOfDay(at('1969-12-31T23:59:59.500Z'), utc)).toBe('23:59:59.500')
    expect(timeOfDay(-1, utc, 'microsecond')).toBe('23:59:59.999999')
  })
})

describe('a zone', () => {
  it("is the exchange's where it is known, UTC where it is not", () => {
    expect(sydney).toEqual({ id: 'Australia/Sydney', label: 'Sydney time' })
    expect(zoneOf('exchange', 'NOWHERE')).toEqual({ id: 'UTC', label: 'UTC' })
    expect(zoneOf('exchange', undefined).id).toBe('UTC')
  })

  it.each(['Australia/Sydney', 'America/New_York', 'UTC'])('of this machine in %s is the same object each time', id => {
    const resolved = { ...new Intl.DateTimeFormat().resolvedOptions(), timeZone: id }
    const resolving = vi.spyOn(Intl.DateTimeFormat.prototype, 'resolvedOptions').mockReturnValue(resolved)
    onTestFinished(() => resolving.mockRestore())
    expect(zoneOf('local', undefined).id).toBe(id)
    expect(zoneOf('local', undefined)).toBe(zoneOf('local', 'ASX'))
  })
})

it('dates are those of the zone', () => {
  const moment = at('2026-11-20T23:41:22Z')
  expect(dateOf(moment, sydney)).toBe('Sat 21 Nov 2026')
  expect(dateOf(moment, utc)).toBe('Fri 20 Nov 2026')
})
