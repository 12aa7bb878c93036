// Murmur3's 32-bit hash with seed 0, which Iceberg's bucket transform is defined by.

const C1 = 0xcc9e2d51
const C2 = 0x1b873593

/** As a signed 32-bit number. */
export function murmur3(bytes: Uint8Array): number {
  const whole = bytes.length & ~3
  let hash = 0
  for (let i = 0; i < whole; i += 4) {
    const word = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24)
    hash = Math.imul(rotated(hash ^ mixed(word), 13), 5) + 0xe6546b64
  }
  let rest = 0
  for (let i = bytes.length - 1; i >= whole; i--) rest = (rest << 8) | bytes[i]
  if (whole < bytes.length) hash ^= mixed(rest)
  return finished(hash ^ bytes.length)
}

/** The hash of a number's eight bytes, low first, from its two halves. */
export function murmur3OfLong(low: number, high: number): number {
  let hash = Math.imul(rotated(mixed(low), 13), 5) + 0xe6546b64
  hash = Math.imul(rotated(hash ^ mixed(high), 13), 5) + 0xe6546b64
  return finished(hash ^ 8)
}

function mixed(word: number): number {
  return Math.imul(rotated(Math.imul(word, C1), 15), C2)
}

function rotated(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

function finished(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) | 0
}
