// What batches are compressed with: refused before it takes the memory of whoever decompresses it, whatever it claims.
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { compressFrameSync } from 'lz4-napi'
import { describe, expect, it } from 'vitest'
import { decompress } from '../../../../src/main/log/kafka/codecs.ts'
import { mostOfLz4 } from '../../../../src/main/log/kafka/lz4-size.ts'

const TOO_LARGE = 257 * 1024 * 1024

describe('a compressed batch', () => {
  it('in LZ4 is never taken for smaller than it is', () => {
    const runs = fc.array(fc.tuple(fc.nat(255), fc.nat(200_000)), { maxLength: 12 })
    const property = fc.property(runs, fc.boolean(), fc.boolean(), (runs, contentChecksum, blockChecksums) => {
      const plain = Buffer.concat(runs.map(([byte, length]) => Buffer.alloc(length, byte)))
      const frame = compressFrameSync(plain, { contentChecksum, blockChecksums })
      expect(mostOfLz4(frame)).toBeGreaterThanOrEqual(plain.length)
      expect(mostOfLz4(frame)).toBeLessThanOrEqual(Math.max(255 * frame.length, plain.length))
      expect(decompress('lz4', frame).equals(plain)).toBe(true)
    })
    fc.assert(property, { numRuns: 60 })
  })

  it.each([
    ['lz4', compressFrameSync, /too large/],
    ['gzip', (plain: Buffer) => gzipSync(plain, { level: 1 }), /larger than/],
  ] as const)('in %s is refused when it grows beyond what can be held, though it is small', (codec, compress, why) => {
    const bomb = compress(Buffer.alloc(TOO_LARGE))
    expect(bomb.length).toBeLessThan(2 * 1024 * 1024)
    expect(() => decompress(codec, bomb)).toThrow(why)
  })

  it('in LZ4 is refused before anything of it is decompressed', () => {
    const bomb = compressFrameSync(Buffer.alloc(TOO_LARGE))
    const before = process.memoryUsage().rss
    expect(() => decompress('lz4', bomb)).toThrow(RangeError)
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
  })

  it.each([Buffer.alloc(0), Buffer.alloc(3), Buffer.from('not LZ4 at all'), Buffer.from([4, 0x22, 0x4d, 0x18, 0x60])])(
    'that is no LZ4 frame is refused (%#)',
    bytes => expect(() => decompress('lz4', bytes)).toThrow(RangeError),
  )
})
