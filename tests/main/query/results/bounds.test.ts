import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { rowsOf } from '../../../../src/contract/columns.ts'
import { append, tradesBatch } from '../../../support/lake.ts'
import { openSqlLake, type SqlLake } from '../sql/sql-lake.ts'

const open = async ({ client }: SqlLake, rows = 10) =>
  (await client['results.open']({ sql: `SELECT i, repeat('x', 1000) AS x FROM range(${rows}) t(i)` })).result
const firstOf = async ({ client }: SqlLake, result: string) =>
  rowsOf((await client['results.window']({ result, first: 0, count: 1 })).rows)[0].i

it('lets the one go that was not asked for the longest when too many are held', async () => {
  const place = await openSqlLake({ results: { mostResults: 3 } })
  const [a, b, c] = [await open(place), await open(place), await open(place)]
  expect(await firstOf(place, a)).toBe('0')
  const d = await open(place)
  await expect(firstOf(place, b)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('Run its statement again') as string,
  })
  expect([await firstOf(place, a), await firstOf(place, c), await firstOf(place, d)]).toEqual(['0', '0', '0'])
})

it('lets older ones go when all together take too much, and keeps the newest whatever it takes', async () => {
  const place = await openSqlLake({ results: { mostBytes: 3_000_000 } })
  const small = await open(place)
  expect(await firstOf(place, small)).toBe('0')
  const large = await open(place, 10_000)
  await expect(firstOf(place, small)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await firstOf(place, large)).toBe('0')
})

it('lets one go that nobody has asked for in a while', async () => {
  const place = await openSqlLake({ results: { idleMs: 300 } })
  const result = await open(place)
  expect(await firstOf(place, result)).toBe('0')
  // Each time it is asked for it stays for another while.
  const isGone = () => expect(firstOf(place, result)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await vi.waitFor(isGone, { timeout: 10_000, interval: 1_000 })
})

it(
  'keeps what exceeds its memory on disk, gives it from there, and leaves nothing behind when it is closed',
  { timeout: 60_000 },
  async () => {
    const place = await openSqlLake({ memoryMb: 300, timeoutMs: 60_000 })
    const { client, spill } = place
    const folders = () =>
      readdirSync(spill, { recursive: true, withFileTypes: true }).filter(
        entry => entry.isFile() && entry.name !== 'owner.json',
      )
    const opened = await client['results.open']({
      sql: 'SELECT i, md5(i::VARCHAR) AS a, sha256(i::VARCHAR) AS b, sha256((i + 1)::VARCHAR) AS c, sha256((i + 2)::VARCHAR) AS d FROM range(400000) t(i)',
    })
    const { result } = opened
    expect(opened.row_count).toBe(400_000)
    expect(folders().length).toBeGreaterThan(0)
    for (const first of [399_999, 0, 123_456]) {
      const { rows } = await client['results.window']({ result, first, count: 1 })
      expect(rowsOf(rows)[0].i).toBe(String(first))
    }
    const sorted = await client['results.window']({
      result,
      first: 0,
      count: 3,
      sort: [{ column: 'i', descending: true }],
    })
    expect(rowsOf(sorted.rows).map(({ i }) => i)).toEqual(['399999', '399998', '399997'])
    expect((await client['results.close']({ result })).closed).toBe(true)
    expect((await client['results.close']({ result })).closed).toBe(false)
    await vi.waitFor(() => expect(folders()).toEqual([]))
  },
)

it('reads no file once its rows are held: the tables can go on, be compacted and expire', async () => {
  const place = await openSqlLake()
  await append(place.lake, tradesBatch(0, 100))
  const { result } = await place.client['results.open']({ sql: 'SELECT message_id AS i FROM trades ORDER BY 1' })
  expect(existsSync(join(place.folder, 'warehouse'))).toBe(true)
  rmSync(join(place.folder, 'warehouse'), { recursive: true })
  expect(await firstOf(place, result)).toBe('m-000000000')
})

it('gives windows that are asked for at the same time, and ends those whose caller has gone', async () => {
  const place = await openSqlLake()
  const { client } = place
  const result = await open(place, 50_000)
  const windows = await Promise.all(
    [40_000, 0, 7, 49_999].map(first => client['results.window']({ result, first, count: 2 })),
  )
  expect(windows.map(({ rows }) => rowsOf(rows)[0].i)).toEqual(['40000', '0', '7', '49999'])
  const gone = new AbortController()
  const asked = client['results.window'](
    {
      result,
      first: 0,
      count: 1,
      sort: [
        { column: 'x', descending: true },
        { column: 'i', descending: true },
      ],
    },
    { signal: gone.signal },
  )
  gone.abort()
  await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(await firstOf(place, result)).toBe('0')
  const closing = client['results.window']({ result, first: 1, count: 1 })
  await client['results.close']({ result })
  await closing.then(
    ({ rows }) => expect(rows.rowCount).toBe(1),
    error => expect(error).toMatchObject({ code: 'NOT_FOUND' }),
  )
})
