import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../../src/contract/columns.ts'
import { append, tradesBatch } from '../../../support/lake.ts'
import { openSqlLake, type SqlLake } from './sql-lake.ts'

const ask = ({ client }: SqlLake, sql: string, more: object = {}) => client['sql.run']({ sql, ...more })

describe('a mistake in a statement', () => {
  it.each([
    ['SELECT 1 +', /syntax error/, { line: 1, column: 11 }],
    ['SELEC 1', /syntax error at or near "SELEC"/, { line: 1, column: 1 }],
    ["SELECT 'é',\n  nope\nFROM trades", /Referenced column "nope" not found/, { line: 2, column: 3 }],
    ["SELECT 'corrupt Parquet'::INT", /Could not convert string 'corrupt Parquet'/, { line: 1 }],
    ['SELECT prise FROM trades', /Candidate bindings: .*"price"/, { line: 1, column: 8 }],
    ['EXPLAIN SELECT nope FROM trades', /nope/, { line: 1, column: 16 }],
    ['SELECT read_text(1)', /read_text cannot be used here/, { line: 1, column: 8 }],
    ['FROM nothing', /There is no table nothing. The tables are trades, quotes/, { line: 1, column: 6 }],
    ['SELECT DISTINCT ON (symbol) * FROM trades LIMIT symbol', /./, undefined],
    ["SELECT error('no luck')", /no luck/, undefined],
    ['SELECT 1 AS a, 2 AS "a:1", 3 AS a', /Two columns are called a:1/, undefined],
    ['SELECT (SELECT unnest([1, 2]))', /./, undefined],
    ['SELECT 170141183460469231731687303715884105727::HUGEINT + 1', /[Oo]verflow/, undefined],
    [`SELECT ${'('.repeat(20_000)}1${')'.repeat(20_000)}`, /memory exhausted/, undefined],
    [`SELECT 1${' UNION ALL SELECT 1'.repeat(3_000)}`, /too many parts/, undefined],
    ['SELECT \0', /NUL/, undefined],
  ])('is told in the words of DuckDB, with its place: %.60s', async (sql, message, place) => {
    const failure = await ask(await openSqlLake(), sql).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringMatching(message) as string })
    if (place) expect(failure).toMatchObject({ details: place })
  })

  it.each([
    ['SELECT ?', []],
    ['SELECT ?', [1, 2]],
    ['SELECT $2', [1, 2]],
    ['SELECT $name', [1]],
    ['SELECT 1', [1]],
    ['SELECT ? + 1', ['not a number']],
  ])('in its parameters is told too: %s with %j', async (sql, params) => {
    await expect(ask(await openSqlLake(), sql, { params })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })
})

describe('what an answer cannot hold as it is', () => {
  it('comes as text: times beyond the calendar, wide integers, nested values', async () => {
    const sql = `SELECT DATE 'infinity' AS d, TIMESTAMP '-infinity' AS t, TIMESTAMP '290000-01-01' AS far,
      DATE '12000-02-03' AS late, 2::HUGEINT ** 0 AS x, 170141183460469231731687303715884105727::HUGEINT AS h,
      {'a': [1, NULL]} AS s, INTERVAL '1 month 2 days' AS i, 'nan'::DOUBLE AS nan, NULL AS n, '1'::BIT AS b,
      uuid() IS NOT NULL AS u, TIME '01:02:03.5' AS tm, [DATE '2014-01-01'] AS ld, MAP {1: 'a'} AS m`
    const [row] = rowsOf((await ask(await openSqlLake(), sql)).data)
    expect(row).toMatchObject({ d: 'infinity', t: '-infinity', late: '+012000-02-03', n: null, u: true })
    expect(row).toMatchObject({ h: '170141183460469231731687303715884105727', i: '1 month 2 days', tm: '01:02:03.5' })
    expect(row.far as string).toMatch(/290000|microseconds/)
  })
})

describe('a statement above its limits', () => {
  it('is stopped when its time is over, and its caller told within a second of it', async () => {
    const lake = await openSqlLake({ timeoutMs: 300 })
    const startedMs = performance.now()
    await expect(
      ask(lake, 'SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range % 7 = b.range % 3'),
    ).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(performance.now() - startedMs).toBeLessThan(5_000)
  })

  it('is refused when it needs more memory than one may have', async () => {
    const lake = await openSqlLake({ memoryMb: 256 })
    await expect(ask(lake, 'SELECT list(range) FROM range(100000000)')).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      message: expect.stringContaining('K2_QUERY_MEMORY') as string,
    })
  })

  it('gives so many rows and says that there are more', async () => {
    const { data, pagination } = await ask(await openSqlLake(), 'FROM range(1000000)', { limit: 7 })
    expect(data.rowCount).toBe(7)
    expect(pagination).toEqual({ limit: 7, has_more: true })
  })

  it('stops when its caller goes away, and leaves no file', async () => {
    const lake = await openSqlLake()
    await append(lake.lake, tradesBatch(0, 10))
    const abort = new AbortController()
    const sql = 'SELECT count(*) FROM range(1000000000) a, range(1000000000) b, trades'
    const asked = lake.client['sql.run']({ sql }, { signal: abort.signal })
    const exported = lake.client['sql.export'](
      { sql: 'FROM range(1000000000) a, trades', format: 'csv' },
      { signal: abort.signal },
    )
    const iterator = exported[Symbol.asyncIterator]()
    await iterator.next()
    await iterator.next()
    abort.abort()
    await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' })
    await iterator.return?.()
    const left = () =>
      readdirSync(join(lake.folder, 'sql'), { recursive: true }).filter(
        name => !/owner\.json$|^[^/]+$/.test(String(name)),
      )
    await expect.poll(() => left().filter(name => !String(name).endsWith('spill'))).toEqual([])
    expect(rowsOf((await ask(lake, 'SELECT 1 AS one')).data)).toEqual([{ one: 1 }])
  })
})
