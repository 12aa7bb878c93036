// Where the frames of zstd-compressed bytes end, and the checksums behind them. What is inside is for a decompressor;
// bytes that are no frame are left to it too.

interface FrameWalk {
  /** On from `from` to the end of a frame, or of the bytes. A frame's checksum is there where it was given one. */
  advance: (bytes: Uint8Array, from: number) => { to: number; frameEnds: boolean; checksum?: number }
}

const FRAME = 0xfd2fb528
/** And fifteen numbers more: frames of somebody else's, to be passed over. */
const SKIPPABLE = 0x184d2a50
const DICTIONARY_BYTES = [0, 1, 2, 4]
const SIZE_BYTES = [0, 2, 4, 8]
const RUN_OF_ONE_BYTE = 1

type Part = 'magic' | 'skipped size' | 'descriptor' | 'block' | 'checksum' | 'unknown'
const BYTES_OF: Readonly<Record<Part, number>> = {
  magic: 4,
  'skipped size': 4,
  descriptor: 1,
  block: 3,
  checksum: 4,
  unknown: Infinity,
}

export function walkFrames(): FrameWalk {
  let part: Part = 'magic'
  let value = 0
  let have = 0
  /** Before the next part begins. */
  let toSkip = 0
  let hasChecksum = false
  let isLastBlock = false

  function go(next: Part, skip = 0): void {
    part = next
    toSkip = skip
    value = 0
    have = 0
  }

  /** With all bytes of the part in `value`. */
  function takePart(): { frameEnds: boolean; checksum?: number } {
    const read = value
    switch (part) {
      case 'magic':
        if (read === FRAME) go('descriptor')
        else go((read & ~0xf) >>> 0 === SKIPPABLE ? 'skipped size' : 'unknown')
        break
      case 'skipped size':
        go('magic', read)
        break
      case 'descriptor': {
        const isSingle = (read & 0x20) !== 0
        const size = SIZE_BYTES[read >> 6] || (isSingle ? 1 : 0)
        hasChecksum = (read & 0x04) !== 0
        go('block', (isSingle ? 0 : 1) + DICTIONARY_BYTES[read & 3] + size)
        break
      }
      case 'block': {
        isLastBlock = (read & 1) !== 0
        const size = ((read >> 1) & 3) === RUN_OF_ONE_BYTE ? 1 : read >> 3
        if (!isLastBlock) go('block', size)
        else go(hasChecksum ? 'checksum' : 'magic', size)
        break
      }
      case 'checksum':
        go('magic')
        return { frameEnds: true, checksum: read }
    }
    return { frameEnds: false }
  }

  return {
    advance(bytes, from) {
      let at = from
      for (;;) {
        const skipped = Math.min(toSkip, bytes.length - at)
        at += skipped
        toSkip -= skipped
        if (toSkip === 0 && part === 'magic' && isLastBlock) {
          isLastBlock = false
          if (!hasChecksum) return { to: at, frameEnds: true }
        }
        if (part === 'unknown') return { to: bytes.length, frameEnds: false }
        while (have < BYTES_OF[part] && at < bytes.length) value = (value | (bytes[at++] << (8 * have++))) >>> 0
        if (have < BYTES_OF[part]) return { to: at, frameEnds: false }
        const { frameEnds, checksum } = takePart()
        if (frameEnds) {
          isLastBlock = false
          return { to: at, frameEnds, checksum }
        }
      }
    },
  }
}
