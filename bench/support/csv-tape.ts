// CSV files of made-up trades and quotes, in both forms, as fast as a disk takes them: bytes, not texts.
import { closeSync, openSync, writeSync } from 'node:fs'
import { createRandom, symbolName, TAPE_SYMBOLS } from './tape.ts'

export type CsvForm = 'asx-raw trades' | 'asx-raw quotes' | 'k2 trades'

/** What --reference names: the company of asx-raw files. */
export const COMPANY_INFO =
  'company_id,symbol,company_name,ISIN,start_date,end_date\n7078,BHP,BHP Billiton Limited,,1962-01-31,\n'

const BUFFER_BYTES = 1 << 22
const MOST_OF_A_ROW = 128
const DAYS = 5
const OPEN_MS = 10 * 3600e3
const SESSION_MS = 6 * 3600e3

/** Five trading days from 10 March 2014 on, the rows spread evenly over them. */
export function writeCsv(path: string, form: CsvForm, rows: number): void {
  const file = openSync(path, 'w')
  const bytes = Buffer.allocUnsafe(BUFFER_BYTES)
  const random = createRandom(rows)
  let at = 0
  const text = (value: string) => (at += bytes.write(value, at, 'latin1'))
  const digits = (value: number, width: number) => {
    for (let i = at + width - 1; i >= at; i--, value = Math.floor(value / 10)) bytes[i] = 48 + (value % 10)
    at += width
  }
  const byte = (value: string) => (bytes[at++] = value.charCodeAt(0))
  const clock = (ms: number) => {
    digits(Math.floor(ms / 3600e3), 2)
    byte(':')
    digits(Math.floor(ms / 60e3) % 60, 2)
    byte(':')
    digits(Math.floor(ms / 1e3) % 60, 2)
    byte('.')
    digits(ms % 1000, 3)
  }
  const price = (thousandths: number) => {
    digits(Math.floor(thousandths / 1000), 2)
    byte('.')
    digits(thousandths % 1000, 3)
  }

  if (form === 'k2 trades') text('symbol,exchange_timestamp,price,quantity,side,sequence_number,trade_id\n')
  for (let row = 0; row < rows; row++) {
    const day = 10 + Math.floor((row / rows) * DAYS)
    const ms = OPEN_MS + Math.floor(((row / rows) * DAYS - (day - 10)) * SESSION_MS)
    const thousandths = 30_000 + Math.floor(random() * 9000)
    const quantity = Math.ceil(random() ** 3 * 9999)
    if (form === 'k2 trades') {
      text(symbolName(Math.floor(random() * TAPE_SYMBOLS)))
      text(',2014-03-')
      digits(day, 2)
      byte('T')
      clock(ms)
      text('+11:00,')
      price(thousandths)
      byte(',')
      digits(quantity, 4)
      text(row & 1 ? ',BUY,' : ',SELL,')
      digits(row, 8)
      text(',T')
      digits(row, 8)
      byte('\n')
    } else {
      text('03/')
      digits(day, 2)
      text('/2014,')
      clock(ms)
      byte(',')
      price(thousandths)
      byte(',')
      if (form === 'asx-raw trades') {
        digits(quantity, 4)
        text(row % 50 === 0 ? ',3,X,' : ',0,,')
        digits(100 + (row % 60), 3)
      } else {
        if (row % 100 === 0) text('0.0')
        else price(thousandths + 10)
        byte(',')
        digits(quantity, 4)
        byte(',')
        digits(row % 5000, 4)
      }
      text('\r\n')
    }
    if (at > BUFFER_BYTES - MOST_OF_A_ROW) {
      writeSync(file, bytes, 0, at)
      at = 0
    }
  }
  writeSync(file, bytes, 0, at)
  closeSync(file)
}
