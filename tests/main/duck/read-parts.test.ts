// One answer as several batches, and its decimals as small as they can be said.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimalText, rowsOf, type Column, type ColumnBatch } from '../../../src/contract/columns.ts'
import { readBatch } from '../../../src/main/duck/read-batch.ts'
import { readParts } from '../../../src/main/duck/read-parts.ts'
import { openTestDuck } from './duck.ts'

/** Rows over several vectors: times, decimals with nulls, texts that differ and that repeat, lists, flags. */
const ROWS = `SELECT make_timestamptz(1767571200000000 + i * 1000003) t, if(i % 7 = 3, NULL, (i * 37 % 9000) / 100)::DECIMAL(18,8) p,
  (i % 50)::DECIMAL(18,8) q, 'id of more than twelve bytes ' || i AS id, if(i % 5 = 0, NULL, 'S' || i % 3) s, [s, 'x'] li,
  i % 2 = 0 b, i::BIGINT n FROM range(10000) r(i)`

/** `of` says the part of row i. */
async function partsOf(of: string, count: number): Promise<{ parts: ColumnBatch[]; expected: ColumnBatch[] }> {
  const { connection } = await openTestDuck()
  const all = `SELECT (${of})::USMALLINT part, * FROM (SELECT *, n AS i FROM (${ROWS}))`
  const parts = await readParts(connection, all, count)
  const expected: ColumnBatch[] = []
  for (let part = 0; part < count; part++)
    expected.push(await readBatch(connection, `SELECT * EXCLUDE (part) FROM (${all}) WHERE part = ${part} ORDER BY n`))
  return { parts, expected }
}

describe('an answer in parts', () => {
  it.each([
    ['lie one after the other', '(i // 3000)', 5],
    ['alternate', 'i % 3', 3],
    ['are of any length', 'if(i < 2048, 0, 1 + (i // 100) % 2)', 4],
  ])('has the rows of each in their order where they %s', async (_, of, count) => {
    const { parts, expected } = await partsOf(of, count)
    expect(parts.map(({ rowCount }) => rowCount)).toEqual(expected.map(({ rowCount }) => rowCount))
    expect(parts.map(rowsOf)).toEqual(expected.map(rowsOf))
  })

  it('has no word in a part that none of its rows has, where words are many', async () => {
    const { parts } = await partsOf('(i // 100) % 4', 4)
    expect(parts.map(({ columns }) => columns.id.words!.length)).toEqual([2500, 2500, 2500, 2500])
  })

  it('has all rows in one part without its number', async () => {
    const { connection } = await openTestDuck()
    const [part] = await readParts(connection, ROWS, 1)
    expect(rowsOf(part)).toEqual(rowsOf(await readBatch(connection, ROWS)))
  })

  it('has none where there are none', async () => {
    const { connection } = await openTestDuck()
    const parts = await readParts(connection, `SELECT 0::USMALLINT part, * FROM (${ROWS}) WHERE n < 0`, 2)
    expect(parts.map(rowsOf)).toEqual([[], []])
  })

  it('is ended when its caller has gone', async () => {
    const { connection } = await openTestDuck()
    const gone = AbortSignal.abort()
    await expect(readParts(connection, ROWS, 1, gone)).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})

describe('a decimal column in parts', () => {
  async function readDecimals(values: readonly (bigint | null)[]): Promise<Column> {
    const { connection } = await openTestDuck()
    const texts = values.map(value => `(${value === null ? 'NULL' : `'${decimalText(value, 8)}'`})`)
    const sql = `SELECT v::DECIMAL(18,8) v FROM (VALUES ${texts.join(', ')}) t(v)`
    const [{ columns }] = await readParts(connection, sql, 1)
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
        const [part] = await readParts(connection, sql, 1)
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
