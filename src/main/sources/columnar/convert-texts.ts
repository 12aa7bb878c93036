// Texts, enums, lists and maps, and anything as text.
import type { Column, Values, Word } from '../../../contract/columns.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import { cellText } from './cell-text.ts'

/** Any column as text, each distinct one once; empty text is no text. */
export function textColumn(source: Column, rowCount: number): Column {
  if (source.type === 'string' || source.type === 'enum') return withoutEmpty(source, rowCount)
  const codes = new Uint32Array(rowCount)
  const words: string[] = []
  const known = new Map<string, number>()
  for (let row = 0; row < rowCount; row++) {
    if (source.nulls?.[row] === 1) continue
    const text = cellText(source, row)
    let code = known.get(text)
    if (code === undefined) known.set(text, (code = words.push(text) - 1))
    codes[row] = code
  }
  return { type: 'string', values: codes, words: wordsOf(words), ...(source.nulls && { nulls: source.nulls }) }
}

function withoutEmpty({ values, words, nulls }: Column, rowCount: number): Column {
  const texts = words as readonly (string | null)[]
  if (!texts.includes('') && !texts.includes(null)) return { type: 'string', values, words, ...(nulls && { nulls }) }
  const none = Uint8Array.from({ length: rowCount }, (_, row) =>
    nulls?.[row] === 1 || !texts[Number(values[row])] ? 1 : 0,
  )
  return { type: 'string', values, words: texts.map(text => text ?? ''), nulls: none }
}

/** A column of nothing but nulls still needs a word that its codes can point to. */
function wordsOf(words: string[]): string[] {
  return words.length > 0 ? words : ['']
}

/** What must hold for a text, by its column; each distinct one is judged once. */
const RULES: Readonly<Record<string, { most: number; form?: RegExp; reason?: string }>> = {
  symbol: { most: 64 },
  exchange: { most: 32, form: /^[A-Za-z0-9._-]+$/, reason: 'is not the name of an exchange' },
}
// eslint-disable-next-line no-control-regex -- just those are refused
const CONTROL = /[\u0000-\u001f\u007f]/

export function checkedTexts(name: string, column: Column, each: (check: (row: number) => void) => void): Column {
  const { most, form, reason } = RULES[name] ?? { most: Infinity }
  const words = column.words as readonly string[]
  const problems = words.map(word => {
    if (word.length > most) return `is longer than ${most} characters`
    if (CONTROL.test(word)) return 'has a control character'
    return form && !form.test(word) ? reason : undefined
  })
  if (problems.some(problem => problem !== undefined))
    each(row => {
      const problem = problems[Number(column.values[row])]
      if (problem !== undefined) throw new BadValue(problem)
    })
  return name === 'exchange' ? { ...column, words: words.map(word => word.toUpperCase()) } : column
}

/** A list of one for a text: a qualifier is a condition. */
export function listColumn(source: Column, rowCount: number): Column {
  if (source.type === 'list') return source
  const { values, words, nulls } = textColumn(source, rowCount)
  return { type: 'list', values, words: (words as readonly string[]).map(text => [text]), ...(nulls && { nulls }) }
}

/** Sides as feeds abbreviate them. */
const SHORT: Readonly<Record<string, string>> = { b: 'buy', s: 'sell', ss: 'sell_short' }

/** Places of texts in an enum's values, in whatever case they are written. */
export function enumReader({ values, words }: Column, allowed: readonly string[]): (row: number) => number {
  const places = (words as readonly string[]).map(word => {
    const written = word.trim().toLowerCase()
    return allowed.findIndex(value => value.toLowerCase() === (SHORT[written] ?? written))
  })
  return row => {
    const place = places[Number(values[row])]
    if (place < 0) throw new BadValue(`is none of ${allowed.join(', ')}`)
    return place
  }
}

const BOOLEANS: Readonly<Record<string, number>> = {
  true: 1,
  t: 1,
  yes: 1,
  y: 1,
  '1': 1,
  false: 0,
  f: 0,
  no: 0,
  n: 0,
  '0': 0,
}

export function booleanReader(source: Column): (row: number) => number {
  const { values } = source
  if (source.type === 'boolean') return row => Number(values[row])
  return row => {
    const text = cellText(source, row).trim().toLowerCase()
    if (!Object.hasOwn(BOOLEANS, text)) throw new BadValue('is neither true nor false')
    return BOOLEANS[text]
  }
}

/** What the table has no column for, as maps; rows that say the same share a word. */
export function vendorData(
  named: Column | undefined,
  extras: readonly (readonly [string, Column])[],
  rowCount: number,
): Column {
  const columns = extras.map(([name, column]) => [name, textColumn(column, rowCount)] as const)
  const codes = new Uint32Array(rowCount)
  const nulls = new Uint8Array(rowCount)
  const words: Word[] = []
  const known = new Map<string, number>()
  for (let row = 0; row < rowCount; row++) {
    const key = columns.map(([, { values, nulls: none }]) => codeAt(values, none, row)).join() + codeOf(named, row)
    let code = known.get(key)
    if (code === undefined) {
      const own = named && !named.nulls?.[row] ? named.words![Number(named.values[row])] : null
      const entries = columns.flatMap(([name, column]) => (column.nulls?.[row] ? [] : [[name, cellText(column, row)]]))
      code =
        words.push({
          ...(own as Record<string, string> | null),
          ...(Object.fromEntries(entries) as Record<string, string>),
        }) - 1
      known.set(key, code)
    }
    codes[row] = code
    if (Object.keys(words[code] as object).length === 0) nulls[row] = 1
  }
  return { type: 'map', values: codes, words: words.length > 0 ? words : [{}], nulls }
}

function codeOf(column: Column | undefined, row: number): string {
  return column ? `;${codeAt(column.values, column.nulls, row)}` : ''
}

function codeAt(values: Values, nulls: Uint8Array | undefined, row: number): string {
  return nulls?.[row] ? '' : String(values[row])
}
