import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createXxhash64 } from '../../../src/main/base/xxhash64.ts'

/** As its author's own program gives them. */
const KNOWN: [text: string, digest: string][] = [
  ['', 'ef46db3751d8e999'],
  ['a', 'd24ec4f1a98c6e5b'],
  ['abc', '44bc2cf5ad770999'],
  ['Nobody inspects the spammish repetition', 'fbcea83c8a378bf1'],
]

it.each(KNOWN)('of %j is %s', (text, digest) => {
  const hash = createXxhash64()
  hash.update(Buffer.from(text))
  expect(hash.digest().toString(16)).toBe(digest)
})

it('is the same in whatever pieces the bytes come, and another one for other bytes', () => {
  const ofPieces = (...pieces: Uint8Array[]) => {
    const hash = createXxhash64()
    pieces.forEach(piece => hash.update(piece))
    return hash.digest()
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), fc.nat(), (bytes, one, other) => {
      const [from, to] = [one % bytes.length, other % bytes.length].sort((a, b) => a - b)
      const whole = ofPieces(bytes)
      expect(ofPieces(bytes.subarray(0, from), bytes.subarray(from, to), bytes.subarray(to))).toBe(whole)
      expect(ofPieces(bytes.map((byte, at) => (at === from ? byte ^ 1 : byte)))).not.toBe(whole)
    }),
  )
})
