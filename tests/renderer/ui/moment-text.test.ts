// Moments as people write them.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { momentIn, momentText } from '../../../src/renderer/ui/moment-text.ts'

const zone = (id: string) => ({ id, label: id })
const SYDNEY = zone('Australia/Sydney')
const NEAR = Date.parse('2014-03-10T03:00:00Z') * 1000
const utc = (text: string) => Date.parse(text) * 1000

describe('a moment', () => {
  it.each([
    ['2014-03-10 11:10:00.123456', utc('2014-03-10T00:10:00Z') + 123_456],
    ['2014-03-10T11:10', utc('2014-03-10T00:10:00Z')],
    ['2014-3-9', utc('2014-03-08T13:00:00Z')],
    [' 11:10:05,5 ', utc('2014-03-10T00:10:05Z') + 500_000],
  ])('%j is read in the zone', (text, micros) => {
    expect(momentIn(text, SYDNEY, NEAR)).toBe(micros)
  })

  it.each(['', 'noon', '2014-02-30', '25:00', '11:61', '11:10:61', '2014-03-10 1110'])('%j is none', text => {
    expect(momentIn(text, SYDNEY, NEAR)).toBeUndefined()
  })

  it('that is written is read as the same one, in any zone, but for the hour that happens twice', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: utc('2000-01-01T00:00:00Z'), max: utc('2035-01-01T00:00:00Z') }),
        fc.constantFrom('UTC', 'Australia/Sydney', 'America/New_York', 'Asia/Kathmandu'),
        (micros, id) => {
          const back = momentIn(momentText(micros, zone(id)), zone(id), NEAR)!
          const hoursOff = (micros - back) / 3_600e6
          expect([0, 1]).toContain(hoursOff)
          expect(momentText(back, zone(id))).toBe(momentText(micros, zone(id)))
        },
      ),
    )
  })
})
