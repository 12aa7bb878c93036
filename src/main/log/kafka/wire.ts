// Kafka's protocol, as bytes: big-endian numbers, strings and arrays behind their length. In newer requests ("flexible")
// lengths are varints of length + 1, and every structure ends in tagged fields, few of which are of use here.

/** A request that is being written; grows as it must. */
export interface WireWriter {
  int8: (value: number) => void
  int16: (value: number) => void
  int32: (value: number) => void
  /** Whole and below 2^53. */
  int64: (value: number) => void
  bigInt64: (value: bigint) => void
  boolean: (value: boolean) => void
  string: (value: string | null) => void
  array: <T>(items: readonly T[] | null, each: (item: T) => void) => void
  /** Behind their length. */
  bytes: (value: Uint8Array) => void
  raw: (value: Uint8Array) => void
  /** The end of a structure. */
  end: () => void
  finish: () => Buffer
}

const FIRST_BYTES = 512

export function writeWire(flexible = false): WireWriter {
  let buffer = Buffer.allocUnsafe(FIRST_BYTES)
  let at = 0

  function reserve(bytes: number): number {
    if (at + bytes > buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, at + bytes))
      buffer.copy(larger, 0, 0, at)
      buffer = larger
    }
    const from = at
    at += bytes
    return from
  }
  // Always reserved first: it may put another buffer in the place of this one.
  function int8(value: number): void {
    const to = reserve(1)
    buffer.writeInt8(value, to)
  }
  function int16(value: number): void {
    const to = reserve(2)
    buffer.writeInt16BE(value, to)
  }
  function int32(value: number): void {
    const to = reserve(4)
    buffer.writeInt32BE(value, to)
  }
  function bigInt64(value: bigint): void {
    const to = reserve(8)
    buffer.writeBigInt64BE(value, to)
  }
  function raw(value: Uint8Array): void {
    const to = reserve(value.length)
    buffer.set(value, to)
  }
  function length(value: number): void {
    let rest = value + 1
    for (; rest >= 0x80; rest >>>= 7) raw(Uint8Array.of((rest & 0x7f) | 0x80))
    raw(Uint8Array.of(rest))
  }
  const end = () => {
    if (flexible) int8(0)
  }
  // The request's header ends here too, and is kafkajs' own but for this.
  end()
  return {
    int8,
    int16,
    int32,
    int64: value => bigInt64(BigInt(value)),
    bigInt64,
    boolean: value => int8(value ? 1 : 0),
    string(value) {
      const text = value === null ? null : Buffer.from(value)
      if (flexible) length(text?.length ?? -1)
      else int16(text?.length ?? -1)
      if (text) raw(text)
    },
    array(items, each) {
      if (flexible) length(items?.length ?? -1)
      else int32(items?.length ?? -1)
      items?.forEach(each)
    },
    bytes(value) {
      if (flexible) length(value.length)
      else int32(value.length)
      raw(value)
    },
    raw,
    end,
    finish: () => buffer.subarray(0, at),
  }
}

/** Reads never go beyond the answer: they throw a RangeError. */
export interface WireReader {
  int8: () => number
  int16: () => number
  int32: () => number
  /** Whole below 2^53. */
  int64: () => number
  bigInt64: () => bigint
  boolean: () => boolean
  string: () => string | null
  array: <T>(each: () => T) => T[]
  /** Where they lie in the answer; empty when there are none. */
  bytes: () => Buffer
  raw: (count: number) => Buffer
  /** Shows those who want it the tagged fields; what they leave of one is passed over. */
  end: (take?: (tag: number) => void) => void
}

export function readWire(buffer: Buffer, flexible = false): WireReader {
  let at = 0
  function take(bytes: number): number {
    if (bytes < 0 || bytes > buffer.length - at) throw new RangeError(`${bytes} bytes at ${at} of ${buffer.length}`)
    const from = at
    at += bytes
    return from
  }
  const int8 = () => buffer.readInt8(take(1))
  const int16 = () => buffer.readInt16BE(take(2))
  const int32 = () => buffer.readInt32BE(take(4))
  const bigInt64 = () => buffer.readBigInt64BE(take(8))
  function varint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = buffer[take(1)]
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new RangeError('a varint of more than five bytes')
  }
  const raw = (count: number) => {
    const from = take(count)
    return buffer.subarray(from, from + count)
  }
  function end(show?: (tag: number) => void): void {
    if (!flexible) return
    for (let fields = varint(); fields > 0; fields--) {
      const tag = varint()
      const size = varint()
      const next = take(size) + size
      at = next - size
      show?.(tag)
      if (at > next) throw new RangeError(`a tagged field of ${size} bytes that has more`)
      at = next
    }
  }
  end()
  return {
    int8,
    int16,
    int32,
    int64: () => Number(bigInt64()),
    bigInt64,
    boolean: () => int8() !== 0,
    string() {
      const count = flexible ? varint() - 1 : int16()
      return count < 0 ? null : raw(count).toString()
    },
    array(each) {
      const count = flexible ? varint() - 1 : int32()
      if (count > buffer.length - at) throw new RangeError(`an array of ${count}`)
      return Array.from({ length: Math.max(0, count) }, each)
    },
    bytes: () => raw(Math.max(0, flexible ? varint() - 1 : int32())),
    raw,
    end,
  }
}
