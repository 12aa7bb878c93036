import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Snapshot } from '../../../src/main/lake/iceberg/metadata.ts'
import {
  moveOffsets,
  OFFSETS_KEY,
  offsetsOf,
  offsetsText,
  restrictTo,
  sameOffsets,
} from '../../../src/main/lake/offsets.ts'
import type { OffsetVector } from '../../../src/main/market/topic-offsets.ts'

/** Each topic once, in one life of one log or another. */
const vectors = (topics = ['a', 'b', 'c'], partitions = [0, 1, 2]): fc.Arbitrary<OffsetVector> =>
  fc.uniqueArray(
    fc.record({
      cluster: fc.constantFrom('c1', 'c2'),
      epoch: fc.constantFrom('e1', 'e2'),
      topic: fc.constantFrom(...topics),
      next: fc
        .dictionary(fc.constantFrom(...partitions.map(String)), fc.nat(1000), { minKeys: 1 })
        .map(next => ({ ...next })),
    }),
    { selector: ({ topic }) => topic },
  )
const log = (next: Record<string, number>): OffsetVector => [{ cluster: 'c1', epoch: 'e1', topic: 'a', next }]
const snapshotWith = (text: string) => ({ 'snapshot-id': '7', summary: { [OFFSETS_KEY]: text } }) as unknown as Snapshot

describe('moving on', () => {
  it('says afterwards what it was moved to, and moving again changes nothing', () => {
    fc.assert(
      fc.property(vectors(), vectors(), (base, to) => {
        const moved = moveOffsets(base, to)
        expect(sameOffsets(restrictTo(to, moved), to)).toBe(true)
        expect(sameOffsets(moveOffsets(moved, to), moved)).toBe(true)
      }),
    )
  })

  it('leaves the topics of others as they are', () => {
    fc.assert(
      fc.property(vectors(), vectors(['a']), (base, to) => {
        const others = base.filter(({ topic }) => topic !== 'a' || to.length === 0)
        const kept = moveOffsets(base, to).filter(({ topic }) => topic !== 'a' || to.length === 0)
        expect(sameOffsets(others, kept)).toBe(true)
      }),
    )
  })

  it('gives the same whoever of two comes first, as long as they move different partitions of one log', () => {
    const halves = fc.tuple(
      fc.dictionary(fc.constantFrom('0', '1'), fc.nat(), { minKeys: 1 }),
      fc.dictionary(fc.constantFrom('2', '3'), fc.nat(), { minKeys: 1 }),
      fc.dictionary(fc.constantFrom('0', '1', '2', '3'), fc.nat()),
    )
    fc.assert(
      fc.property(halves, ([x, y, start]) => {
        const [one, other, base] = [log(x), log(y), log(start)]
        expect(
          sameOffsets(moveOffsets(moveOffsets(base, one), other), moveOffsets(moveOffsets(base, other), one)),
        ).toBe(true)
      }),
    )
  })

  it('forgets a log that a topic no longer is in', () => {
    const renewed = [{ cluster: 'c1', epoch: 'e2', topic: 'a', next: { 0: 3 } }]
    expect(moveOffsets(log({ 0: 900, 1: 80 }), renewed)).toEqual(renewed)
  })
})

describe('a part of a vector', () => {
  it('is its own part, and no larger than the whole', () => {
    fc.assert(
      fc.property(vectors(), vectors(), (own, vector) => {
        const part = restrictTo(own, vector)
        expect(restrictTo(own, part)).toEqual(part)
        expect(sameOffsets(restrictTo(vector, vector), vector)).toBe(true)
        for (const { topic, next } of part) {
          const whole = vector.find(other => other.topic === topic)!
          for (const [partition, offset] of Object.entries(next)) expect(whole.next[partition]).toBe(offset)
        }
      }),
    )
  })

  it('shows another writer of the same partitions, in the same log or a newer one', () => {
    fc.assert(
      fc.property(vectors(['a'], [0, 1]), fc.nat(), fc.constantFrom('e1', 'e3'), (from, offset, epoch) => {
        fc.pre(from.length === 1)
        const [partition] = Object.keys(from[0].next)
        const moved = moveOffsets(from, [{ ...from[0], epoch, next: { [partition]: offset } }])
        const same = epoch === from[0].epoch && from[0].next[partition] === offset
        expect(sameOffsets(restrictTo(from, moved), restrictTo(from, from))).toBe(same)
      }),
    )
  })
})

describe('a vector in a summary', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(vectors(), vector => {
        expect(offsetsOf(snapshotWith(offsetsText(vector)))).toEqual(vector)
      }),
    )
  })

  it.each(['', 'null', '{}', '[{}]', '[{"cluster":"c","epoch":"e","topic":"t","next":{"0":-1}}]', '[{"cluster":"c"'])(
    'is refused when it is %s, rather than read as the beginning',
    text => {
      expect(() => offsetsOf(snapshotWith(text))).toThrow('how far the log is')
    },
  )

  it.each(['[null]', '[1]', '[{"cluster":"c","epoch":"e","topic":"t","next":{"0":1e300}}]'])(
    'is refused when it is %s',
    text => {
      expect(() => offsetsOf(snapshotWith(text))).toThrow('how far the log is')
    },
  )
})
