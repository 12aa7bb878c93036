// Many Avro values end to end in one growing buffer: primitives go straight to bytes, so a message costs no object.
//   long: zigzag varint · string, bytes: length as a long, then the bytes · decimal: bytes, big-endian two's complement

export interface ValueBuffer {
  bytes: Buffer
  /** Bytes written. */
  length: number
  /** Value i is bytes[ends[i-1] … ends[i]); only the first `count` count. */
  ends: Uint32Array
  count: number
}

const FIRST_BYTES = 64 * 1024
const FIRST_VALUES = 512
const TWO_28 = 2 ** 28
/** Below it zigzag doubles a number beyond what a double holds. */
const LEAST_FAST_LONG = -(2 ** 52)
const TWO_32 = 2 ** 32

export function createValueBuffer(): ValueBuffer {
  return { bytes: Buffer.allocUnsafe(FIRST_BYTES), length: 0, ends: new Uint32Array(FIRST_VALUES), count: 0 }
}

export function clearValues(out: ValueBuffer): void {
  out.length = 0
  out.count = 0
}

/** Room for so many more bytes; everything below relies on it having been made. */
export function reserve(out: ValueBuffer, bytes: number): void {
  const needed = out.length + bytes
  if (needed <= out.bytes.length) return
  const grown = Buffer.allocUnsafe(Math.max(needed, out.bytes.length * 2))
  grown.set(out.bytes.subarray(0, out.length))
  out.bytes = grown
}

export function endValue(out: ValueBuffer): void {
  if (out.count === out.ends.length) {
    const grown = new Uint32Array(out.ends.length * 2)
    grown.set(out.ends)
    out.ends = grown
  }
  out.ends[out.count++] = out.length
}

export function putByte(out: ValueBuffer, byte: number): void {
  out.bytes[out.length++] = byte
}

/** Confluent's wire format: a zero and the schema's id, and the value follows. */
export function putWireHeader(out: ValueBuffer, schemaId: number): void {
  putByte(out, 0)
  putByte(out, schemaId >>> 24)
  putByte(out, schemaId >>> 16)
  putByte(out, schemaId >>> 8)
  putByte(out, schemaId)
}

/** Faster than `set` for the few bytes of a name. */
export function putBytes(out: ValueBuffer, bytes: Uint8Array): void {
  let at = out.length
  for (let i = 0; i < bytes.length; i++) out.bytes[at++] = bytes[i]
  out.length = at
}

/** At most 10 bytes. Exact between -2^52 and 2^53. */
export function putLong(out: ValueBuffer, value: number): void {
  const zigzag = value < 0 ? -2 * value - 1 : 2 * value
  const bytes = out.bytes
  let at = out.length
  let rest = zigzag
  if (zigzag >= TWO_28) {
    const high = Math.floor(zigzag / TWO_28)
    const low = zigzag - high * TWO_28
    bytes[at++] = low | 0x80
    bytes[at++] = (low >>> 7) | 0x80
    bytes[at++] = (low >>> 14) | 0x80
    bytes[at++] = (low >>> 21) | 0x80
    rest = high
  }
  let group = rest | 0
  while (group > 0x7f) {
    bytes[at++] = group | 0x80
    group >>>= 7
  }
  bytes[at++] = group
  out.length = at
}

/** At most 10 bytes. Exact over all 64 bits, where the number is. */
export function putExactLong(out: ValueBuffer, value: number | bigint): void {
  if (typeof value === 'number') return value < LEAST_FAST_LONG ? putExactLong(out, BigInt(value)) : putLong(out, value)
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; rest > 0x7fn; rest >>= 7n) putByte(out, Number(rest & 0x7fn) | 0x80)
  putByte(out, Number(rest))
}

/** An unscaled integer of at most 18 digits, in as few bytes as hold it and its sign; with its length at most 9 bytes. */
export function putDecimal(out: ValueBuffer, unscaled: number | bigint): void {
  if (typeof unscaled === 'bigint') return putSplit(out, Number(unscaled >> 32n), Number(BigInt.asIntN(32, unscaled)))
  const high = Math.floor(unscaled / TWO_32)
  putSplit(out, high, (unscaled - high * TWO_32) | 0)
}

function putSplit(out: ValueBuffer, high: number, low: number): void {
  const bytes = out.bytes
  const size = sizeOf(high, low)
  let at = out.length
  bytes[at++] = size << 1
  for (let shift = (size - 1) * 8; shift >= 0; shift -= 8)
    bytes[at++] = shift >= 32 ? high >> (shift - 32) : low >> shift
  out.length = at
}

/** Bytes that hold the 64-bit integer; the first bit of the first one is its sign. */
function sizeOf(high: number, low: number): number {
  const lowFits = high === low >> 31
  const top = lowFits ? low : high
  const spareBits = Math.clz32(top ^ (top >> 31)) - 1
  return (lowFits ? 4 : 8) - (spareBits >> 3)
}

/** The digits of a whole number below 2^53, in ASCII. */
export function putDigits(out: ValueBuffer, value: number): void {
  const bytes = out.bytes
  const end = out.length + countDigits(value)
  let at = end
  let rest = value
  while (rest >= 1e9) {
    const high = Math.floor(rest / 1e9)
    let low = rest - high * 1e9
    for (let i = 0; i < 9; i++) {
      const tenth = (low / 10) | 0
      bytes[--at] = 48 + low - tenth * 10
      low = tenth
    }
    rest = high
  }
  let low = rest | 0
  do {
    const tenth = (low / 10) | 0
    bytes[--at] = 48 + low - tenth * 10
    low = tenth
  } while (low > 0)
  out.length = end
}

export function countDigits(value: number): number {
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits++
  return digits
}

/** Text of any length, with its length before it; makes its own room. */
export function putText(out: ValueBuffer, text: string): void {
  const size = Buffer.byteLength(text)
  reserve(out, size + 10)
  putLong(out, size)
  out.length += out.bytes.write(text, out.length)
}
