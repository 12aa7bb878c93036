// Which of an exchange's own days a time falls into: sequence numbers may begin anew with each.
import { exchangeOf, type DayOf } from '../../market/exchanges.ts'

type Day = (micros: number) => number

const DAY_MICROS = 86_400e6
/** Clocks of all zones are apart from UTC by whole quarters of an hour, so a day begins with one. */
export const QUARTER_MICROS = 900e6
/** A century of days is 3.5 million quarters; times that jump about must not fill the memory. */
const MOST_KNOWN = 20_000

/** Days since 1970 on the exchange's own clock; any exchange, in upper case or not. One day all through a quarter of an hour. */
export function createSessionDays(): DayOf {
  const byExchange = new Map<string, Day>()
  const byZone = new Map<string, Day>([['UTC', micros => Math.floor(micros / DAY_MICROS)]])
  return (exchange, micros) => {
    let day = byExchange.get(exchange)
    if (!day) {
      const { zone } = exchangeOf(exchange)
      day = byZone.get(zone) ?? daysOf(zone)
      byZone.set(zone, day)
      if (byExchange.size >= MOST_KNOWN) byExchange.clear()
      byExchange.set(exchange, day)
    }
    return day(micros)
  }
}

function daysOf(zone: string): Day {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
  })
  const known = new Map<number, number>()
  let lastQuarter = NaN
  let lastDay = NaN

  function ask(quarter: number): number {
    const parts: Record<string, number> = {}
    for (const { type, value } of format.formatToParts((quarter * QUARTER_MICROS) / 1000)) parts[type] = Number(value)
    const day = Date.UTC(parts.year, parts.month - 1, parts.day) / 86_400e3
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(quarter, day)
    return day
  }

  return micros => {
    const quarter = Math.floor(micros / QUARTER_MICROS)
    if (quarter !== lastQuarter) {
      lastDay = known.get(quarter) ?? ask(quarter)
      lastQuarter = quarter
    }
    return lastDay
  }
}
