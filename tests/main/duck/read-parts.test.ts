// One answer as several batches, and its decimals as small as they can be said.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimalText, rowsOf, type Column, type ColumnBatch } from '../../../src/contract/columns.ts'
import { readBatch } from '../../../src/main/duck/read-batch.ts'
import { readParts, type RowSpan } from '../../../src/main/duck/read-parts.ts'
import { openTestDuck } from './duck.ts'

/** Rows over several vectors: times, decimals with nulls, texts that differ and that repeat, lists, flags. */
const ROWS = `SELECT make_timestamptz(1767571200000000 + i * 1000003) t, if(i % 7 = 3, NULL, (i * 37 % 9000) / 100)::DECIMAL(18,8) p,
  (i % 50)::DECIMAL(18,8) q, 'id of more than twelve bytes ' || i AS id, if(i % 5 = 0, NULL, 'S' || i % 3) s, [s, 'x'] li,
  i % 2 = 0 b, i::BIGINT n FROM range(10000) r(i)`

async function partsOf(spans: RowSpan[]): Promise<{ parts: ColumnBatch[]; expected: ColumnBatch[] }> {
  const { connection } = await openTestDuck()
  const parts = await readParts(connection, ROWS, spans)
  const expected: ColumnBatch[] = []
  for (const { from, to } of spans)
    expected.push(await readBatch(connection, `SELECT * FROM (${ROWS}) WHERE n >= ${from} AND n < ${to} ORDER BY n`))
  return { parts, expected }
}

const spansOf = (...ends: [number, number][]): RowSpan[] => ends.map(([from, to]) => ({ from, to }))

describe('an answer in parts', () => {
  it.each([
    ['follow each other', spansOf([0, 3000], [3000, 3001], [3001, 9000], [9000, 10_000])],
    ['have others between them', spansOf([5, 100], [2047, 2049], [6000, 9999])],
    ['are many in one vector', spansOf([4096, 4100], [4100, 4200], [4300, 4400])],
    ['are partly empty', spansOf([0, 0], [0, 0], [2048, 2048], [2048, 4096], [10_000, 10_000])],
  ])('has the rows of each in their order where they %s', async (_, spans) => {
    const { parts, expected } = await partsOf(spans)
    expect(parts.map(({ rowCount }) => rowCount)).toEqual(spans.map(({ from, to }) => to - from))
    expect(parts.map(rowsOf)).toEqual(expected.map(rowsOf))
  })

  it('has no word in a part that none of its rows has, where words are many', async () => {
    const { parts } = await partsOf(spansOf([0, 2500], [2500, 5000], [7500, 10_000]))
    expect(parts.map(({ columns }) => columns.id.words!.length)).toEqual([2500, 2500, 2500])
  })

  it('has all rows in one part when none is asked for', async () => {
    const { connection } = await openTestDuck()
    const [part] = await readParts(connection, ROWS)
    expect(rowsOf(part)).toEqual(rowsOf(await readBatch(connection, ROWS)))
  })

  it('has none where there are none', async () => {
    const { connection } = await openTestDuck()
    const [part] = await readParts(connection, `SELECT * FROM (${ROWS}) WHERE n < 0`)
    expect(rowsOf(part)).toEqual([])
  })

  it('is ended when its caller has gone', async () => {
    const { connection } = await openTestDuck()
    const gone = AbortSignal.abort()
    await expect(readParts(connection, ROWS, undefined, gone)).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})

describe('a decimal column in parts', () => {
  async function readDecimals(values: readonly (bigint | null)[]): Promise<Column> {
    const { connection } = await openTestDuck()
    const texts = values.map(value => `(${value === null ? 'NULL' : `'${decimalText(value, 8)}'`})`)
    const sql = `SELECT v::DECIMAL(18,8) v FROM (VALUES ${texts.join(', ')}) t(v)`
    const [{ columns }] = await readParts(connection, sql)
    return columns.v
  }

  it('has the fewest places and bits that say all of it', async () => {
    expect(await readDecimals([3_618_000_000n, 2_000_000_000n])).toEqual({
      type: 'decimal',
      scale: 2,
      values: Int32Array.of(3618, 2000),
    })
    expect(await readDecimals([900_000_000_000_010n, 10n ** 8n])).toMatchObject({
      scale: 7,
      values: Float64Array.of(90_000_000_000_001, 1e7),
    })
    expect(await readDecimals([100_000_000n, 1n, 999_999_999_999_999_999n])).toMatchObject({
      scale: 8,
      values: BigInt64Array.of(100_000_000n, 1n, 999_999_999_999_999_999n),
    })
    expect(await readDecimals([0n, null])).toEqual({
      type: 'decimal',
      scale: 0,
      values: Int32Array.of(0, 0),
      nulls: Uint8Array.of(0, 1),
    })
  })

  it('says every number to the last digit, in whatever order they come', { timeout: 60_000 }, async () => {
    const { connection } = await openTestDuck()
    const most = 10n ** 18n - 1n
    const number = fc.oneof(
      fc.bigInt({ min: -most, max: most }),
      fc.integer({ min: -100_000, max: 100_000 }).map(cents => BigInt(cents) * 1_000_000n),
      fc.integer().map(whole => BigInt(whole) * 100_000_000n),
      fc.constantFrom(
        0n,
        1n,
        -1n,
        2n ** 53n,
        2n ** 53n - 1n,
        -(2n ** 53n) + 1n,
        2n ** 31n,
        -(2n ** 31n),
        10n ** 17n + 1n,
      ),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(number, { freq: 8 }), { minLength: 1, maxLength: 40 }), async numbers => {
        const texts = numbers.map(value => `(${value === null ? 'NULL' : `'${decimalText(value, 8)}'`})`)
        const sql = `SELECT v::DECIMAL(18,8) v FROM (VALUES ${texts.join(', ')}) t(v)`
        const [part] = await readParts(connection, sql)
        expect(rowsOf(part)).toEqual(numbers.map(value => ({ v: value === null ? null : decimalText(value, 8) })))
        const { values, scale = 0, nulls } = part.columns.v
        const isSmallest =
          values instanceof BigInt64Array ||
          scale === 0 ||
          values.some((value, i) => !nulls?.[i] && Number(value) % 10 !== 0)
        expect(isSmallest).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})
