// What tells two messages apart that may be the same one twice: a hash of all their bytes but the fields that a second
// publication of the same row may have otherwise. The schema's id and the message_id are among those bytes.
import type { Cursor } from './decode-primitives.ts'

/**
 * 64 bits. Two different messages have the same ones once in 2^64: among the 200,000 that a partition remembers, a row
 * is taken for a repeat by mistake once in 10^14 rows.
 */
export interface Fingerprint {
  low: number
  high: number
}

/** When it was taken in and the number it was given then: not what the source said. */
export const CHANGING_FIELDS: ReadonlySet<string> = new Set(['ingestion_timestamp', 'platform_sequence'])

/** Odd numbers without a pattern in their bits. */
const [FACTOR_LOW, FACTOR_HIGH, MIX_A, MIX_B] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f] as const

/** Of the message that lies from … to and was just decoded with this cursor, which noted where the changing fields are. */
export function readFingerprint(cursor: Cursor, from: number, to: number, out: Fingerprint): void {
  const { leftOut, leftOutCount } = cursor
  out.low = FACTOR_LOW
  out.high = FACTOR_HIGH
  let at = from
  for (let i = 0; i < leftOutCount; i++) {
    // Fields beside each other leave out one run.
    if (leftOut[2 * i] > at) mixRun(cursor, at, leftOut[2 * i], out)
    at = leftOut[2 * i + 1]
  }
  mixRun(cursor, at, to, out)
  const { low, high } = out
  out.low = scramble(low ^ Math.imul(high, MIX_A))
  out.high = scramble(high ^ Math.imul(low, MIX_B))
}

/** Two hashes side by side, each turned another way round, so that what one mistakes the other tells apart. */
function mixRun({ bytes, view }: Cursor, from: number, to: number, out: Fingerprint): void {
  let { low, high } = out
  let at = from
  for (; at <= to - 4; at += 4) {
    const word = view.getInt32(at, true)
    low = Math.imul(((low << 13) | (low >>> 19)) ^ word, FACTOR_LOW)
    high = Math.imul(((high << 17) | (high >>> 15)) + word, FACTOR_HIGH)
  }
  let rest = (to - from) << 24
  for (let shift = 0; at < to; at++, shift += 8) rest ^= bytes[at] << shift
  out.low = Math.imul(((low << 13) | (low >>> 19)) ^ rest, FACTOR_LOW)
  out.high = Math.imul(((high << 17) | (high >>> 15)) + rest, FACTOR_HIGH)
}

function scramble(hash: number): number {
  let mixed = hash ^ (hash >>> 16)
  mixed = Math.imul(mixed, FACTOR_HIGH)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, MIX_A)
  return mixed ^ (mixed >>> 16)
}
