// Columns in which few texts repeat, as ENUMs: one byte a row where a string takes sixteen, and DuckDB writes them to
// Parquet, as the same strings, without hashing each one. Measured: a quarter of what writing a trade costs.
import { ENUM, type DuckDBType } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import type { Column, Word } from '../../contract/columns.ts'
import { packedTextsOf } from '../market/packed-texts.ts'
import { VECTOR_ROWS, writeNulls, type VectorFiller } from './fill-vector.ts'
import { toCodes } from './fill-numbers.ts'

export interface FewTexts {
  /**
   * An ENUM of just the texts these rows have, because a row group's statistics tell the least and the greatest text of
   * the type, not of the rows. Nothing when they have none.
   */
  ofRows: (rows: Uint32Array) => FewTextsOfRows | undefined
}

export interface FewTextsOfRows {
  texts: readonly string[]
  type: DuckDBType
  filler: VectorFiller
}

const MAX_TEXTS = 64
const NONE = 255
const ZEROS = new ArrayBuffer(VECTOR_ROWS)
const cells = new Uint8Array(VECTOR_ROWS)
const bits = new Uint32Array(VECTOR_ROWS / 32)

/** Nothing for a column with more texts than pay. */
export function fewTextsOf(column: Column): FewTexts | undefined {
  if (packedTextsOf(column)) return undefined
  const { words, values, nulls } = column
  const texts = words && textsOf(words)
  if (!texts) return undefined
  if (texts.length === 1 && !nulls && !words.includes(null)) return { ofRows: () => oneText(texts) }
  const places = Uint8Array.from(words, word => (word === null ? NONE : texts.indexOf(word as string)))
  const codes = toCodes(values, nulls, words.length)
  const placeOfRow = new Uint8Array(codes.length)
  for (let row = 0; row < codes.length; row++) placeOfRow[row] = nulls?.[row] ? NONE : places[codes[row]]
  return {
    ofRows(rows) {
      const used = new Uint8Array(256)
      markUsed(used, placeOfRow, rows)
      const present = texts.filter((_, place) => used[place])
      if (present.length === 0) return undefined
      const codeOf = new Uint8Array(256)
      texts.forEach((text, place) => (codeOf[place] = Math.max(0, present.indexOf(text))))
      return { texts: present, type: ENUM(present), filler: fillCodes(placeOfRow, codeOf, used[NONE] === 1) }
    },
  }
}

function oneText(texts: readonly string[]): FewTextsOfRows {
  const filler: VectorFiller = {
    fill: (vector, _, __, count) => duckdb.copy_data_to_vector(vector, 0, ZEROS, 0, count),
    release() {},
  }
  return { texts, type: ENUM(texts), filler }
}

/** Without looking on once there are too many: ids never repeat. */
function textsOf(words: readonly Word[]): string[] | undefined {
  const texts = new Set<string>()
  for (const word of words) {
    if (typeof word === 'string') texts.add(word)
    if (texts.size > MAX_TEXTS) return undefined
  }
  return [...texts]
}

function markUsed(used: Uint8Array, placeOfRow: Uint8Array, rows: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) used[placeOfRow[rows[i]]] = 1
}

function fillCodes(placeOfRow: Uint8Array, codeOf: Uint8Array, anyNull: boolean): VectorFiller {
  return {
    fill(vector, rows, from, count) {
      gatherCodes(cells, codeOf, placeOfRow, rows, from, count)
      duckdb.copy_data_to_vector(vector, 0, cells.buffer, 0, count)
      if (!anyNull) return
      bits.fill(0xffffffff)
      for (let k = 0; k < count; k++) if (placeOfRow[rows[from + k]] === NONE) bits[k >> 5] &= ~(1 << (k & 31))
      writeNulls(vector, bits, count)
    },
    release() {},
  }
}

function gatherCodes(
  out: Uint8Array,
  codeOf: Uint8Array,
  placeOfRow: Uint8Array,
  rows: Uint32Array,
  from: number,
  count: number,
): void {
  for (let k = 0; k < count; k++) out[k] = codeOf[placeOfRow[rows[from + k]]]
}
