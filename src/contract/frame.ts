// One message as bytes for a WebSocket: a JSON head, then its typed arrays untouched.
//   u32 head length · head (UTF-8 JSON) · padding to 8 · the arrays, each at a multiple of 8
// In the head `{"$": kind, at, n}` stands for an array, {"$":"big","v":"…"} for a bigint, {"$":"date","v":ms} for a Date,
// {"$":"num","v":"NaN"} for what JSON cannot say, {"$":"obj","v":{…}} for a plain object that has a key `$` itself.
import { Failure } from './failure.ts'

const arrays = {
  f64: Float64Array,
  f32: Float32Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  i32: Int32Array,
  u32: Uint32Array,
  i16: Int16Array,
  u16: Uint16Array,
  i8: Int8Array,
  u8: Uint8Array,
} as const

type ArrayKind = keyof typeof arrays
type AnyArray = InstanceType<(typeof arrays)[ArrayKind]>

const align = (n: number) => (n + 7) & ~7

export function encodeFrame(message: unknown): Uint8Array<ArrayBuffer> {
  const parts: AnyArray[] = []
  let bodyLength = 0
  const plain = (value: unknown): unknown => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number') return Number.isFinite(value) ? value : { $: 'num', v: String(value) }
    if (typeof value === 'bigint') return { $: 'big', v: String(value) }
    if (typeof value !== 'object') return undefined
    if (value instanceof Date) return { $: 'date', v: value.getTime() }
    if (Array.isArray(value)) return value.map(item => plain(item) ?? null)
    const kind = arrayKind(value)
    if (kind) {
      const part = value as AnyArray
      const reference = { $: kind, at: bodyLength, n: part.length }
      parts.push(part)
      bodyLength += align(part.byteLength)
      return reference
    }
    const out = Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]))
    return Object.hasOwn(out, '$') ? { $: 'obj', v: out } : out
  }
  const head = new TextEncoder().encode(JSON.stringify(plain(message) ?? null))
  const bodyAt = align(4 + head.length)
  const bytes = new Uint8Array(bodyAt + bodyLength)
  new DataView(bytes.buffer).setUint32(0, head.length, true)
  bytes.set(head, 4)
  let at = bodyAt
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at)
    at += align(part.byteLength)
  }
  return bytes
}

/** Arrays come out as views on `bytes` (copied once if that is not aligned). Damaged bytes are INVALID_INPUT, never a wrong value. */
export function decodeFrame(bytes: Uint8Array): unknown {
  try {
    const own = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
    const headLength = new DataView(own.buffer, own.byteOffset, own.byteLength).getUint32(0, true)
    if (4 + headLength > own.byteLength) throw new RangeError('head beyond the frame')
    const bodyAt = align(4 + headLength)
    const head: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(own.subarray(4, 4 + headLength)))
    return revive(head, own, bodyAt)
  } catch (cause) {
    throw new Failure('INVALID_INPUT', 'That is not a K2 frame: see docs/api.md for the WebSocket format.', { cause })
  }
}

function revive(value: unknown, bytes: Uint8Array, bodyAt: number): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(item => revive(item, bytes, bodyAt))
  const record = value as Record<string, unknown>
  const kind = record.$
  if (kind === undefined || kind === 'obj') {
    const fields = (kind === undefined ? record : record.v) as Record<string, unknown>
    return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, revive(field, bytes, bodyAt)]))
  }
  if (kind === 'big') return BigInt(record.v as string)
  if (kind === 'date') return new Date(record.v as number)
  if (kind === 'num') return Number(record.v)
  const { at, n } = record as { at: number; n: number }
  if (!Object.hasOwn(arrays, kind as string) || !isCount(at) || !isCount(n)) throw new RangeError('no such array')
  const View = arrays[kind as ArrayKind]
  if (bodyAt + at + n * View.BYTES_PER_ELEMENT > bytes.byteLength) throw new RangeError('array beyond the frame')
  return new View(bytes.buffer as ArrayBuffer, bytes.byteOffset + bodyAt + at, n)
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function arrayKind(value: object): ArrayKind | undefined {
  if (!ArrayBuffer.isView(value)) return undefined
  for (const kind of Object.keys(arrays) as ArrayKind[]) if (value instanceof arrays[kind]) return kind
  throw new TypeError(`${Object.prototype.toString.call(value)} cannot cross a WebSocket`)
}
