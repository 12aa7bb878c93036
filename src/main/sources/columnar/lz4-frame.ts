// LZ4 frames, which pandas compresses Arrow files with unless it is told otherwise. Reads only.
//   frame = 0x184d2204 flags descriptor [content size: 8] [dictionary: 4] header check, blocks, 0:4 [content check: 4]
//   block = size:4 (highest bit: stored) bytes [check: 4];  stored or sequences of
//   token (literals << 4 | match - 4) [+255…] literals, offset:2 [+255…];  the last sequence has literals only
// Checksums are not verified, as those of the buffers' lengths are by whoever called.

const MAGIC = 0x184d2204
const STORED = 0x8000_0000
const SHORTEST_MATCH = 4
const [HAS_DICTIONARY, HAS_CONTENT_CHECK, HAS_CONTENT_SIZE, HAS_BLOCK_CHECK] = [1, 4, 8, 16]

interface Output {
  bytes: Uint8Array
  length: number
}

export function decodeLz4Frame(frame: Uint8Array): Uint8Array {
  const input = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  if (input.length < 7 || input.readUInt32LE(0) !== MAGIC) throw broken('no frame begins here')
  const flags = input[4]
  if (flags >> 6 !== 1) throw broken('the frame is of another version')
  if (flags & HAS_DICTIONARY) throw broken('a dictionary is needed')
  const blockBytes = 1 << (8 + 2 * ((input[5] >> 4) & 7))
  let at = 6 + (flags & HAS_CONTENT_SIZE ? 8 : 0) + 1
  const output: Output = { bytes: new Uint8Array(Math.max(blockBytes, input.length * 3)), length: 0 }
  for (;;) {
    if (at + 4 > input.length) throw broken('it ends within a block')
    const size = input.readUInt32LE(at)
    at += 4
    if (size === 0) break
    const length = size & (STORED - 1)
    if (at + length > input.length) throw broken('it ends within a block')
    reserve(output, blockBytes)
    if (size >= STORED) putStored(input.subarray(at, at + length), output)
    else decodeBlock(input.subarray(at, at + length), output)
    at += length + (flags & HAS_BLOCK_CHECK ? 4 : 0)
  }
  if (flags & HAS_CONTENT_CHECK && at + 4 > input.length) throw broken('its checksum is missing')
  return output.bytes.subarray(0, output.length)
}

function reserve(output: Output, more: number): void {
  if (output.length + more <= output.bytes.length) return
  const grown = new Uint8Array(Math.max(output.bytes.length * 2, output.length + more))
  grown.set(output.bytes.subarray(0, output.length))
  output.bytes = grown
}

function putStored(block: Uint8Array, output: Output): void {
  if (block.length > output.bytes.length - output.length) throw broken('a block is larger than it may be')
  output.bytes.set(block, output.length)
  output.length += block.length
}

/** Matches may reach back into blocks before; the caller has made room for the largest block. */
function decodeBlock(block: Uint8Array, output: Output): void {
  const { bytes } = output
  let to = output.length
  let at = 0
  while (at < block.length) {
    const token = block[at++]
    let literals = token >> 4
    if (literals === 15) {
      let byte
      do {
        byte = block[at++]
        literals += byte
      } while (byte === 255)
    }
    if (!(at + literals <= block.length && to + literals <= bytes.length)) throw broken('literals go too far')
    for (let end = at + literals; at < end;) bytes[to++] = block[at++]
    if (at === block.length) break
    const from = to - (block[at] | (block[at + 1] << 8))
    at += 2
    let length = (token & 15) + SHORTEST_MATCH
    if ((token & 15) === 15) {
      let byte
      do {
        byte = block[at++]
        length += byte
      } while (byte === 255)
    }
    if (!(from >= 0 && from < to && at <= block.length && to + length <= bytes.length))
      throw broken('a match goes too far')
    // Byte by byte: a match may overlap what it makes.
    for (let i = 0; i < length; i++) bytes[to + i] = bytes[from + i]
    to += length
  }
  output.length = to
}

function broken(what: string): Error {
  return new Error(`LZ4 data is damaged: ${what}`)
}
