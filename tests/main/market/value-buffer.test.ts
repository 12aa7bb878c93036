// Longs at the edges of what doubles hold.
import { expect, it } from 'vitest'
import { createCursor, readLong } from '../../../src/main/market/decode-primitives.ts'
import { createValueBuffer, putExactLong } from '../../../src/main/market/value-buffer.ts'

const EDGES = [
  -(2n ** 63n),
  -(2n ** 53n) + 1n,
  -(2n ** 52n) - 1n,
  -(2n ** 52n),
  -1n,
  0n,
  2n ** 53n - 1n,
  2n ** 63n - 1n,
]

it.each(EDGES)('writes %s to the last digit, as a number where it is one', value => {
  const isNumber = value >= -(2n ** 53n) && value <= 2n ** 53n
  for (const given of isNumber ? [value, Number(value)] : [value]) {
    const out = createValueBuffer()
    putExactLong(out, given)
    const cursor = createCursor(out.bytes)
    const pairs = new BigInt64Array(1)
    readLong(cursor, new Int32Array(pairs.buffer), 0)
    expect(pairs[0]).toBe(value)
    expect(cursor.at).toBe(out.length)
  }
})
