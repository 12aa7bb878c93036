// Values of a column as text, for JSON, CSV and the like: what is not a word.
import { decimalText, type Column } from '../../contract/columns.ts'

/** Writes a cell that is not null, with what stands before and after it. */
export type CellWriter = (row: number) => string

export function plainCell(before: string, { type, values, scale = 0 }: Column, after: string): CellWriter {
  switch (type) {
    case 'decimal':
      return decimalWriter(before, values, scale, after)
    case 'timestamp':
      return timestampWriter(before, values, after)
    case 'date':
      return row => `${before}${new Date(Number(values[row]) * 86_400_000).toISOString().slice(0, 10)}${after}`
    case 'boolean':
      return row => before + (Number(values[row]) === 1 ? 'true' : 'false') + after
    default:
      return row => `${before}${values[row]}${after}`
  }
}

/** As `decimalText`, without its string work while the fraction fits 32 bits and the number is a double from 0 up. */
function decimalWriter(head: string, values: Column['values'], scale: number, tail: string): CellWriter {
  const unit = 10 ** scale
  return row => {
    const value = values[row]
    if (scale > 9 || typeof value === 'bigint' || value < 0) return head + decimalText(value, scale) + tail
    let fraction = (value % unit) | 0
    const whole = (value - fraction) / unit
    if (fraction === 0) return head + whole + tail
    let places = scale
    for (; fraction % 10 === 0; places--) fraction = (fraction / 10) | 0
    const digits = String(fraction)
    return `${head}${whole}.${'0'.repeat(places - digits.length)}${digits}${tail}`
  }
}

const two = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'))
const three = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'))

/** As `timestampText`, making the day's text once a day and the second's once a second. */
function timestampWriter(head: string, values: Column['values'], tail: string): CellWriter {
  let day = NaN
  let dayText = ''
  let second = NaN
  let secondText = ''
  return row => {
    const micros = Number(values[row])
    if (Math.floor(micros / 1_000_000) !== second) {
      second = Math.floor(micros / 1_000_000)
      if (Math.floor(second / 86_400) !== day) {
        day = Math.floor(second / 86_400)
        dayText = new Date(day * 86_400_000).toISOString().slice(0, -13)
      }
      const inDay = second - day * 86_400
      const [hours, minutes] = [Math.floor(inDay / 3600), Math.floor(inDay / 60) % 60]
      secondText = `${head}${dayText}${two[hours]}:${two[minutes]}:${two[inDay % 60]}.`
    }
    const inSecond = micros - second * 1_000_000
    const millis = Math.floor(inSecond / 1000)
    return `${secondText}${three[millis]}${three[inSecond - millis * 1000]}Z${tail}`
  }
}
