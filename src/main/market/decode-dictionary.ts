// Codes for runs of bytes that repeat: each distinct run is turned into its word once.
import { malformed } from './decode-primitives.ts'

export interface Dictionary<W> {
  words: W[]
  codeOf(bytes: Buffer, from: number, to: number): number
}

const FIRST_SLOTS = 64
const FNV_PRIME = 0x01000193

/** `wordOf` sees a run only the first time it comes. A run that would be one word too many is refused. */
export function createDictionary<W>(
  wordOf: (bytes: Buffer, from: number, to: number) => W,
  maxWords = Infinity,
): Dictionary<W> {
  const words: W[] = []
  /** By code. A word that somebody else has added, such as null, has none. */
  const runs: Buffer[] = []
  /** By slot, 0 for an empty one: code + 1. Open addressing, at most half full. */
  let slots = new Int32Array(FIRST_SLOTS)
  let hashes = new Int32Array(FIRST_SLOTS / 2)
  /** The code of the run before: exchanges and currencies come again and again. */
  let last = -1

  function add(run: Buffer, word: W, hash: number): number {
    const code = words.push(word) - 1
    while (words.length >= hashes.length) grow()
    runs[code] = run
    hashes[code] = hash
    insert(code)
    return code
  }

  function insert(code: number): void {
    const mask = slots.length - 1
    let slot = hashes[code] & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = code + 1
  }

  function grow(): void {
    const larger = new Int32Array(hashes.length * 2)
    larger.set(hashes)
    hashes = larger
    slots = new Int32Array(slots.length * 2)
    runs.forEach((_, code) => insert(code))
  }

  return {
    words,
    codeOf(bytes, from, to) {
      if (last >= 0 && isSame(runs[last], bytes, from, to)) return last
      const hash = hashOf(bytes, from, to)
      const mask = slots.length - 1
      let slot = hash & mask
      for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
        const code = slots[slot] - 1
        if (hashes[code] === hash && isSame(runs[code], bytes, from, to)) return (last = code)
      }
      if (words.length >= maxWords) malformed(`more than ${maxWords} distinct values`)
      return (last = add(Buffer.from(bytes.subarray(from, to)), wordOf(bytes, from, to), hash))
    },
  }
}

/** The text of a run that was checked to be UTF-8. */
export function textOf(bytes: Buffer, from: number, to: number): string {
  return bytes.toString('utf8', from, to)
}

function hashOf(bytes: Buffer, from: number, to: number): number {
  let hash = to - from
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at], FNV_PRIME)
  return hash ^ (hash >>> 15)
}

function isSame(run: Buffer, bytes: Buffer, from: number, to: number): boolean {
  if (run.length !== to - from) return false
  for (let i = 0; i < run.length; i++) if (run[i] !== bytes[from + i]) return false
  return true
}
