// Records of a journal as bytes, little-endian, each at a multiple of 8:
//   u32 length of the payload · u32 CRC-32 of what follows · u32 type · u32 0 · payload · padding to 8
// A record is whole or it is not there: what a killed process or a full disk left half written fails its checksum.
import { crc32 } from 'node:zlib'

export const HEAD_BYTES = 16
const CHECKED_FROM = 8

export interface JournalRecord {
  type: number
  /** At a multiple of 8 of its memory. */
  payload: Buffer
}

/** Makes a record of bytes whose payload is already written behind the head; gives what is to be written. */
export function sealRecord(bytes: Buffer, type: number, payloadBytes: number): Buffer {
  const end = HEAD_BYTES + payloadBytes
  const padded = align(end)
  bytes.fill(0, end, padded)
  bytes.writeUInt32LE(payloadBytes, 0)
  bytes.writeUInt32LE(type, 8)
  bytes.writeUInt32LE(0, 12)
  bytes.writeUInt32LE(crc32(bytes.subarray(CHECKED_FROM, end)), 4)
  return bytes.subarray(0, padded)
}

export function recordOf(type: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafeSlow(align(HEAD_BYTES + payload.length))
  bytes.set(payload, HEAD_BYTES)
  return sealRecord(bytes, type, payload.length)
}

/** The whole records from the beginning on, and where they end: the length of the bytes unless something is damaged. */
export function readRecords(bytes: Buffer): { records: JournalRecord[]; end: number } {
  const records: JournalRecord[] = []
  let at = 0
  while (at + HEAD_BYTES <= bytes.length) {
    const end = at + HEAD_BYTES + bytes.readUInt32LE(at)
    const type = bytes.readUInt32LE(at + 8)
    // No type is 0, so that a tail of zeros is no record.
    if (type === 0 || align(end) > bytes.length) break
    if (bytes.readUInt32LE(at + 4) !== crc32(bytes.subarray(at + CHECKED_FROM, end))) break
    records.push({ type, payload: bytes.subarray(at + HEAD_BYTES, end) })
    at = align(end)
  }
  return { records, end: at }
}

export function align(bytes: number): number {
  return Math.ceil(bytes / 8) * 8
}
