import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../../src/contract/columns.ts'
import { append, tradesBatch } from '../../../support/lake.ts'
import { openSqlLake, type SqlLake } from './sql-lake.ts'

async function ask({ client }: SqlLake, sql: string, more: object = {}) {
  const { data, query, pagination } = await client['sql.run']({ sql, ...more })
  return { rows: rowsOf(data), query, pagination }
}

describe('SQL over the tables', () => {
  it('answers a SELECT with its columns, their types and where the rows came from', async () => {
    const lake = await openSqlLake()
    const { snapshotId } = await append(lake.lake, tradesBatch(0, 100))
    const { rows, query, pagination } = await ask(
      lake,
      'SELECT symbol, count(*) AS n, sum(quantity) q FROM trades GROUP BY symbol ORDER BY symbol',
      { limit: 2 },
    )
    expect(rows).toEqual([
      { symbol: 'SYM0', n: '15', q: '100' },
      { symbol: 'SYM1', n: '15', q: '102' },
    ])
    expect(query).toMatchObject({ engine: 'hybrid', snapshot_id: String(snapshotId), partial: false })
    expect(query.columns).toEqual([
      { name: 'symbol', type: 'VARCHAR' },
      { name: 'n', type: 'BIGINT' },
      { name: 'q', type: 'DECIMAL(38,8)' },
    ])
    expect(pagination).toEqual({ limit: 2, has_more: true })
  })

  it('reads tables that nobody has written to as empty', async () => {
    const lake = await openSqlLake()
    expect((await ask(lake, 'SELECT * FROM quotes, market_data.dead_letters')).rows).toEqual([])
  })

  it('binds parameters in their order, numbers to the last digit', async () => {
    const lake = await openSqlLake()
    const { rows } = await ask(lake, 'SELECT $1 AS a, $2 AS b, $3 AS c, $4 AS d, $1 AS e', {
      params: ['x', 0.1, null, true],
    })
    expect(rows).toEqual([{ a: 'x', b: '0.1', c: null, d: true, e: 'x' }])
    expect((await ask(lake, 'SELECT ? || ?', { params: ['a', 'b'] })).rows).toEqual([{ '($1 || $2)': 'ab' }])
  })

  it('gives notional and vwap exactly where plain products overflow', async () => {
    const lake = await openSqlLake()
    const rows = '(VALUES (36.667::DECIMAL(18,8), 20000::DECIMAL(18,8)), (36.668, 10000), (NULL, 5)) AS t(p, q)'
    const answer = await ask(lake, `SELECT sum(notional(p, q)) AS n, vwap(p, q) AS v FROM ${rows}`)
    expect(answer.rows).toEqual([{ n: '1100020', v: '36.66733333' }])
    await expect(ask(lake, `SELECT p * q FROM ${rows}`)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/Overflow.*notional\(price, quantity\)/) as string,
    })
  })
})
