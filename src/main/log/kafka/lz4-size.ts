// How large an LZ4 frame may become, told from the heads of its blocks, before anything is decompressed.
//   0x184d2204 flags descriptor [content size: 8] [dictionary: 4] header check, blocks of size:4 (highest bit: stored) bytes
//   [check: 4], a size of 0, [content check: 4]
const MAGIC = 0x184d2204
const STORED = 0x8000_0000
const [HAS_DICTIONARY, HAS_CONTENT_SIZE, HAS_BLOCK_CHECK] = [1, 8, 16]
const DESCRIPTOR_AT = 5
/** A byte of a match's length stands for 255 bytes at most. */
const MOST_GROWTH = 255

/** What the blocks of the first frame can hold at most; what the frame itself says of that is not asked. */
export function mostOfLz4(frame: Buffer): number {
  if (frame.length < 7 || frame.readUInt32LE(0) !== MAGIC) throw new RangeError('no LZ4 frame')
  const flags = frame[4]
  const blockBytes = 2 ** (8 + 2 * ((frame[DESCRIPTOR_AT] >> 4) & 7))
  let at = 7 + (flags & HAS_CONTENT_SIZE ? 8 : 0) + (flags & HAS_DICTIONARY ? 4 : 0)
  let most = 0
  while (at + 4 <= frame.length) {
    const size = frame.readUInt32LE(at)
    if (size === 0) break
    const length = size % STORED
    most += size >= STORED ? length : Math.min(blockBytes, length * MOST_GROWTH)
    at += 4 + length + (flags & HAS_BLOCK_CHECK ? 4 : 0)
  }
  return most
}
