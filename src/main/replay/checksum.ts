// A number for the rows that were played, in their order: the same on every run, however they were cut into batches and
// whether they came out of the tables or out of the live view. It tells runs apart, and is no protection against forgery.
import type { Column, ColumnBatch, Word } from '../../contract/columns.ts'

export interface Checksum {
  /** Rows of one table, each behind so many others: the order of rows of several tables counts too. */
  add: (table: number, batch: ColumnBatch, names: readonly string[]) => Uint32Array
  /** What `add` gave, row by row in the order of the rows. */
  mix: (row: number, hash: number) => void
  restart: () => void
  text: () => string
}

const SCALE = 8
const TWO_32 = 2 ** 32
const NO_VALUE = 0x9e3779b9

export function createChecksum(): Checksum {
  let low = 0x811c9dc5
  let high = 0x1b873593
  return {
    add(table, batch, names) {
      const hashes = new Uint32Array(batch.rowCount).fill(table + 1)
      for (const name of names) addColumn(hashes, batch.columns[name])
      return hashes
    },
    mix(_row, hash) {
      low = Math.imul(low ^ hash, 0x01000193)
      high = Math.imul((high << 13) | (high >>> 19), 5) + (hash ^ low)
    },
    restart() {
      low = 0x811c9dc5
      high = 0x1b873593
    },
    text: () => [high, low].map(lane => (lane >>> 0).toString(16).padStart(8, '0')).join(''),
  }
}

function addColumn(hashes: Uint32Array, column: Column): void {
  const { values, words, nulls, type, scale } = column
  if (words) return addWords(hashes, column, words)
  const shift = type === 'decimal' ? SCALE - (scale ?? 0) : 0
  for (let row = 0; row < hashes.length; row++) {
    if (nulls?.[row]) {
      hashes[row] = mixed(hashes[row], NO_VALUE)
      continue
    }
    const value = values[row]
    if (typeof value === 'number' && shift === 0) {
      const upper = Math.floor(value / TWO_32)
      hashes[row] = mixed(mixed(hashes[row], value - upper * TWO_32), upper)
    } else {
      const wide = BigInt(value) * 10n ** BigInt(shift)
      hashes[row] = mixed(mixed(hashes[row], Number(wide & 0xffffffffn)), Number(wide >> 32n))
    }
  }
}

/** A null word is no value, as a null of the column is. */
function addWords(hashes: Uint32Array, { values, nulls }: Column, words: readonly Word[]): void {
  const hashOf = new Array<number | undefined>(words.length)
  for (let row = 0; row < hashes.length; row++) {
    const code = Number(values[row])
    const hash = nulls?.[row] ? NO_VALUE : (hashOf[code] ??= hashWord(words[code]))
    hashes[row] = mixed(hashes[row], hash)
  }
}

function hashWord(word: Word): number {
  if (word === null) return NO_VALUE
  const sorted = typeof word === 'object' && !Array.isArray(word) ? Object.entries(word).sort() : word
  const text = typeof sorted === 'string' ? sorted : JSON.stringify(sorted)
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

function mixed(hash: number, value: number): number {
  let next = Math.imul(hash ^ value, 0x85ebca6b)
  next ^= next >>> 15
  return Math.imul(next, 0xc2b2ae35) + NO_VALUE
}
