// Answers cut out of what comes over a connection, however that is cut.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFrames } from '../../../../src/main/log/kafka/frames.ts'

function framed(texts: readonly string[]): Buffer {
  return Buffer.concat(
    texts.flatMap(text => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(Buffer.byteLength(text))
      return [length, Buffer.from(text)]
    }),
  )
}

describe('answers in a stream', () => {
  it('come out whole and in order, however they are cut, from memory that is used again', () => {
    const texts = fc.array(fc.string({ minLength: 4, maxLength: 60 }), { maxLength: 20 })
    const property = fc.property(texts, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sent, cuts) => {
      const got: Buffer[] = []
      const frames = createFrames(frame => got.push(frame))
      const bytes = framed(sent)
      const reused = Buffer.alloc(50)
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const count = bytes.copy(reused, 0, at, at + cuts[i % cuts.length])
        frames.push(reused.subarray(0, count))
        at += count
      }
      expect(got.map(String)).toEqual(sent)
    })
    fc.assert(property)
  })

  it.each([-1, 3, 0x48545450])('are refused when they say that they have %i bytes', size => {
    const frames = createFrames(() => {})
    const length = Buffer.alloc(4)
    length.writeInt32BE(size)
    expect(() => frames.push(length)).toThrow(RangeError)
  })
})
