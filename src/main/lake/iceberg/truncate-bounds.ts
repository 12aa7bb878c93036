// Long texts and bytes make poor bounds: they are cut, the lower one down and the upper one up.
import type { Value } from './schema.ts'

const DEFAULT_LENGTH = 16
const MAX_CODE_POINT = 0x10ffff
const LAST_BEFORE_SURROGATES = 0xd7ff
const FIRST_AFTER_SURROGATES = 0xe000

/**
 * Bounds of at most `length` code points or bytes that still hold all values between the given ones. `upper` is absent
 * when no such bound exists. Values of other types stay as they are.
 */
export function truncateBounds<V extends Value>(
  lower: V,
  upper: V,
  length: number = DEFAULT_LENGTH,
): { lower: V; upper: V | undefined } {
  if (typeof lower === 'string' && typeof upper === 'string') {
    return { lower: lowerText(lower, length) as V, upper: upperText(upper, length) as V | undefined }
  }
  if (lower instanceof Uint8Array && upper instanceof Uint8Array) {
    return { lower: lower.subarray(0, length) as V, upper: upperBytes(upper, length) as V | undefined }
  }
  return { lower, upper }
}

function lowerText(text: string, length: number): string {
  return text.length <= length ? text : [...prefix(text, length)].slice(0, length).join('')
}

function upperText(text: string, length: number): string | undefined {
  if (text.length <= length) return text
  const points = [...prefix(text, length)]
  if (points.length <= length && prefix(text, length).length === text.length) return text
  for (let i = Math.min(length, points.length) - 1; i >= 0; i--) {
    const point = points[i].codePointAt(0)!
    if (point < MAX_CODE_POINT) {
      const next = point === LAST_BEFORE_SURROGATES ? FIRST_AFTER_SURROGATES : point + 1
      return points.slice(0, i).join('') + String.fromCodePoint(next)
    }
  }
  return undefined
}

/** Long enough for `length` code points and one more, so that a text of megabytes is not spread. */
function prefix(text: string, length: number): string {
  return text.slice(0, 2 * (length + 1))
}

function upperBytes(bytes: Uint8Array, length: number): Uint8Array | undefined {
  if (bytes.length <= length) return bytes
  for (let i = length - 1; i >= 0; i--) {
    if (bytes[i] < 0xff) {
      // A Buffer's own slice would be the same memory, and raise the lower bound with it.
      const raised = Uint8Array.from(bytes.subarray(0, i + 1))
      raised[i]++
      return raised
    }
  }
  return undefined
}
