import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeFrame, encodeFrame } from '../../src/contract/frame.ts'
import { Failure } from '../../src/contract/failure.ts'

const array = fc.oneof(
  fc.float64Array(),
  fc.float32Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int8Array(),
  fc.uint8Array(),
)
const leaf = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
  array,
)
const key = fc.oneof(fc.string(), fc.constant('$'))
const { message } = fc.letrec<{ message: unknown }>(tie => ({
  message: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('message'), { maxLength: 4 }),
    fc.dictionary(key, tie('message'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))

it('gives back every message exactly as it was', () => {
  fc.assert(
    fc.property(message, value => {
      expect(decodeFrame(encodeFrame(value))).toEqual(normalise(value))
    }),
  )
})

/** JSON has no negative zero; nothing of ours depends on its sign outside of arrays, which keep it. */
function normalise(value: unknown): unknown {
  if (Object.is(value, -0)) return 0
  if (Array.isArray(value)) return value.map(normalise)
  if (value === null || typeof value !== 'object' || value instanceof Date || ArrayBuffer.isView(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, normalise(inner)]))
}

it('reads a frame that does not lie aligned in its buffer', () => {
  const bytes = encodeFrame({ values: Float64Array.of(1.5, 2.5) })
  const shifted = new Uint8Array(bytes.length + 3)
  shifted.set(bytes, 3)
  expect(decodeFrame(shifted.subarray(3))).toEqual({ values: Float64Array.of(1.5, 2.5) })
})

it('refuses damaged bytes, whatever the damage', () => {
  const whole = encodeFrame({ t: 'next', id: 1, value: { values: Float64Array.of(1, 2, 3), words: ['a'] } })
  for (let length = 0; length < whole.length; length++) {
    expect(() => decodeFrame(whole.slice(0, length))).toThrow(Failure)
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      try {
        decodeFrame(bytes)
      } catch (error) {
        expect(error).toMatchObject({ code: 'INVALID_INPUT' })
      }
    }),
  )
})

it.each([
  ['an array without a place', { $: 'u8' }],
  ['an array before its body', { $: 'u8', at: -8, n: 8 }],
  ['an array beyond the frame', { $: 'u8', at: 0, n: 1e9 }],
  ['half an element', { $: 'u8', at: 0.5, n: 1 }],
  ['a kind that is no array', { $: 'constructor', at: 0, n: 1 }],
])('refuses %s', (_, head) => {
  const json = new TextEncoder().encode(JSON.stringify({ value: head }))
  const bytes = new Uint8Array(4 + json.length + 64)
  new DataView(bytes.buffer).setUint32(0, json.length, true)
  bytes.set(json, 4)
  expect(() => decodeFrame(bytes)).toThrow(Failure)
})

it('gives no object a prototype from outside', () => {
  const json = new TextEncoder().encode('{"__proto__":{"limit":5}}')
  const bytes = new Uint8Array(4 + json.length)
  new DataView(bytes.buffer).setUint32(0, json.length, true)
  bytes.set(json, 4)
  expect((decodeFrame(bytes) as { limit?: number }).limit).toBeUndefined()
})
