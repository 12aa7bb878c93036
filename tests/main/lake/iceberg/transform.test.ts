import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { murmur3, murmur3OfLong } from '../../../../src/main/lake/iceberg/murmur3.ts'
import type { Value } from '../../../../src/main/lake/iceberg/schema.ts'
import { compareValues } from '../../../../src/main/lake/iceberg/single-value.ts'
import { bucketOf, hashOf, transformOf } from '../../../../src/main/lake/iceberg/transform.ts'

const micros = (text: string) => BigInt(Date.parse(text)) * 1000n
const days = (text: string) => Date.parse(text) / 86_400_000
const apply = (transform: string, type: string, value: Value | null) => transformOf(transform).apply(type, value)

describe('the hash of a value', () => {
  it.each<[string, Value, number]>([
    ['int', 34, 2017239379],
    ['long', 34n, 2017239379],
    ['decimal(9, 2)', 1420n, -500754589],
    ['date', days('2017-11-16'), -653330422],
    ['time', 81_068_000_000n, -662762989],
    ['timestamp', micros('2017-11-16T22:31:08Z'), -2047944441],
    ['timestamp', micros('2017-11-16T22:31:08Z') + 1n, -1207196810],
    ['timestamptz', micros('2017-11-16T14:31:08-08:00'), -2047944441],
    ['string', 'iceberg', 1210000089],
    ['uuid', Buffer.from('f79c3e09677c4bbda4793f349cb785e7', 'hex'), 1488055340],
    ['fixed[4]', Uint8Array.of(0, 1, 2, 3), -188683207],
    ['binary', Uint8Array.of(0, 1, 2, 3), -188683207],
  ])('of type %s, %s, is the one in the specification', (type, value, hash) => {
    expect(hashOf(type, value)).toBe(hash)
  })

  it('of a number is that of its eight bytes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), value => {
        const bytes = Buffer.alloc(8)
        bytes.writeBigInt64LE(value)
        expect(murmur3OfLong(bytes.readInt32LE(0), bytes.readInt32LE(4))).toBe(murmur3(bytes))
        expect(hashOf('timestamptz', value)).toBe(murmur3(bytes))
      }),
    )
  })

  it('of an int is that of the same long, so that a promoted column keeps its buckets', () => {
    fc.assert(
      fc.property(fc.integer(), value => {
        expect(hashOf('int', value)).toBe(hashOf('long', BigInt(value)))
      }),
    )
  })

  it.each([
    ['', 0],
    ['a', 0x3c2569b2],
    ['test', 0xba6bd213],
    ['Hello, world!', 0xc0363e43],
    ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
  ])('of the text %j is the published one', (text, hash) => {
    expect(hashOf('string', text) >>> 0).toBe(hash)
  })
})

describe('bucket', () => {
  it('is the hash without its sign, by the number of buckets', () => {
    expect(bucketOf('string', 'iceberg', 16)).toBe(1210000089 % 16)
    expect(apply('bucket[100]', 'decimal(9, 2)', 1420n)).toBe((-500754589 & 0x7fffffff) % 100)
    expect(apply('bucket[16]', 'string', null)).toBeNull()
    expect(transformOf('bucket[16]').resultType('string')).toBe('int')
  })

  it('is not defined for floats and booleans', () => {
    expect(() => apply('bucket[4]', 'double', 1)).toThrow('double')
    expect(() => apply('bucket[4]', 'boolean', true)).toThrow('boolean')
  })
})

describe('truncate', () => {
  it.each<[string, string, Value, Value]>([
    ['truncate[10]', 'int', 1, 0],
    ['truncate[10]', 'int', -1, -10],
    ['truncate[10]', 'long', -10n, -10n],
    ['truncate[10]', 'long', -11n, -20n],
    ['truncate[50]', 'decimal(9, 2)', 1065n, 1050n],
    ['truncate[50]', 'decimal(9, 2)', -1065n, -1100n],
    ['truncate[3]', 'string', 'iceberg', 'ice'],
    ['truncate[2]', 'string', '😀😀😀', '😀😀'],
    ['truncate[3]', 'string', 'ic', 'ic'],
    ['truncate[2]', 'binary', Buffer.from([1, 2, 3]), Buffer.from([1, 2])],
  ])('%s of %s: %s is %s', (transform, type, value, result) => {
    expect(apply(transform, type, value)).toEqual(result)
    expect(transformOf(transform).resultType(type)).toBe(type)
  })
})

describe('times', () => {
  it.each<[string, string, Value, number]>([
    ['year', 'date', days('2017-11-16'), 47],
    ['month', 'date', days('2017-11-16'), 574],
    ['day', 'date', days('2017-11-16'), 17486],
    ['hour', 'timestamptz', micros('2017-11-16T22:31:08Z'), 419686],
    ['day', 'timestamptz', micros('2017-11-16T22:31:08Z'), 17486],
    ['year', 'timestamp', -1n, -1],
    ['month', 'timestamp', -1n, -1],
    ['day', 'timestamp', -1n, -1],
    ['hour', 'timestamp', -1n, -1],
    ['day', 'timestamptz', -86_400_000_000n, -1],
    ['day', 'timestamptz', -86_400_000_001n, -2],
    ['year', 'date', -365, -1],
    ['year', 'date', -366, -2],
    ['month', 'date', -31, -1],
    ['month', 'date', -32, -2],
    ['year', 'date', 2_147_483_647, 5_879_610],
  ])('%s of %s %s is %s', (transform, type, value, result) => {
    expect(apply(transform, type, value)).toBe(result)
  })

  it('count years and months as the calendar does', () => {
    fc.assert(
      fc.property(fc.integer({ min: -10_000_000, max: 10_000_000 }), day => {
        const date = new Date(day * 86_400_000)
        const years = date.getUTCFullYear() - 1970
        expect(apply('year', 'date', day)).toBe(years)
        expect(apply('month', 'date', day)).toBe(years * 12 + date.getUTCMonth())
      }),
    )
  })

  it('are of an int, a day of a date', () => {
    expect(transformOf('hour').resultType('timestamptz')).toBe('int')
    expect(transformOf('day').resultType('timestamptz')).toBe('date')
  })
})

describe('every transform', () => {
  const value = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })

  it.each(['identity', 'truncate[7]', 'year', 'month', 'day', 'hour'])(
    '%s says truly that it keeps the order',
    text => {
      const type = text === 'truncate[7]' ? 'long' : 'timestamptz'
      const { apply: transform, resultType, preservesOrder } = transformOf(text)
      expect(preservesOrder).toBe(true)
      fc.assert(
        fc.property(value, value, (a, b) => {
          const [low, high] = a < b ? [a, b] : [b, a]
          expect(compareValues(resultType(type), transform(type, low)!, transform(type, high)!)).toBeLessThanOrEqual(0)
        }),
      )
    },
  )

  it('of a name that is not known is read, but not applied', () => {
    for (const text of ['zorder[3]', 'bucket[0]', 'bucket', 'truncate[-1]', 'toString', '']) {
      const transform = transformOf(text)
      expect(transform).toMatchObject({ kind: 'unknown', preservesOrder: false })
      expect(() => transform.apply('int', 1)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }))
    }
  })

  it('void gives null', () => {
    expect(apply('void', 'string', 'x')).toBeNull()
  })
})
