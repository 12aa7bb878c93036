import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decompress } from '../../../../src/main/lake/iceberg/avro-codecs.ts'

const TEXT = 'BHP.AX '.repeat(40) + 'RIO.AX '.repeat(3) + 'xyz'
const CRC = Buffer.alloc(4)
// Made by Google's snappy and by zstd's own library.
const snappy = Buffer.from('sAIYQkhQLkFYIP4HAP4HAP4HAP4HAEIHAAhSSU8hGDYHAAh4eXo=', 'base64')
const zstandard = Buffer.from('KLUv/WAwALUAAGhCSFAuQVggUklPeHl6AgDAGw5SixE=', 'base64')

describe('a block', () => {
  it('compressed by snappy is read', () => {
    expect(decompress('snappy', Buffer.concat([snappy, CRC])).toString()).toBe(TEXT)
  })

  it('compressed by zstandard is read', () => {
    expect(decompress('zstandard', zstandard).toString()).toBe(TEXT)
  })

  it('compressed in a way not known here is refused by its name', () => {
    expect(() => decompress('bzip2', snappy)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }))
    expect(() => decompress('bzip2', snappy)).toThrow('bzip2')
  })

  it.each([
    ['snappy', Buffer.concat([snappy, CRC])],
    ['zstandard', zstandard],
    ['deflate', zstandard],
  ])('of %s that was changed or cut off is found out or decoded, and never takes the memory', (codec, good) => {
    const change = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255), length: fc.nat(good.length) })
    fc.assert(
      fc.property(change, ({ at, byte, length }) => {
        const bytes = Buffer.from(good)
        bytes[at] = byte
        try {
          expect(decompress(codec, bytes.subarray(0, length)).length).toBeLessThan(2 ** 28)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('that claims to be huge is refused before there is room made for it', () => {
    const huge = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0])
    expect(() => decompress('snappy', huge)).toThrow('length')
    // 128 kB of one byte, again and again, each from four bytes.
    const run = Buffer.from('02001061', 'hex')
    const frame = Buffer.concat([Buffer.from('28b52ffd0058', 'hex'), ...Array<Buffer>(3000).fill(run)])
    expect(() => decompress('zstandard', frame)).toThrow('large')
  })
})
