// XXH64 of bytes that come in pieces: the checksum that zstd writes behind what it has packed. By 32-bit halves, as
// 64-bit integers of JavaScript take twenty times as long.

interface Xxhash64 {
  update: (bytes: Uint8Array) => void
  /** Of all bytes so far. */
  digest: () => bigint
}

const P1 = 0x9e3779b185ebca87n
const P2 = 0xc2b2ae3d27d4eb4fn
const P3 = 0x165667b19e3779f9n
const P4 = 0x85ebca77c2b2ae63n
const P5 = 0x27d4eb2f165667c5n
const [P1_HIGH, P1_LOW, P2_HIGH, P2_LOW] = [0x9e3779b1, 0x85ebca87, 0xc2b2ae3d, 0x27d4eb4f]
const TWO_32 = 2 ** 32
const STRIPE_BYTES = 32

export function createXxhash64(): Xxhash64 {
  /** High and low half of each. */
  const lanes = Int32Array.from([P1 + P2, P2, 0n, -P1].flatMap(lane => [Number(high(lane)), Number(low(lane))]))
  const rest = new Uint8Array(STRIPE_BYTES)
  let inRest = 0
  let total = 0
  return {
    update(bytes) {
      total += bytes.length
      let at = 0
      if (inRest > 0) {
        at = Math.min(STRIPE_BYTES - inRest, bytes.length)
        rest.set(bytes.subarray(0, at), inRest)
        inRest += at
        if (inRest < STRIPE_BYTES) return
        takeStripes(lanes, rest)
        inRest = 0
      }
      const whole = bytes.length - ((bytes.length - at) % STRIPE_BYTES)
      takeStripes(lanes, bytes.subarray(at, whole))
      rest.set(bytes.subarray(whole))
      inRest = bytes.length - whole
    },
    digest: () => finished(total < STRIPE_BYTES ? P5 : merged(lanes), BigInt(total), rest.subarray(0, inRest)),
  }
}

function takeStripes(lanes: Int32Array, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at < bytes.length; at += 8) {
    const lane = ((at >> 3) & 3) * 2
    const inLow = view.getInt32(at, true)
    const inHigh = view.getInt32(at + 4, true)
    const addLow = Math.imul(inLow, P2_LOW)
    const addHigh = highOfProduct(inLow, P2_LOW) + Math.imul(inHigh, P2_LOW) + Math.imul(inLow, P2_HIGH)
    const sum = (lanes[lane + 1] >>> 0) + (addLow >>> 0)
    const sumLow = sum | 0
    const sumHigh = (lanes[lane] + addHigh + (sum >= TWO_32 ? 1 : 0)) | 0
    const turnedHigh = (sumHigh << 31) | (sumLow >>> 1)
    const turnedLow = (sumLow << 31) | (sumHigh >>> 1)
    lanes[lane] = highOfProduct(turnedLow, P1_LOW) + Math.imul(turnedHigh, P1_LOW) + Math.imul(turnedLow, P1_HIGH)
    lanes[lane + 1] = Math.imul(turnedLow, P1_LOW)
  }
}

/** The upper 32 bits of the product of two unsigned 32-bit numbers. */
function highOfProduct(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const other = aLow * bHigh + (middle & 0xffff)
  return aHigh * bHigh + (middle >>> 16) + (other >>> 16)
}

function merged(lanes: Int32Array): bigint {
  const each = [0, 2, 4, 6].map(at => (BigInt(lanes[at] >>> 0) << 32n) | BigInt(lanes[at + 1] >>> 0))
  const sum = turned(each[0], 1n) + turned(each[1], 7n) + turned(each[2], 12n) + turned(each[3], 18n)
  return each.reduce((hash, lane) => wrapped((hash ^ round(0n, lane)) * P1 + P4), wrapped(sum))
}

function finished(start: bigint, total: bigint, rest: Uint8Array): bigint {
  const view = new DataView(rest.buffer, rest.byteOffset, rest.length)
  let hash = wrapped(start + total)
  let at = 0
  for (; at + 8 <= rest.length; at += 8)
    hash = wrapped(turned(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4)
  for (; at + 4 <= rest.length; at += 4)
    hash = wrapped(turned(hash ^ wrapped(BigInt(view.getUint32(at, true)) * P1), 23n) * P2 + P3)
  for (; at < rest.length; at++) hash = wrapped(turned(hash ^ wrapped(BigInt(rest[at]) * P5), 11n) * P1)
  hash = wrapped((hash ^ (hash >> 33n)) * P2)
  hash = wrapped((hash ^ (hash >> 29n)) * P3)
  return hash ^ (hash >> 32n)
}

function round(lane: bigint, input: bigint): bigint {
  return wrapped(turned(wrapped(lane + input * P2), 31n) * P1)
}

function turned(value: bigint, bits: bigint): bigint {
  return wrapped((value << bits) | (value >> (64n - bits)))
}

function wrapped(value: bigint): bigint {
  return BigInt.asUintN(64, value)
}

function high(value: bigint): bigint {
  return BigInt.asIntN(32, value >> 32n)
}

function low(value: bigint): bigint {
  return BigInt.asIntN(32, value)
}
