// The partitioner against the vectors of Kafka's own Java client.
import { expect, it } from 'vitest'
import { murmur2, partitionOf } from '../../../src/main/market/partition.ts'

it.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('hashes %j as the Java client does', (key, hash) => {
  expect(murmur2(Buffer.from(key))).toBe(hash)
})

it('takes the sign off before it divides, as the Java client does', () => {
  expect(partitionOf('foobar', 30)).toBe((-790332482 & 0x7fffffff) % 30)
  expect(partitionOf('abc', 16)).toBe(479470107 % 16)
})

it('hashes the bytes of UTF-8, not the characters', () => {
  expect(partitionOf('ÆØÅ', 1000)).toBe((murmur2(new TextEncoder().encode('ÆØÅ')) & 0x7fffffff) % 1000)
})
