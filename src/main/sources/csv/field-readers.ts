// How the bytes of a field get into a column, for every kind of column.
import type { NumberMaker, WordMaker } from '../values/columns.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import { checkedText } from '../values/columns.ts'
import { parseDecimal, parseLong } from '../../base/values/parse-number.ts'
import type { ReadField } from './row-reader.ts'

export function decimalInto(column: NumberMaker): ReadField {
  return (row, bytes, from, to) => column.set(row, parseDecimal(bytes, from, to))
}

export function quantityInto(column: NumberMaker): ReadField {
  return (row, bytes, from, to) => {
    const quantity = parseDecimal(bytes, from, to)
    if (quantity < 0) throw new BadValue('is negative')
    column.set(row, quantity)
  }
}

export function longInto(column: NumberMaker): ReadField {
  return (row, bytes, from, to) => column.set(row, parseLong(bytes, from, to))
}

export function wordInto(column: WordMaker): ReadField {
  return (row, bytes, from, to) => void column.take(row, bytes, from, to)
}

const LONGEST_SYMBOL = 64

export function symbolOf(bytes: Buffer, from: number, to: number): string {
  if (from === to) throw new BadValue('is missing')
  const text = checkedText(bytes, from, to)
  if (text.length > LONGEST_SYMBOL) throw new BadValue(`is longer than ${LONGEST_SYMBOL} characters`)
  return text
}

/** Upper case, as rows carry it. */
export function exchangeNameOf(bytes: Buffer, from: number, to: number): string {
  const text = checkedText(bytes, from, to)
  if (!/^[A-Za-z0-9._-]{1,32}$/.test(text)) throw new BadValue('is not the name of an exchange')
  return text.toUpperCase()
}

/** One of the words, whatever its case; `short` are other ways to write them. */
export function oneOf(words: readonly string[], short: Readonly<Record<string, string>> = {}) {
  return (bytes: Buffer, from: number, to: number): string => {
    const text = checkedText(bytes, from, to)
    const word = [text, text.toUpperCase(), text.toLowerCase()].find(written => words.includes(written))
    const found = word ?? short[text.toUpperCase()]
    if (found === undefined) throw new BadValue(`is none of ${words.join(', ')}`)
    return found
  }
}
