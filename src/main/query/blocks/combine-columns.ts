// Columns of several blocks as one.
import type { Column, Word } from '../../../contract/columns.ts'

/** One after the other. Decimals get the most places that one of them has. */
export function joinColumns(parts: readonly Column[]): Column {
  const [first] = parts
  if (parts.length === 1) return first
  const rowCount = parts.reduce((sum, { values }) => sum + values.length, 0)
  const joined = first.words ? joinWords(parts, rowCount) : joinNumbers(parts, rowCount)
  const nulls = joinNulls(parts, rowCount)
  return { type: first.type, ...joined, ...(nulls && { nulls }) }
}

function joinNulls(parts: readonly Column[], rowCount: number): Uint8Array | undefined {
  if (parts.every(({ nulls }) => !nulls)) return undefined
  const joined = new Uint8Array(rowCount)
  let at = 0
  for (const { nulls, values } of parts) {
    if (nulls) joined.set(nulls, at)
    at += values.length
  }
  return joined
}

function joinWords(parts: readonly Column[], rowCount: number): Pick<Column, 'values' | 'words'> {
  const words: Word[] = []
  const codeOf = new Map<Word, number>()
  const values = new Uint32Array(rowCount)
  let at = 0
  for (const part of parts) {
    const codes = Uint32Array.from(part.words!, word => {
      const known = codeOf.get(word)
      if (known !== undefined) return known
      codeOf.set(word, words.length)
      return words.push(word) - 1
    })
    for (let row = 0; row < part.values.length; row++) values[at++] = codes[Number(part.values[row])]
  }
  return { values, words }
}

function joinNumbers(parts: readonly Column[], rowCount: number): Pick<Column, 'values' | 'scale'> {
  const scale = Math.max(...parts.map(part => part.scale ?? 0))
  const hasScale = parts.some(part => part.scale !== undefined)
  const isExact = parts.every(part => fitsScaled(part, scale))
  const values = isExact ? new Float64Array(rowCount) : new BigInt64Array(rowCount)
  let at = 0
  for (const { values: own, scale: ownScale = 0 } of parts) {
    const power = 10 ** (scale - ownScale)
    if (values instanceof Float64Array) for (let i = 0; i < own.length; i++) values[at++] = Number(own[i]) * power
    else for (let i = 0; i < own.length; i++) values[at++] = BigInt(own[i]) * BigInt(power)
  }
  return hasScale ? { values, scale } : { values }
}

function fitsScaled({ values, scale: own = 0 }: Column, scale: number): boolean {
  if (values instanceof BigInt64Array) return false
  if (scale === own) return true
  const limit = Number.MAX_SAFE_INTEGER / 10 ** (scale - own)
  for (let i = 0; i < values.length; i++) if (values[i] > limit || values[i] < -limit) return false
  return true
}

/** A guess at the memory a column takes. */
export function bytesOfColumn({ values, words, nulls }: Column): number {
  let inWords = 0
  // One word stands for all, since ids are alike and few words weigh nothing.
  if (words && words.length > 0) inWords = words.length * (40 + 2 * JSON.stringify(words[words.length - 1]).length)
  return values.byteLength + (nulls?.byteLength ?? 0) + inWords
}
