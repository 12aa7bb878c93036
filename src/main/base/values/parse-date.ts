// Calendar days of the reference file: ISO 8601, MM/DD/YYYY or YYYYMMDD.
import { BadValue } from './bad-value.ts'
import { dayOf } from './parse-time.ts'

const DAY = 86_400e6
const FORMS = [
  /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})$/,
  /^(?<month>\d{1,2})\/(?<day>\d{1,2})\/(?<year>\d{4})$/,
  /^(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})$/,
]

/** Days since 1970. */
export function parseDate(text: string): number {
  for (const form of FORMS) {
    const { year, month, day } = form.exec(text)?.groups ?? {}
    if (year !== undefined) return dayOf(Number(year), Number(month), Number(day)) / DAY
  }
  throw new BadValue('is not a date as YYYY-MM-DD, MM/DD/YYYY or YYYYMMDD')
}
