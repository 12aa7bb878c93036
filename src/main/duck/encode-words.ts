// Words as DuckDB's strings: 16 bytes each, the text itself in them or a pointer to it. The texts are handed to DuckDB
// as one BLOB, which tells where they lie; every length is that of a word encoded here, so no pointer leads outside.
import { BLOB, DuckDBDataChunk } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import type { PackedTexts } from '../market/packed-texts.ts'

/** Length of a word that is null. */
export const NO_TEXT = 0xffffffff

export interface EncodedWords {
  /** Four fields a word, as they go into a vector; for null the length is NO_TEXT. Good until `release`. */
  strings: Uint32Array
  anyNull: boolean
  /** The texts may be forgotten. */
  release: () => void
}

const INLINE_BYTES = 12
const MASKS = [0, 0xff, 0xffff, 0xffffff]
/** Words encoded by one call: enough to make it cheap, few enough for the joined text to stay small. */
const JOINED = 512

export function encodeTexts(words: readonly (string | null)[]): EncodedWords {
  const lengths = new Uint32Array(words.length)
  let total = 0
  let anyNull = false
  const blocks: Buffer[] = []
  for (let from = 0; from < words.length; from += JOINED) {
    const block = words.slice(from, from + JOINED)
    const bytes = Buffer.from(block.join(''))
    let characters = 0
    for (let i = 0; i < block.length; i++) {
      const word = block[i]
      if (word === null) anyNull = true
      characters += lengths[from + i] = word === null ? 0 : word.length
    }
    // As many bytes as characters: all of it is ASCII. Joining may only merge halves of a character, so count each.
    if (characters !== bytes.length) {
      const parts = block.map(word => Buffer.from(word ?? ''))
      parts.forEach((part, i) => (lengths[from + i] = part.length))
      blocks.push(Buffer.concat(parts))
    } else blocks.push(bytes)
    total += blocks.at(-1)!.length
  }
  const { strings, release } = layOut(lengths, Buffer.concat(blocks, total + INLINE_BYTES))
  if (anyNull) words.forEach((word, i) => void (word === null && (strings[i * 4] = NO_TEXT)))
  return { strings, anyNull, release }
}

/** Without a string being made. With places, text i is field placeOf[i]. */
export function encodePacked({ bytes, ends }: PackedTexts, placeOf?: Uint32Array): EncodedWords {
  const lengths = new Uint32Array(ends.length)
  for (let i = 0, from = 0; i < ends.length; from = ends[i++]) lengths[i] = ends[i] - from
  const total = ends.length === 0 ? 0 : ends[ends.length - 1]
  const hasRoom = bytes.byteOffset + total + INLINE_BYTES <= bytes.buffer.byteLength
  const texts = hasRoom
    ? Buffer.from(bytes.buffer, bytes.byteOffset, total + INLINE_BYTES)
    : Buffer.concat([bytes], total + INLINE_BYTES)
  return { ...layOut(lengths, texts, placeOf), anyNull: false }
}

/** From base64, as the contract's batches hold them. */
export function encodeBytes(words: readonly (string | null)[]): EncodedWords {
  const parts = words.map(word => Buffer.from(word ?? '', 'base64'))
  const lengths = Uint32Array.from(parts, part => part.length)
  const { strings, release } = layOut(lengths, Buffer.concat([...parts, Buffer.alloc(INLINE_BYTES)]))
  words.forEach((word, i) => void (word === null && (strings[i * 4] = NO_TEXT)))
  return { strings, anyNull: words.includes(null), release }
}

/** `bytes` has INLINE_BYTES to spare at its end. */
function layOut(lengths: Uint32Array, bytes: Buffer, placeOf?: Uint32Array) {
  const strings = new Uint32Array(lengths.length * 4)
  const holder = DuckDBDataChunk.create([BLOB], 1)
  const address = handOver(holder, bytes)
  const low = address % 2 ** 32
  const high = Math.floor(address / 2 ** 32)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  fillStrings(strings, lengths, view, { low, high, placeOf })
  return { strings, release: () => holder.reset() }
}

function fillStrings(
  strings: Uint32Array,
  lengths: Uint32Array,
  bytes: DataView,
  { low, high, placeOf }: { low: number; high: number; placeOf: Uint32Array | undefined },
): void {
  let at = 0
  for (let i = 0; i < lengths.length; i++) {
    const length = lengths[i]
    const field = (placeOf ? placeOf[i] : i) * 4
    strings[field] = length
    if (length > INLINE_BYTES) {
      const address = low + at
      strings[field + 1] = bytes.getUint32(at, true)
      strings[field + 2] = address
      strings[field + 3] = high + (address >= 2 ** 32 ? Math.floor(address / 2 ** 32) : 0)
    } else {
      const whole = length >> 2
      for (let word = 0; word < whole; word++) strings[field + 1 + word] = bytes.getUint32(at + word * 4, true)
      // Bytes beyond the text are zero: DuckDB compares them.
      if (length & 3) strings[field + 1 + whole] = bytes.getUint32(at + whole * 4, true) & MASKS[length & 3]
    }
    at += length
  }
}

/** Where DuckDB now keeps a copy of the bytes; more than INLINE_BYTES of them, so they lie elsewhere than in the vector. */
function handOver({ chunk }: DuckDBDataChunk, bytes: Buffer): number {
  const padded = bytes.length > INLINE_BYTES ? bytes : Buffer.alloc(INLINE_BYTES + 1)
  const vector = duckdb.data_chunk_get_vector(chunk, 0)
  duckdb.vector_assign_string_element_len(vector, 0, padded)
  const entry = Buffer.from(duckdb.vector_get_data(vector, 16))
  return entry.readUInt32LE(8) + entry.readUInt32LE(12) * 2 ** 32
}
