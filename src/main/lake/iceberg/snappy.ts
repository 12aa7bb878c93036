// Snappy's raw format, decompressed without trusting it: every copy stays inside what was written so far.
//   length as a varint, then elements by the two low bits of a tag: 0 a literal, 1, 2, 3 a copy from before
import { malformed } from '../../market/decode-primitives.ts'

export function decompressSnappy(bytes: Uint8Array, maxBytes: number): Buffer {
  let at = 0
  let size = 0
  for (let shift = 0; ; shift += 7) {
    if (shift > 28 || at >= bytes.length) malformed('a Snappy block without its length')
    const byte = bytes[at++]
    size += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  // No element of two bytes makes more than 64.
  if (size > maxBytes || size > bytes.length * 64) malformed('a Snappy block of a length it cannot have')
  const out = Buffer.allocUnsafe(size)
  let written = 0
  const little = (width: number) => {
    if (at + width > bytes.length) malformed('a Snappy block that is cut off')
    let value = 0
    for (let i = 0; i < width; i++) value += bytes[at++] * 2 ** (8 * i)
    return value
  }
  while (at < bytes.length) {
    const tag = bytes[at++]
    const kind = tag & 3
    if (kind === 0) {
      const short = tag >> 2
      const length = 1 + (short < 60 ? short : little(short - 59))
      if (length > bytes.length - at || length > size - written) malformed('a Snappy literal beyond its block')
      out.set(bytes.subarray(at, at + length), written)
      at += length
      written += length
    } else {
      const length = kind === 1 ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2)
      const offset = kind === 1 ? (tag >> 5) * 256 + little(1) : little(kind === 2 ? 2 : 4)
      if (offset === 0 || offset > written || length > size - written) malformed('a Snappy copy beyond its block')
      // Byte by byte: a copy may reach into what it writes itself.
      for (let i = 0; i < length; i++, written++) out[written] = out[written - offset]
    }
  }
  if (written !== size) malformed('a Snappy block that ends early')
  return out
}
