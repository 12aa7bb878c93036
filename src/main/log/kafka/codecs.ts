// What a batch of records may be compressed with. Bounded, because what a batch says of its size is not to be trusted.
import * as zlib from 'node:zlib'
import { Decompress } from 'fzstd'
import { decompressFrameSync } from 'lz4-napi'
import { compressSync, uncompressSync } from 'snappy'
import { mostOfLz4 } from './lz4-size.ts'

/** In the lowest bits of a batch's attributes. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof CODECS)[number]

/** Far more than a broker takes (1 MiB by itself), and still little enough to hold. */
const MAX_DECOMPRESSED = 256 * 1024 * 1024

/** Node has zstd since 22.15. */
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: typeof zlib.gunzipSync }

export function decompress(codec: Codec, bytes: Buffer): Buffer {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return zlib.gunzipSync(bytes, { maxOutputLength: MAX_DECOMPRESSED })
    case 'snappy':
      return isXerial(bytes) ? decompressXerial(bytes) : decompressSnappy(bytes)
    case 'lz4':
      if (mostOfLz4(bytes) > MAX_DECOMPRESSED) throw new RangeError('an LZ4 batch that is too large')
      return decompressFrameSync(bytes)
    case 'zstd':
      return zstdDecompressSync?.(bytes, { maxOutputLength: MAX_DECOMPRESSED }) ?? decompressZstd(bytes)
  }
}

/** Raw, which Kafka's own readers take as well as the framing that its Java client writes. */
export const compressSnappy = (bytes: Uint8Array): Buffer => compressSync(bytes)

// The framing of Java's client: 0x82 SNAPPY 0x00, two versions of 32 bits, then blocks behind their length of 32 bits.
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const XERIAL_HEADER = 16

const isXerial = (bytes: Buffer) => bytes.length >= XERIAL_HEADER && XERIAL.equals(bytes.subarray(0, XERIAL.length))

function decompressXerial(bytes: Buffer): Buffer {
  const blocks: Buffer[] = []
  let size = 0
  for (let at = XERIAL_HEADER; at < bytes.length;) {
    const length = at + 4 <= bytes.length ? bytes.readInt32BE(at) : -1
    at += 4
    if (length < 0 || length > bytes.length - at) throw new RangeError('a snappy block beyond its batch')
    blocks.push(decompressSnappy(bytes.subarray(at, at + length)))
    at += length
    size += blocks[blocks.length - 1].length
    if (size > MAX_DECOMPRESSED) throw new RangeError('a snappy batch that is too large')
  }
  return blocks.length === 1 ? blocks[0] : Buffer.concat(blocks)
}

function decompressSnappy(bytes: Buffer): Buffer {
  let size = 0
  for (let i = 0; i < 5; i++) {
    size += (bytes[i] & 0x7f) * 2 ** (7 * i)
    if (bytes[i] < 0x80) break
  }
  // No element of two bytes makes more than 64.
  if (!(size <= Math.min(MAX_DECOMPRESSED, bytes.length * 64))) throw new RangeError('a snappy block of a false length')
  return uncompressSync(bytes, { asBuffer: true }) as Buffer
}

function decompressZstd(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  let size = 0
  const stream = new Decompress(part => {
    size += part.length
    if (size > MAX_DECOMPRESSED) throw new RangeError('a zstd batch that is too large')
    // fzstd goes on using its window, so what it shows has to be copied.
    parts.push(Buffer.from(part))
  })
  stream.push(bytes, true)
  return parts.length === 1 ? parts[0] : Buffer.concat(parts)
}
