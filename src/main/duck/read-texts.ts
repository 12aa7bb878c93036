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
/** A column whose first texts all differ is taken for one of ids: they get a word each, and are never looked up. */
const ALL_DIFFERENT = 512
/** The same, later on, where most rows bring a new one. */
const LOOK_FOR_REPEATS_BELOW = 4096
/** Entries that are remembered while a vector is read. */
const SLOT_BITS = 9
const SLOTS = 2 ** SLOT_BITS
/** Long texts of a vector that are fetched one by one; where more are new, all of them are fetched together. */
const MOST_FETCHED = 32

export type TextEncoding = 'utf8' | 'base64'

export function createTextCoder(encoding: TextEncoding): TextCoder {
  const dictionary = createDictionary<string | null>((bytes, from, to) => bytes.toString(encoding, from, to))
  const { words } = dictionary
  const slots: Slots = { fields: new Uint32Array(SLOTS * 4), codes: new Int32Array(SLOTS) }
  /** The entries of the vector that is being read: fresh memory for each would bring the collector on. */
  let scratch = Buffer.from(new ArrayBuffer(0))
  /** Rows of the vectors before. */
  let rowsBefore = 0
  let repeats = true

  function codeOf(bytes: Buffer, from: number, to: number, row: number): number {
    const code = dictionary.codeOf(bytes, from, to)
    const seen = rowsBefore + row + 1
    if (words.length >= ALL_DIFFERENT && words.length === seen) repeats = false
    if (words.length > LOOK_FOR_REPEATS_BELOW && words.length * 2 > seen) repeats = false
    return code
  }

  /** Gives the row from which on texts are better gathered. */
  function codeEntries(entries: Buffer, asked: EntriesAsked): number {
    let fetched = 0
    const fields = fieldsOf(entries)
    slots.codes.fill(-1)
    return codeRepeated(fields, slots, asked, row => {
      const length = fields[row * 4]
      const from = row * 16 + 4
      if (!repeats) return -1
      if (length <= INLINE_BYTES) return codeOf(entries, from, from + length, row)
      if (++fetched > MOST_FETCHED) return -1
      const { buffer, byteOffset } = duckdb.get_data_from_pointer(entries.buffer as ArrayBuffer, row * 16 + 8, length)
      return codeOf(Buffer.from(buffer, byteOffset, length), 0, length, row)
    })
  }

  function codeGathered(
    { bytes, ends }: { bytes: Buffer; ends: Uint32Array },
    first: number,
    count: number,
    validity: Uint8Array | null,
    codes: Uint32Array,
    at: number,
  ): void {
    let joined: string | undefined
    for (let row = first, from = 0; row < count; row++) {
      const to = ends[row]
      if (validity && !isValid(validity, row)) codes[at + row] = 0
      else if (repeats) codes[at + row] = codeOf(bytes, from, to, row)
      else {
        // Slices of one text where bytes and characters agree: a fifth of what making each one costs.
        joined ??= encoding === 'utf8' ? bytes.toString('utf8') : ''
        const word = joined.length === bytes.length ? joined.slice(from, to) : bytes.toString(encoding, from, to)
        codes[at + row] = words.push(word) - 1
      }
      from = to
    }
  }

  return {
    words,
    take(vector, count, codes, at) {
      const validity = validityOf(vector, count)
      if (scratch.length < count * 16) scratch = Buffer.from(new ArrayBuffer(count * 16))
      const entries = scratch.subarray(0, count * 16)
      entries.set(duckdb.vector_get_data(vector, count * 16))
      const first = repeats ? codeEntries(entries, { count, validity, codes, at }) : 0
      if (first < count) codeGathered(gatherTexts(entries, first, count, validity), first, count, validity, codes, at)
      rowsBefore += count
      return validity
    },
  }
}

/** Entries that were met in a vector, by where their hash leads, with their codes; a negative one where there is none. */
interface Slots {
  fields: Uint32Array
  codes: Int32Array
}

/** The first `count` rows, the code of each to be written `at` places behind its own. */
interface EntriesAsked {
  count: number
  validity: Uint8Array | null
  codes: Uint32Array
  at: number
}

/**
 * By the 16 bytes of each entry, mostly one that came before; `codeOf` gives the code of any other, and its slot is for it
 * then. Ends at the row for which that is negative.
 */
function codeRepeated(
  fields: Uint32Array,
  { fields: slotFields, codes: slotCodes }: Slots,
  { count, validity, codes, at }: EntriesAsked,
  codeOf: (row: number) => number,
): number {
  let [lastField, lastCode] = [-1, 0]
  for (let row = 0; row < count; row++) {
    if (validity && !isValid(validity, row)) {
      codes[at + row] = 0
      continue
    }
    const field = row * 4
    const length = fields[field]
    const head = fields[field + 1]
    const middle = fields[field + 2]
    const tail = fields[field + 3]
    // Runs of one text, as files sorted by instrument have them, take no more than this.
    if (
      lastField >= 0 &&
      fields[lastField + 1] === head &&
      fields[lastField + 2] === middle &&
      fields[lastField + 3] === tail &&
      fields[lastField] === length
    ) {
      codes[at + row] = lastCode
      continue
    }
    // The upper bits of a product are moved by every byte, also by the fourth, which is all that sets many symbols apart.
    const mixed = head ^ Math.imul(middle, 0x85ebca6b) ^ Math.imul(tail, 0xc2b2ae35) ^ length
    const slot = Math.imul(mixed, 0x9e3779b1) >>> (32 - SLOT_BITS)
    const known = slot * 4
    if (
      slotCodes[slot] < 0 ||
      slotFields[known + 1] !== head ||
      slotFields[known + 2] !== middle ||
      slotFields[known + 3] !== tail ||
      slotFields[known] !== length
    ) {
      const code = codeOf(row)
      if (code < 0) return row
      slotCodes[slot] = code
      slotFields[known] = length
      slotFields[known + 1] = head
      slotFields[known + 2] = middle
      slotFields[known + 3] = tail
    }
    codes[at + row] = lastCode = slotCodes[slot]
    lastField = field
  }
  return count
}

function fieldsOf(entries: Buffer): Uint32Array {
  return new Uint32Array(entries.buffer, entries.byteOffset, entries.length / 4)
}

/** Null when every value of the vector is there. */
export function validityOf(vector: Vector, count: number): Uint8Array | null {
  return duckdb.vector_get_validity(vector, Math.ceil(count / 64) * 8)
}

export function isValid(validity: Uint8Array, row: number): boolean {
  return ((validity[row >> 3] >> (row & 7)) & 1) === 1
}

/**
 * The texts of a vector end to end, from row `first` on. Long ones mostly lie end to end in DuckDB's memory too, and are
 * fetched with one call a run: only bytes that belong to a text of the vector are ever read.
 */
function gatherTexts(
  entries: Buffer,
  first: number,
  count: number,
  validity: Uint8Array | null,
): { bytes: Buffer; ends: Uint32Array } {
  const fields = fieldsOf(entries)
  const ends = new Uint32Array(count)
  let total = 0
  for (let row = first; row < count; row++) {
    if (!validity || isValid(validity, row)) total += fields[row * 4]
    ends[row] = total
  }
  const bytes = Buffer.allocUnsafe(total)
  let at = 0
  let runFrom = 0
  let runRow = -1
  let runAddress = 0
  const endRun = () => {
    if (runRow >= 0)
      bytes.set(duckdb.get_data_from_pointer(entries.buffer as ArrayBuffer, runRow * 16 + 8, at - runFrom), runFrom)
    runRow = -1
  }
  for (let row = first; row < count; row++) {
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
