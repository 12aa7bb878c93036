// CRC-32C (Castagnoli), which guards every batch of records. Eight bytes a step, by eight tables.
const POLYNOMIAL = 0x82f63b78
const SLICES = 8
const NO_WORDS = new Int32Array(0)

const [T0, T1, T2, T3, T4, T5, T6, T7] = makeTables()

function makeTables(): Int32Array[] {
  const made = Array.from({ length: SLICES }, () => new Int32Array(256))
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    made[0][byte] = crc
  }
  for (let slice = 1; slice < SLICES; slice++)
    for (let byte = 0; byte < 256; byte++) {
      const before = made[slice - 1][byte]
      made[slice][byte] = made[0][before & 0xff] ^ (before >>> 8)
    }
  return made
}

/** Of bytes[from … to), as an unsigned number. 1.2 GB/s; byte by byte it was 0.4, and four bytes put together by hand 0.7. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  let crc = -1
  let at = from
  // Words lie at multiples of four, and are little-endian on every machine that Node runs on.
  for (; at < to && (bytes.byteOffset + at) % 4 !== 0; at++) crc = T0[(crc ^ bytes[at]) & 0xff] ^ (crc >>> 8)
  const steps = Math.floor((to - at) / SLICES)
  const words = steps > 0 ? new Int32Array(bytes.buffer, bytes.byteOffset + at, steps * 2) : NO_WORDS
  for (let i = 0; i < words.length; i += 2) {
    const low = crc ^ words[i]
    const high = words[i + 1]
    crc =
      T7[low & 0xff] ^
      T6[(low >>> 8) & 0xff] ^
      T5[(low >>> 16) & 0xff] ^
      T4[low >>> 24] ^
      T3[high & 0xff] ^
      T2[(high >>> 8) & 0xff] ^
      T1[(high >>> 16) & 0xff] ^
      T0[high >>> 24]
  }
  for (at += words.byteLength; at < to; at++) crc = T0[(crc ^ bytes[at]) & 0xff] ^ (crc >>> 8)
  return (crc ^ -1) >>> 0
}
