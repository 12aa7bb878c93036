// Texts and bytes out of DuckDB's vectors as codes into words, without a call of the binding for each of them.
// A string in a vector is 16 bytes: its length, then up to 12 bytes inline, or 4 of prefix and a pointer (DuckDB 1.5).
import duckdb, { type Vector } from '@duckdb/node-bindings'
import { createDictionary } from '../market/decode-dictionary.ts'

export interface TextCoder {
  words: (string | null)[]
  /** Writes the code of each of the vector's first `count` texts into `codes` from `at` on; 0 where there is none. */
  take: (vector: Vector, count: number, codes: Uint32Array, at: number) => Uint8Array | null
}

const INLINE_BYTES = 12
/** From so many words on, a column in which most rows bring a new one gets a word for each row: ids never repeat. */
const LOOK_FOR_REPEATS_BELOW = 4096

export type TextEncoding = 'utf8' | 'base64'

export function createTextCoder(encoding: TextEncoding): TextCoder {
  const dictionary = createDictionary<string | null>((bytes, from, to) => bytes.toString(encoding, from, to))
  const { words } = dictionary
  let rowsSeen = 0
  let repeats = true
  return {
    words,
    take(vector, count, codes, at) {
      const validity = validityOf(vector, count)
      const { bytes, ends } = gatherTexts(vector, count, validity)
      rowsSeen += count
      if (repeats && words.length > LOOK_FOR_REPEATS_BELOW && words.length * 2 > rowsSeen) repeats = false
      for (let row = 0, from = 0; row < count; row++) {
        const to = ends[row]
        if (validity && !isValid(validity, row)) codes[at + row] = 0
        else if (repeats) codes[at + row] = dictionary.codeOf(bytes, from, to)
        else codes[at + row] = words.push(bytes.toString(encoding, from, to)) - 1
        from = to
      }
      return validity
    },
  }
}

/** Null when every value of the vector is there. */
export function validityOf(vector: Vector, count: number): Uint8Array | null {
  return duckdb.vector_get_validity(vector, Math.ceil(count / 64) * 8)
}

export function isValid(validity: Uint8Array, row: number): boolean {
  return ((validity[row >> 3] >> (row & 7)) & 1) === 1
}

/**
 * The texts of a vector end to end. Long ones mostly lie end to end in DuckDB's memory too, and are fetched with one
 * call a run: only bytes that belong to a text of the vector are ever read.
 */
function gatherTexts(vector: Vector, count: number, validity: Uint8Array | null): { bytes: Buffer; ends: Uint32Array } {
  const entries = Buffer.from(new ArrayBuffer(count * 16))
  entries.set(duckdb.vector_get_data(vector, count * 16))
  const fields = new Uint32Array(entries.buffer)
  const ends = new Uint32Array(count)
  let total = 0
  for (let row = 0; row < count; row++) {
    if (!validity || isValid(validity, row)) total += fields[row * 4]
    ends[row] = total
  }
  const bytes = Buffer.allocUnsafe(total)
  let at = 0
  let runFrom = 0
  let runRow = -1
  let runAddress = 0
  const endRun = () => {
    if (runRow >= 0) bytes.set(duckdb.get_data_from_pointer(entries.buffer, runRow * 16 + 8, at - runFrom), runFrom)
    runRow = -1
  }
  for (let row = 0; row < count; row++) {
    if (ends[row] === at) continue
    const length = ends[row] - at
    if (length <= INLINE_BYTES) {
      endRun()
      const from = row * 16 + 4
      for (let i = 0; i < length; i++) bytes[at + i] = entries[from + i]
    } else {
      const address = fields[row * 4 + 3] * 2 ** 32 + fields[row * 4 + 2]
      if (runRow < 0 || address !== runAddress + at - runFrom) {
        endRun()
        runRow = row
        runFrom = at
        runAddress = address
      }
    }
    at = ends[row]
  }
  endRun()
  return { bytes, ends }
}
