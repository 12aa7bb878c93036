// A column batch as a JSON array of row objects, straight from the columns into bytes: most of what a REST query costs.
// Measured: 1,000 trades of 18 columns (469 kB) in 1.6 ms, by row objects and JSON.stringify 3.9 ms.
import { decimalText, type Column, type ColumnBatch } from '../../contract/columns.ts'

export function rowsToJson({ rowCount, columns }: ColumnBatch): Buffer {
  const cells = Object.entries(columns).map(([name, column], i) => {
    const head = `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`
    return { nulls: column.nulls, empty: `${head}null`, cell: cellWriter(head, column) }
  })
  let bytes: Buffer = Buffer.allocUnsafe(1024 + rowCount * 512)
  let at = bytes.write('[')
  for (let row = 0; row < rowCount; row++) {
    let line = row > 0 ? ',' : ''
    for (const { nulls, empty, cell } of cells) line += nulls?.[row] ? empty : cell(row)
    line += cells.length > 0 ? '}' : '{}'
    // Row by row, because one string of all rows costs 0.4 ms more to put together. 3: bytes of UTF-8 per unit at the most.
    if (bytes.length - at <= line.length * 3) bytes = grown(bytes, at + line.length * 3)
    at += bytes.write(line, at)
  }
  at += bytes.write(']', at)
  return bytes.subarray(0, at)
}

function grown(bytes: Buffer, needed: number): Buffer {
  const larger = Buffer.allocUnsafe(2 * Math.max(bytes.length, needed))
  bytes.copy(larger)
  return larger
}

/** Writes the cells of a column that are not null, each after the name of its field. */
type CellWriter = (row: number) => string

function cellWriter(head: string, { type, values, words, scale = 0 }: Column): CellWriter {
  if (words) return wordWriter(head, values, words)
  switch (type) {
    case 'decimal':
      return decimalWriter(head, values, scale)
    case 'timestamp':
      return timestampWriter(head, values)
    case 'long':
      return row => `${head}"${values[row]}"`
    case 'date':
      return row => `${head}"${new Date(Number(values[row]) * 86_400_000).toISOString().slice(0, 10)}"`
    case 'boolean':
      return row => head + (Number(values[row]) === 1 ? 'true' : 'false')
    default:
      return row => head + JSON.stringify(Number(values[row]))
  }
}

/** Each word is written once, however often it is used and however large its dictionary. */
function wordWriter(head: string, codes: Column['values'], words: NonNullable<Column['words']>): CellWriter {
  const plain = /^[ !#-[\]-~]*$/
  const written = new Array<string | undefined>(words.length)
  return row => {
    const code = Number(codes[row])
    return (written[code] ??= write(words[code]))
  }
  function write(word: (typeof words)[number]): string {
    return typeof word === 'string' && plain.test(word) ? `${head}"${word}"` : head + JSON.stringify(word)
  }
}

/** As `decimalText`, without its string work while the fraction fits 32 bits and the number is a double from 0 up. */
function decimalWriter(head: string, values: Column['values'], scale: number): CellWriter {
  const unit = 10 ** scale
  return row => {
    const value = values[row]
    if (scale > 9 || typeof value === 'bigint' || value < 0) return `${head}"${decimalText(value, scale)}"`
    let fraction = (value % unit) | 0
    const whole = (value - fraction) / unit
    if (fraction === 0) return `${head}"${whole}"`
    let places = scale
    for (; fraction % 10 === 0; places--) fraction = (fraction / 10) | 0
    const digits = String(fraction)
    return `${head}"${whole}.${'0'.repeat(places - digits.length)}${digits}"`
  }
}

const two = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'))
const three = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'))

/** As `timestampText`, making the day's text once a day and the second's once a second. */
function timestampWriter(head: string, values: Column['values']): CellWriter {
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
      secondText = `${head}"${dayText}${two[hours]}:${two[minutes]}:${two[inDay % 60]}.`
    }
    const inSecond = micros - second * 1_000_000
    const millis = Math.floor(inSecond / 1000)
    return `${secondText}${three[millis]}${three[inSecond - millis * 1000]}Z"`
  }
}
