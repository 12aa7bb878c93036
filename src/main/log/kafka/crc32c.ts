// CRC-32C (Castagnoli), which guards every batch of records. Eight bytes a step, by eight tables.
const POLYNOMIAL = 0x82f63b78
const SLICES = 8

const tables = makeTables()
const [T0, T1, T2, T3, T4, T5, T6, T7] = tables

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

/** Of bytes[from … to), as an unsigned number. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  let crc = -1
  let at = from
  for (const last = to - 7; at < last; at += 8) {
    crc ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
    crc =
      T7[crc & 0xff] ^
      T6[(crc >>> 8) & 0xff] ^
      T5[(crc >>> 16) & 0xff] ^
      T4[crc >>> 24] ^
      T3[bytes[at + 4]] ^
      T2[bytes[at + 5]] ^
      T1[bytes[at + 6]] ^
      T0[bytes[at + 7]]
  }
  for (; at < to; at++) crc = T0[(crc ^ bytes[at]) & 0xff] ^ (crc >>> 8)
  return (crc ^ -1) >>> 0
}
