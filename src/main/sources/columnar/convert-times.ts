// Times and dates of any unit, with or without a zone, as microseconds and days since 1970.
import type { Column } from '../../../contract/columns.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import { parseDate } from '../../base/values/parse-date.ts'
import { parseInstant } from '../../base/values/parse-time.ts'
import type { WallClock } from '../../base/values/zone.ts'
import type { SourceField } from './source-columns.ts'

const DAY_MICROS = 86_400e6
const EARLIEST = Date.UTC(1900, 0, 1) * 1000
const LATEST = Date.UTC(2200, 0, 1) * 1000
const MICROS_PER_UNIT: Readonly<Record<string, number>> = { s: 1e6, ms: 1e3, us: 1, ns: 1e-3 }

/** Microseconds since 1970 of one row; what is finer is cut. */
export type ReadTime = (row: number) => number

export function timeReader(column: Column, { name, kind }: SourceField, wallClock: WallClock): ReadTime {
  const { values, words } = column
  switch (kind) {
    case 'instant':
      return row => inRange(Number(values[row]))
    case 'wall':
      return row => wallClock.instantOf(inRange(Number(values[row])))
    case 'date':
      return row => wallClock.instantOf(inRange(Number(values[row]) * DAY_MICROS))
    case 'whole':
    case 'double': {
      const unit = MICROS_PER_UNIT[/_(s|ms|us|ns)$/i.exec(name)?.[1].toLowerCase() ?? '']
      return row => {
        // Beyond 64 bits a number travels as text.
        const value = Number(words ? words[Number(values[row])] : values[row])
        return inRange(Math.floor(value * (unit ?? unitBySize(value))))
      }
    }
    default:
      return row => {
        const bytes = Buffer.from((words as readonly string[])[Number(values[row])].trim())
        return parseInstant(bytes, 0, bytes.length, wallClock)
      }
  }
}

/** As in CSV files: 12 to 14 digits are milliseconds, 15 to 17 microseconds; here 18 and 19 are nanoseconds, too. */
function unitBySize(value: number): number {
  if (value >= 1e11 && value < 1e14) return MICROS_PER_UNIT.ms
  if (value >= 1e14 && value < 1e17) return MICROS_PER_UNIT.us
  if (value >= 1e17 && value < 1e19) return MICROS_PER_UNIT.ns
  throw new BadValue('is not milli-, micro- or nanoseconds since 1970')
}

function inRange(micros: number): number {
  if (!(micros >= EARLIEST && micros < LATEST)) throw new BadValue('is not between 1900 and 2199')
  return micros
}

/** Days since 1970; of a time, the day in UTC or on its own wall. */
export function dateReader({ values, words }: Column, { kind }: SourceField): ReadTime {
  switch (kind) {
    case 'date':
      return row => Number(values[row])
    case 'instant':
    case 'wall':
      return row => Math.floor(inRange(Number(values[row])) / DAY_MICROS)
    default:
      return row => parseDate((words as readonly string[])[Number(values[row])].trim())
  }
}
