// Columns put into the order of their rows at once, where that pays: reading rows as they came and writing each to its
// place keeps to the caches, as sorted rows are a few runs, and picking rows in order does not. Measured with a quarter
// of a million trades of 100 symbols: 20 ns a text instead of 95, 10 ns a number instead of 28.
import { DuckDBDecimalType, DuckDBTypeId, type DuckDBType } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import type { Column } from '../../contract/columns.ts'
import { packedTextsOf } from '../market/packed-texts.ts'
import { encodePacked } from './encode-words.ts'
import { bytesOf } from './fill-numbers.ts'
import { createFiller, TWO_32, writeNullRows, type VectorFiller } from './fill-vector.ts'

/** To be filled with rows of one order only, in which row r is at placeOf[r]. */
export function createOrderedFiller(column: Column | undefined, type: DuckDBType, placeOf: Uint32Array): VectorFiller {
  if (!column) return createFiller(column, type)
  const packed = type.typeId === DuckDBTypeId.VARCHAR ? packedTextsOf(column) : undefined
  if (packed) {
    const { strings, release } = encodePacked(packed, placeOf)
    return fillFrom(strings, 16, column, release)
  }
  const { values } = column
  if (values instanceof Float64Array && isWhole(column, type)) return fillFrom(placed(values, placeOf), 8, column)
  return createFiller(column, type)
}

function isWhole({ type: from, words, scale = 0 }: Column, type: DuckDBType): boolean {
  if (words || from === 'double') return false
  return type instanceof DuckDBDecimalType ? type.scale === scale && bytesOf(type) === 8 : bytesOf(type) === 8
}

/** As 64-bit integers, low and high half of each. */
function placed(doubles: Float64Array, placeOf: Uint32Array): Uint32Array {
  const pairs = new Uint32Array(doubles.length * 2)
  for (let row = 0; row < doubles.length; row++) {
    const value = doubles[row]
    const at = placeOf[row] * 2
    pairs[at] = value
    pairs[at + 1] = Math.floor(value / TWO_32)
  }
  return pairs
}

function fillFrom(ordered: Uint32Array, width: number, { nulls }: Column, release = () => {}): VectorFiller {
  return {
    fill(vector, rows, from, count) {
      duckdb.copy_data_to_vector(vector, 0, ordered.buffer as ArrayBuffer, from * width, count * width)
      if (nulls) writeNullRows(vector, nulls, rows, from, count)
    },
    release,
  }
}
