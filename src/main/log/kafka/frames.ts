// Answers out of a stream of bytes: each behind its length of 32 bits. What comes is copied once, into the answer it belongs
// to, so that its buffer may be used again for what comes next.
export interface Frames {
  /** A RangeError when it cannot be an answer of Kafka. */
  push: (bytes: Uint8Array) => void
}

const LENGTH_BYTES = 4
/** An answer has its correlation id at least. A fetch is 16 MiB at most, and one batch of each partition beyond that. */
const MIN_FRAME = 4
const MAX_FRAME = 512 * 1024 * 1024

export function createFrames(onFrame: (frame: Buffer) => void): Frames {
  const length = Buffer.alloc(LENGTH_BYTES)
  let frame: Buffer | undefined
  let filled = 0

  function take(bytes: Uint8Array, from: number, into: Buffer): number {
    const count = Math.min(bytes.length - from, into.length - filled)
    into.set(from === 0 && count === bytes.length ? bytes : bytes.subarray(from, from + count), filled)
    filled += count
    return count
  }

  return {
    push(bytes) {
      for (let at = 0; at < bytes.length;) {
        at += take(bytes, at, frame ?? length)
        if (filled < (frame ?? length).length) return
        filled = 0
        if (frame) {
          const whole = frame
          frame = undefined
          onFrame(whole)
        } else {
          const size = length.readInt32BE(0)
          if (size < MIN_FRAME || size > MAX_FRAME) throw new RangeError(`an answer of ${size} bytes`)
          frame = Buffer.allocUnsafeSlow(size)
        }
      }
    },
  }
}
