import fc from 'fast-check'
import { expect, it } from 'vitest'
import { rowsOf, type ColumnBatch, type Row } from '../../../../src/contract/columns.ts'
import { append, tradesBatch } from '../../../support/lake.ts'
import { openSqlLake, type SqlLake } from '../sql/sql-lake.ts'

const ROWS = 5_000

async function heldTrades(sql = 'FROM trades ORDER BY message_id'): Promise<SqlLake & { result: string }> {
  const place = await openSqlLake()
  await append(place.lake, tradesBatch(0, ROWS))
  const { result } = await place.client['results.open']({ sql })
  return { ...place, result }
}

it('gives the rows of a statement in its own order, window by window', async () => {
  const { client, result } = await heldTrades()
  const whole = await client['sql.run']({ sql: 'FROM trades ORDER BY message_id', limit: ROWS })
  const opened = await client['results.open']({ sql: 'FROM trades ORDER BY message_id' })
  expect(opened).toMatchObject({ row_count: ROWS, is_truncated: false, advice: null })
  expect(opened.columns.map(({ name }) => name)).toEqual(Object.keys(whole.data.columns))
  expect(opened.query).toMatchObject({ snapshot_id: whole.query.snapshot_id, files: whole.query.files })
  const rows: Row[] = []
  for (let first = 0; first < ROWS; first += 1_700) {
    const window = await client['results.window']({ result, first, count: 1_700 })
    expect(window).toMatchObject({ first, row_count: ROWS })
    rows.push(...rowsOf(window.rows))
  }
  expect(rows).toEqual(rowsOf(whole.data))
  const beyond = await client['results.window']({ result, first: ROWS + 7, count: 5 })
  expect([beyond.rows.rowCount, Object.keys(beyond.rows.columns)]).toEqual([0, Object.keys(whole.data.columns)])
})

const SQL = `SELECT row_number() OVER (ORDER BY message_id) AS n, symbol, price, quantity, exchange_timestamp AS moment,
  CASE WHEN source_sequence % 3 = 0 THEN NULL ELSE source_sequence % 5 END AS few, price::DOUBLE AS rough,
  exchange_timestamp::DATE AS day, source_sequence % 2 = 0 AS even, upper(symbol) || ' ä' AS text
  FROM trades`

const conditions = fc.oneof(
  fc.record({
    column: fc.constant('symbol'),
    op: fc.constantFrom('=', '!=', '<', '>='),
    value: fc.constantFrom('SYM3', 'SYM6', "x'"),
  }),
  fc.record({
    column: fc.constant('text'),
    op: fc.constantFrom('contains', 'starts_with'),
    value: fc.constantFrom('ym3', 'Sym', '3 Ä', '%', ''),
  }),
  fc.record({
    column: fc.constantFrom('price', 'rough', 'few', 'n'),
    op: fc.constantFrom('=', '!=', '<', '<=', '>', '>='),
    value: fc.oneof(
      fc.integer({ min: -1, max: 60 }),
      fc.constantFrom('36.61', '2.5', '3.000000001', '-0', '1e1', '9'.repeat(60)),
    ),
  }),
  fc.record({
    column: fc.constantFrom('moment', 'day'),
    op: fc.constantFrom('<', '<=', '>', '>=', '=', '!='),
    value: fc.constantFrom('2014-03-10', '2014-03-12T10:00:00+10:00', '2014-03-10T01:00:00.000001Z'),
  }),
  fc.record({ column: fc.constant('even'), op: fc.constantFrom('=', '!='), value: fc.boolean() }),
  fc.record({ column: fc.constantFrom('few', 'symbol'), op: fc.constantFrom('is_null', 'is_not_null') }),
)
const sorts = fc.record({
  column: fc.constantFrom('n', 'symbol', 'price', 'moment', 'few', 'rough', 'day', 'even', 'text'),
  descending: fc.boolean(),
})

/** The same, written by hand for DuckDB. */
function whereOf({ column, op, value }: { column: string; op: string; value?: unknown }): string {
  const text = `'${String(value).replaceAll("'", "''")}'`
  if (op === 'contains') return `contains(lower(${column}), lower(${text}))`
  if (op === 'starts_with') return `starts_with(lower(${column}), lower(${text}))`
  if (op === 'is_null') return `${column} IS NULL`
  if (op === 'is_not_null') return `${column} IS NOT NULL`
  const isTime = column === 'moment' || column === 'day'
  if (isTime) return `${column}::TIMESTAMPTZ ${op} TIMESTAMPTZ ${text}`
  if (String(value).length > 30) return op === '!=' || op.startsWith('<') ? `${column} IS NOT NULL` : 'FALSE'
  if (column === 'rough') return `${column} ${op} ${text}::DOUBLE`
  if (['price', 'few', 'n'].includes(column)) return `${column}::DECIMAL(30,10) ${op} ${text}::DOUBLE::DECIMAL(30,10)`
  return `${column} ${op} ${text}`
}

it('sorts and filters as DuckDB does, equal rows in the order of the statement', { timeout: 60_000 }, async () => {
  const { client, result } = await heldTrades(`${SQL} ORDER BY n DESC`)
  await fc.assert(
    fc.asyncProperty(
      fc.array(conditions, { maxLength: 3 }),
      fc.array(sorts, { maxLength: 4 }),
      fc.nat(ROWS),
      fc.integer({ min: 1, max: 400 }),
      async (filter, sort, first, count) => {
        const window = await client['results.window']({ result, first, count, sort, filter })
        const order = [
          ...sort.map(({ column, descending }) => `${column} ${descending ? 'DESC' : 'ASC'} NULLS LAST`),
          'n DESC',
        ]
        const where = filter.map(whereOf).join(' AND ') || 'TRUE'
        const all = await client['sql.run']({
          sql: `SELECT *, count(*) OVER () AS total FROM (${SQL}) WHERE ${where} ORDER BY ${order.join(', ')} LIMIT ${count} OFFSET ${first}`,
          limit: 1_000,
        })
        const { total, ...columns } = all.data.columns
        expect(rowsOf(window.rows)).toEqual(rowsOf({ ...all.data, columns }))
        if (all.data.rowCount > 0) expect(window.row_count).toBe(Number(total.values[0]))
      },
    ),
    { numRuns: 20 },
  )
})

it('takes any name of a column and any value for what it is', async () => {
  const { client } = await heldTrades()
  const sql = `SELECT 1 AS "x""; DROP TABLE k2_held; --", 2 AS rowid, 'a''); --' AS "A", NULL AS a, '%_' AS "__proto__", 5 AS "k2_rowid"
    UNION ALL SELECT 2, 1, 'b', 'x', 'ab', 6`
  const { result, columns, row_count } = await client['results.open']({ sql })
  const names = columns.map(({ name }) => name)
  expect([row_count, names.slice(0, 3)]).toEqual([2, ['x"; DROP TABLE k2_held; --', 'rowid', 'A']])
  const ask = (filter: unknown[], sort: unknown[] = []) =>
    client['results.window']({ result, first: 0, count: 10, sort, filter } as never)
  expect((await ask([], [{ column: 'rowid', descending: false }])).rows.columns.rowid.values).toEqual(
    Int32Array.of(1, 2),
  )
  expect((await ask([{ column: names[0], op: '=', value: 1 }])).row_count).toBe(1)
  expect((await ask([{ column: 'A', op: '=', value: "a'); --" }])).row_count).toBe(1)
  expect((await ask([{ column: '__proto__', op: 'contains', value: '%' }])).row_count).toBe(1)
  expect((await ask([{ column: 'A', op: '=', value: "' OR 1=1 --" }])).row_count).toBe(0)
  for (const filter of [
    [{ column: 'price', op: '=', value: 1 }],
    [{ column: 'rowid"', op: 'is_null' }],
    [{ column: 'rowid', op: '=', value: '1; SELECT 1' }],
    [{ column: 'rowid', op: 'contains', value: '1' }],
    [{ column: 'rowid', op: '=' }],
    [{ column: 'rowid', op: 'is_null', value: 1 }],
    [{ column: 'rowid', op: 'LIKE', value: 1 }],
    [{ column: 'A', op: '=', value: '\u0000' }],
  ])
    await expect(ask(filter), JSON.stringify(filter)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  await expect(ask([], [{ column: 'symbol', descending: false }])).rejects.toThrow('no column symbol')
})

it('holds what EXPLAIN, DESCRIBE and statements with parameters answer', async () => {
  const { client } = await heldTrades()
  const windowOf = async (sql: string, params: (string | number)[] = []) => {
    const { result } = await client['results.open']({ sql, params })
    return (await client['results.window']({ result, first: 0, count: 100 })).rows
  }
  expect((await windowOf('EXPLAIN SELECT count(*) FROM trades')).rowCount).toBeGreaterThan(0)
  const described = await windowOf('DESCRIBE trades')
  expect(rowsOf(described).map(row => row.column_name)).toContain('exchange_timestamp')
  const given = await windowOf('SELECT $1 AS a, ?2 + 0.01 AS b -- the end;'.replace('?2', '$2'), ['x', 36.6])
  expect(rowsOf(given)).toEqual([{ a: 'x', b: '36.61' }])
})

it('says where a statement is wrong, and holds nothing then', async () => {
  const { client } = await heldTrades()
  await expect(client['results.open']({ sql: 'SELECT prize FROM trades' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    details: { line: 1, column: 8 },
  })
  await expect(client['results.open']({ sql: 'CREATE TABLE x AS FROM trades' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  })
  await expect(client['results.open']({ sql: 'FROM main.k2_held' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
})

const rowCountOf = ({ rowCount }: ColumnBatch) => rowCount

it('holds so many rows, and says what to do for the others', async () => {
  const { client } = await openSqlLake({ results: { mostRows: 1_000 } })
  const opened = await client['results.open']({ sql: 'SELECT i FROM range(5000) t(i) ORDER BY i DESC' })
  expect(opened).toMatchObject({
    row_count: 1_000,
    is_truncated: true,
    advice: expect.stringContaining('1000 rows') as string,
  })
  const { result } = opened
  const last = await client['results.window']({
    result,
    first: 990,
    count: 100,
    filter: [{ column: 'i', op: '<', value: 4990 }],
  })
  expect([last.row_count, rowCountOf(last.rows)]).toEqual([990, 0])
  const end = await client['results.window']({ result, first: 999, count: 100 })
  expect(rowsOf(end.rows)).toEqual([{ i: '4000' }])
})

it('takes a statement that ends in a semicolon and comments', async () => {
  const { client } = await heldTrades()
  for (const end of [';', '; -- x', '; /* x */ ;\n-- y\r-- z', "\n--';", ' /* a; */'])
    for (const text of ["'; -- in it'", `E'\\'; -- in it'`, '$a$; -- in it$a$', "'\"; -- in it'"]) {
      const { row_count } = await client['results.open']({ sql: `SELECT ${text} AS a${end}` })
      expect([row_count, text, end]).toEqual([1, text, end])
    }
})
