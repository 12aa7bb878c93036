// Rows of two sources as one: the newest of both, in the total order, as columns of their own.
import type { Column, ColumnBatch, Values, Word } from '../../../contract/columns.ts'
import { emptyBatch } from '../../../contract/columns.ts'
import type { ColumnSpec } from '../../../contract/tables.ts'
import { compareRows, orderKeys, type OrderKeys } from './row-order.ts'

/** Rows `from` … `to` of a batch, which stand in the total order. */
export interface RowRun {
  batch: ColumnBatch
  from: number
  to: number
}

export interface Merged {
  batch: ColumnBatch
  /** How many of its rows are of the first run, and of the second. */
  rows: readonly [number, number]
}

/** Of rows that are equal in the whole order, those of the first run come first. */
export function mergeNewest(specs: readonly ColumnSpec[], first: RowRun, second: RowRun, limit: number): Merged {
  const picks = pickNewest(first, second, limit)
  const ofSecond = picks.reduce((sum, pick) => sum + (pick < 0 ? 1 : 0), 0)
  const rows = [picks.length - ofSecond, ofSecond] as const
  if (picks.length === 0) return { batch: emptyBatch(specs), rows }
  const sides = [rows[0] > 0 ? first.batch : undefined, rows[1] > 0 ? second.batch : undefined] as const
  const columns = specs.map(({ name, type }) => {
    const [a, b] = sides.map(side => side?.columns[name])
    return [name, { ...gather(picks, a, b, type), type }] as const
  })
  return { batch: { rowCount: picks.length, columns: Object.fromEntries(columns) }, rows }
}

/** Rows of the first run by their number, of the second by its complement. */
function pickNewest(first: RowRun, second: RowRun, limit: number): Int32Array {
  const count = Math.min(limit, first.to - first.from + second.to - second.from)
  const picks = new Int32Array(count)
  const [a, b] = [orderKeys(first.batch), orderKeys(second.batch)]
  let i = first.to - 1
  let j = second.to - 1
  for (let at = count - 1; at >= 0; at--) {
    const takesSecond = j >= second.from && (i < first.from || isLater(b, j, a, i))
    picks[at] = takesSecond ? ~j-- : i--
  }
  return picks
}

function isLater(b: OrderKeys, j: number, a: OrderKeys, i: number): boolean {
  return compareRows(b, j, a, i) >= 0
}

function gather(
  picks: Int32Array,
  a: Column | undefined,
  b: Column | undefined,
  type: ColumnSpec['type'],
): Omit<Column, 'type'> {
  const nulls = gatherNulls(picks, a, b)
  if (a?.words ?? b?.words) return { ...gatherWords(picks, a, b), ...nulls }
  return { ...gatherNumbers(picks, a, b, type), ...nulls }
}

function gatherNulls(picks: Int32Array, a: Column | undefined, b: Column | undefined): { nulls?: Uint8Array } {
  const isPlain = (column: Column | undefined) => column && !column.nulls
  if (isPlain(a) && isPlain(b)) return {}
  const nulls = new Uint8Array(picks.length)
  let any = 0
  for (let row = 0; row < picks.length; row++) {
    const pick = picks[row]
    const column = pick < 0 ? b : a
    any |= nulls[row] = column ? (column.nulls?.[pick < 0 ? ~pick : pick] ?? 0) : 1
  }
  return any ? { nulls } : {}
}

/** Only words that are used, as a batch may hold those of ten times as many rows. */
function gatherWords(
  picks: Int32Array,
  a: Column | undefined,
  b: Column | undefined,
): Pick<Column, 'values' | 'words'> {
  const values = new Uint32Array(picks.length)
  const words: Word[] = []
  const codeOf = new Map<Word, number>()
  const known = [a, b].map(column => new Int32Array(column?.words?.length ?? 0).fill(-1))
  for (let row = 0; row < picks.length; row++) {
    const pick = picks[row]
    const side = pick < 0 ? 1 : 0
    const column = side ? b : a
    const from = pick < 0 ? ~pick : pick
    if (!column?.words || column.nulls?.[from]) continue
    const word = Number(column.values[from])
    let code = known[side][word]
    if (code < 0) code = known[side][word] = codeOfWord(column.words[word], words, codeOf)
    values[row] = code
  }
  return { values, words }
}

/** Texts of both sources that are alike get one code; lists and maps are compared by nobody. */
function codeOfWord(word: Word, words: Word[], codeOf: Map<Word, number>): number {
  const known = codeOf.get(word)
  if (known !== undefined) return known
  codeOf.set(word, words.length)
  return words.push(word) - 1
}

function gatherNumbers(
  picks: Int32Array,
  a: Column | undefined,
  b: Column | undefined,
  type: ColumnSpec['type'],
): Pick<Column, 'values' | 'scale'> {
  const scale = type === 'decimal' ? Math.max(a?.scale ?? 0, b?.scale ?? 0) : undefined
  const [ofA, ofB] = [numbersOf(a, scale), numbersOf(b, scale)]
  const isWide = ofA instanceof BigInt64Array || ofB instanceof BigInt64Array
  const values = isWide ? takeLongs(picks, ofA, ofB) : takeDoubles(picks, ofA, ofB)
  return scale === undefined ? { values } : { values, scale }
}

const NONE = new Float64Array(0)

function numbersOf(column: Column | undefined, scale: number | undefined): Values {
  if (!column) return NONE
  const places = (scale ?? 0) - (column.scale ?? 0)
  if (scale === undefined || places === 0) return column.values
  return BigInt64Array.from(column.values as ArrayLike<number | bigint>, value => BigInt(value) * 10n ** BigInt(places))
}

function takeDoubles(picks: Int32Array, a: Values, b: Values): Float64Array {
  const values = new Float64Array(picks.length)
  for (let row = 0; row < picks.length; row++) {
    const pick = picks[row]
    values[row] = (pick < 0 ? b[~pick] : a[pick]) as number
  }
  return values
}

function takeLongs(picks: Int32Array, a: Values, b: Values): BigInt64Array {
  const values = new BigInt64Array(picks.length)
  for (let row = 0; row < picks.length; row++) {
    const pick = picks[row]
    values[row] = BigInt((pick < 0 ? b[~pick] : a[pick]) ?? 0)
  }
  return values
}
