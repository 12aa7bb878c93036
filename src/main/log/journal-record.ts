// Records of a journal as bytes, little-endian, each at a multiple of 8:
//   u32 length of the payload · u32 CRC-32 of what follows · u32 type · u32 0 · payload · padding to 8
// A record is whole or it is not there: what a killed process or a full disk left half written fails its checksum.
import { crc32 } from 'node:zlib'

export const HEAD_BYTES = 16
const CHECKED_FROM = 8
const MOST_TYPE = 255

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

/** The whole records from a place on, and where they end: the length of the bytes unless something is damaged. */
export function readRecords(bytes: Buffer, from = 0): { records: JournalRecord[]; end: number } {
  const records: JournalRecord[] = []
  let at = from
  while (isWhole(bytes, at)) {
    const end = at + HEAD_BYTES + bytes.readUInt32LE(at)
    records.push({ type: bytes.readUInt32LE(at + 8), payload: bytes.subarray(at + HEAD_BYTES, end) })
    at = align(end)
  }
  return { records, end: at }
}

/** Where the next whole record begins behind what is none; nothing behind what was only half written. */
export function nextRecordAfter(bytes: Buffer, damagedAt: number): number | undefined {
  for (let at = damagedAt + 8; at + HEAD_BYTES <= bytes.length; at += 8) if (isWhole(bytes, at)) return at
  return undefined
}

/** A damaged record as it is, if it says itself that it ends there. */
export function damagedRecord(bytes: Buffer, at: number, next: number): JournalRecord | undefined {
  const end = at + HEAD_BYTES + bytes.readUInt32LE(at)
  return align(end) === next
    ? { type: bytes.readUInt32LE(at + 8), payload: bytes.subarray(at + HEAD_BYTES, end) }
    : undefined
}

function isWhole(bytes: Buffer, at: number): boolean {
  if (at + HEAD_BYTES > bytes.length) return false
  const end = at + HEAD_BYTES + bytes.readUInt32LE(at)
  const type = bytes.readUInt32LE(at + 8)
  // No type is 0, so that a tail of zeros is no record. What is no record at all mostly ends here, before it is summed up.
  if (type === 0 || type > MOST_TYPE || bytes.readUInt32LE(at + 12) !== 0 || align(end) > bytes.length) return false
  return bytes.readUInt32LE(at + 4) === crc32(bytes.subarray(at + CHECKED_FROM, end))
}

export function align(bytes: number): number {
  return Math.ceil(bytes / 8) * 8
}
