// Arrow files and streams, as pyarrow and our own exports write them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import {
  Bool,
  Float32,
  Float64,
  Int64,
  makeBuilder,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
  type Vector,
} from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../../../src/contract/failure.ts'
import { openColumnarFile } from '../../../../src/main/sources/columnar/open-columnar.ts'
import { fileOf, load, optionsOf } from './read-file.ts'

const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name)
const { signal } = new AbortController()

const plain = [
  ['BHP', '2014-03-09T23:00:00.123456Z', '36.67', '100'],
  ['RIO', '2014-03-09T23:00:00.124456Z', '63.9', '200'],
  ['BHP', '2014-03-09T23:00:00.125456Z', '36.665', '300'],
]

describe('an Arrow file of pyarrow', () => {
  it.each(['float32', 'decimal32', 'decimal64', 'decimal128', 'decimal256'])(
    'gives its prices of %s exactly',
    async name => {
      const { rows, bad } = await load(fixture(`${name}.arrow`))
      expect(bad).toEqual([])
      expect(
        rows.map(({ symbol, exchange_timestamp, price, quantity }) => [symbol, exchange_timestamp, price, quantity]),
      ).toEqual(plain)
    },
  )

  it.each([
    ['s', '2014-03-09T23:00:00.000000Z'],
    ['ms', '2014-03-09T23:00:00.123000Z'],
    ['us', '2014-03-09T23:00:00.123456Z'],
    ['ns', '2014-03-09T23:00:00.123456Z'],
  ])('gives its times in %s, cut to microseconds', async (unit, expected) => {
    expect((await load(fixture(`${unit}.arrow`))).rows[0].exchange_timestamp).toBe(expected)
    const wall = fixture(`${unit}-wall.arrow`)
    expect((await load(wall)).rows[0].exchange_timestamp).toBe(expected)
    const inSydney = await load(wall, { timezone: 'Australia/Sydney' })
    expect(inSydney.rows[0].exchange_timestamp).toBe(expected.replace('T23', 'T12'))
  })

  it.each(['plain.arrow', 'lz4.arrow', 'zstd.arrow', 'plain.arrows', 'lz4.arrows', 'zstd.arrows'])(
    'gives dictionaries, views, lists, maps and what the table has no column for, of %s',
    async name => {
      const { rows, bad } = await load(fixture(name), { exchange: undefined })
      expect(bad).toEqual([])
      expect(rows).toMatchObject([
        {
          message_id: 'ASX:1394406000123:BHP:7',
          trade_id: '7',
          exchange: 'ASX',
          asset_class: 'equities',
          side: 'BUY',
          trade_conditions: ['A', 'B'],
          source_sequence: '9007199254740993',
          vendor_data: { k: 'v', on_close: 'true', settles: '2014-03-13' },
        },
        { trade_id: '8', side: null, trade_conditions: [], source_sequence: '2', vendor_data: null },
        {
          trade_id: '7',
          side: 'SELL',
          trade_conditions: null,
          source_sequence: null,
          vendor_data: { a: 'ä', on_close: 'false', settles: '1969-12-31' },
        },
      ])
    },
  )

  it('unpacks LZ4 whose blocks refer back to blocks before them', async () => {
    const { rows, bad } = await load(fixture('lz4-long.arrow'))
    expect(bad).toEqual([])
    expect(rows).toHaveLength(12_000)
    const wrong = rows.findIndex(
      ({ quantity, price }, i) => quantity !== String(i % 50) || price !== `${36 + (i % 7) / 100}`,
    )
    expect(wrong).toBe(-1)
  })
})

const columnsOf = (rowCount: number, more: Record<string, Vector> = {}) => ({
  symbol: vectorFromArray(
    Array.from({ length: rowCount }, () => 'BHP'),
    new Utf8(),
  ),
  exchange_timestamp_ms: vectorFromArray(
    Array.from({ length: rowCount }, (_, i) => 1_394_406_000_000n + BigInt(i)),
    new Int64(),
  ),
  price: vectorFromArray(
    Array.from({ length: rowCount }, (_, i) => i / 100),
    new Float64(),
  ),
  quantity: vectorFromArray(
    Array.from({ length: rowCount }, () => 1n),
    new Int64(),
  ),
  ...more,
})

describe('an Arrow file of ours', () => {
  it.each(['file', 'stream'] as const)('comes in batches of bounded size as a %s, in order', async form => {
    const rowCount = 150_000
    const flags = makeBuilder({ type: new Bool(), nullValues: [null] })
    for (let i = 0; i < rowCount; i++) flags.append(i % 3 === 0 ? null : i % 3 === 1)
    const table = new Table(columnsOf(rowCount, { flag: flags.finish().toVector() }))
    const { rows, batches } = await load(fileOf(tableToIPC(table, form), 'rows.arrow'))
    expect(batches.map(({ rowCount: count }) => count)).toEqual([65_536, 65_536, 18_928])
    const wrong = rows.findIndex(
      ({ trade_id, price, vendor_data }, i) =>
        trade_id !== String(i + 1) ||
        price !== String(i / 100) ||
        (vendor_data as { flag?: string } | null)?.flag !== [undefined, 'true', 'false'][i % 3],
    )
    expect(wrong).toBe(-1)
  })

  it('may be empty', async () => {
    const { rows, bad } = await load(fileOf(tableToIPC(new Table(columnsOf(0)), 'file'), 'rows.arrow'))
    expect([rows, bad]).toEqual([[], []])
  })

  it('gives any float of four bytes as the shortest decimal that is read as it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ min: Math.fround(0.001), max: 99_999, noNaN: true }), { minLength: 1 }),
        async floats => {
          const prices = vectorFromArray(floats, new Float32())
          const table = new Table({ ...columnsOf(floats.length), price: prices })
          const { rows, bad } = await load(fileOf(tableToIPC(table, 'file'), 'rows.arrow'))
          const kept = new Set(bad.map(({ line }) => line))
          let row = 0
          floats.forEach((float, i) => {
            if (kept.has(i + 1)) return
            const text = rows[row++].price as string
            expect(Math.fround(Number(text))).toBe(float)
            const digits = text.replace(/^0\.0*|\./g, '').length
            for (let fewer = 1; fewer < digits; fewer++)
              if (Math.fround(Number(float.toPrecision(fewer))) === float)
                expect(digits).toBeLessThanOrEqual(text.length)
          })
        },
      ),
      { numRuns: 50 },
    )
  })

  it('gives any double as its shortest decimal, or not at all', async () => {
    const double = fc.oneof(
      fc.double({ min: -1e10, max: 1e10, noNaN: true }),
      fc.integer({ min: -1e9, max: 1e9 }).map(cents => cents / 100),
      fc.integer({ min: 0, max: 2 ** 53 - 1 }).map(unscaled => unscaled / 1e8),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(double, { minLength: 1, maxLength: 50 }), async doubles => {
        const table = new Table({ ...columnsOf(doubles.length), price: vectorFromArray(doubles, new Float64()) })
        const { rows, bad } = await load(fileOf(tableToIPC(table, 'file'), 'rows.arrow'))
        const expected = doubles.flatMap(value => {
          const text = plainText(value)
          return (text.split('.')[1] ?? '').length > 8 || Math.abs(value) >= 1e10 ? [] : [text]
        })
        expect(rows.map(({ price }) => price)).toEqual(expected)
        expect(bad.length).toBe(doubles.length - expected.length)
      }),
      { numRuns: 100 },
    )
  })

  it('tells columns of the same name apart', async () => {
    const { rows } = await load(fixture('same-names.arrow'))
    expect(rows[1]).toMatchObject({ price: '63.9', vendor_data: { price_1: 'second' } })
  })

  it('stops between batches when it is cancelled', async () => {
    const stopping = new AbortController()
    const path = fileOf(tableToIPC(new Table(columnsOf(150_000)), 'file'), 'rows.arrow')
    const source = await openColumnarFile(path, optionsOf(), signal)
    const reading = source!.read(stopping.signal)[Symbol.asyncIterator]()
    await reading.next()
    stopping.abort()
    await expect(reading.next()).rejects.toThrow(/abort/)
  })
})

describe('a damaged Arrow file', () => {
  it.each(['lz4.arrow', 'plain.arrows', 'zstd.arrows', 'lz4.arrows'])(
    'of %s is refused wherever it was cut off',
    async name => {
      const bytes = readFileSync(fixture(name))
      for (let length = 8; length < bytes.length; length += 131) {
        const path = fileOf(bytes.subarray(0, length), name)
        await expect(load(path)).rejects.toMatchObject({
          code: 'CORRUPT',
          message: expect.stringContaining(path) as string,
        })
      }
    },
  )

  it.each(['plain.arrow', 'lz4.arrow', 'zstd.arrow', 'plain.arrows', 'zstd.arrows'])(
    'of %s with a byte turned over gives rows or a failure that names it, never a crash',
    async name => {
      const bytes = readFileSync(fixture(name))
      const at = fc.integer({ min: 8, max: bytes.length - 17 })
      await fc.assert(
        fc.asyncProperty(at, fc.integer({ min: 1, max: 255 }), async (place, mask) => {
          const turned = Buffer.from(bytes)
          turned[place] ^= mask
          const path = fileOf(turned, name)
          const outcome = await load(path, { exchange: 'asx' }).catch((error: unknown) => error)
          if (!(outcome instanceof Error)) return
          if (!(outcome instanceof Failure)) throw outcome
          expect(['CORRUPT', 'INVALID_INPUT']).toContain(outcome.code)
        }),
        { numRuns: 150 },
      )
    },
  )

  it('is not recognised when it is something else', async () => {
    for (const text of ['', 'PAR', 'symbol,price\n', 'ARROW2\0\0', '\xff\xff\xff\xff'])
      expect(await openColumnarFile(fileOf(Buffer.from(text, 'latin1'), 'x'), optionsOf(), signal)).toBeUndefined()
  })
})

/** Without an exponent, and with as many decimals as there are. */
function plainText(value: number): string {
  const [, fraction = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:e(.+))?$/.exec(String(value)) ?? []
  const decimals = Math.max(fraction.length - Number(exponent), 0)
  return value === 0 ? '0' : value.toFixed(Math.min(decimals, 100))
}
