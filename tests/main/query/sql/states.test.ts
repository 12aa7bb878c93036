import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../../src/contract/columns.ts'
import { append, START_MICROS, tradesBatch } from '../../../support/lake.ts'
import { openSqlLake, type SqlLake } from './sql-lake.ts'

async function ask({ client }: SqlLake, sql: string, more: object = {}) {
  const { data, query } = await client['sql.run']({ sql, ...more })
  return { rows: rowsOf(data), query }
}

/** Three commits of ten trades each; between the first two the clock goes on. */
async function openHistory() {
  const lake = await openSqlLake()
  const first = await append(lake.lake, tradesBatch(0, 10))
  await sleep(20)
  const between = new Date().toISOString()
  await sleep(20)
  const second = await append(lake.lake, tradesBatch(10, 10))
  await append(lake.lake, tradesBatch(20, 10))
  const [a, b] = [String(first.snapshotId), String(second.snapshotId)]
  return { lake, a, b, between }
}

describe('a statement over the past', () => {
  it('reads every table at a snapshot, at a time, and newest', async () => {
    const { lake, a, b, between } = await openHistory()
    const sql = 'SELECT count(*) AS n FROM trades'
    const count = async (more: object) => (await ask(lake, sql, more)).rows[0].n
    expect(await count({})).toBe('30')
    expect(await count({ snapshot_id: a })).toBe('10')
    expect(await count({ snapshot_id: b })).toBe('20')
    expect(await count({ as_of: between })).toBe('10')
    await expect(count({ snapshot_id: '1' })).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
    await expect(count({ as_of: '2000-01-01' })).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
    await expect(count({ as_of: between, snapshot_id: a })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('takes a snapshot of one table for the moment of its commit in the others', async () => {
    const { lake, a } = await openHistory()
    const sql = 'SELECT (SELECT count(*) FROM trades) AS t, (SELECT count(*) FROM quotes) AS q'
    expect((await ask(lake, sql, { snapshot_id: a })).rows).toEqual([{ t: '10', q: '0' }])
    expect((await ask(lake, 'SELECT count(*) AS q FROM quotes', { snapshot_id: a })).rows).toEqual([{ q: '0' }])
  })

  it('reads a table in several states at once with AT, other places of the statement staying what they are', async () => {
    const { lake, a, b, between } = await openHistory()
    const count = async (from: string) => (await ask(lake, `SELECT 'é' AS e, count(*) AS n FROM ${from}`)).rows[0].n
    expect(await count(`trades AT (VERSION => ${a})`)).toBe('10')
    expect(await count(`market_data . "trades" /* AT */ as t At (version\n=> '${b}')`)).toBe('20')
    expect(await count(`trades AT (TIMESTAMP => '${between}')`)).toBe('10')
    expect(await count(`trades AT(TIMESTAMP => TIMESTAMPTZ '${between}')`)).toBe('10')
    expect(await count(`trades AT (TIMESTAMP => '${between}'::TIMESTAMP)`)).toBe('10')
    // A date is its midnight, when nothing was there yet.
    for (const midnight of [`DATE '${between}'`, `'${between}'::date`])
      await expect(count(`trades AT (TIMESTAMP => ${midnight})`)).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
    const difference = `SELECT count(*) AS n FROM trades AT (VERSION => ${b}) ANTI JOIN trades o AT (VERSION => ${a}) ON trades.message_id = o.message_id`
    expect((await ask(lake, difference)).rows).toEqual([{ n: '10' }])
    expect(
      (await ask(lake, `SELECT (SELECT count(*) FROM trades) - count(*) AS n FROM trades AT (VERSION => ${b})`)).rows,
    ).toEqual([{ n: '10' }])
    for (const from of [
      'trades AT (VERSION => 1 + 1)',
      "trades AT (VERSION => 'no such')",
      'trades AT (TIMESTAMP => now())',
    ])
      await expect(count(from)).rejects.toMatchObject({
        code: expect.stringMatching(/INVALID_INPUT|NOT_FOUND/) as string,
      })
    await expect(ask(lake, `SELECT nope, 'é' FROM trades AT (VERSION => ${a})`)).rejects.toMatchObject({
      details: { line: 1, column: 8 },
    })
  })
})

describe('the files of a statement', () => {
  const time = (day: number) => new Date(START_MICROS / 1000 + day * 86_400_000).toISOString()

  it('are those only that its symbols and times may be in', async () => {
    const lake = await openSqlLake()
    await append(lake.lake, tradesBatch(0, 400, { perDay: 100, symbols: 40 }))
    const all = (await ask(lake, 'SELECT count(*) AS n FROM trades')).query.files!
    expect(all.read).toBe(all.total)
    const read = async (sql: string, more: object = {}) => {
      const { query, rows } = await ask(lake, sql, more)
      return { n: Number(rows[0].n), read: query.files!.read }
    }
    const one = await read("SELECT count(*) AS n FROM trades WHERE symbol = 'SYM3'")
    expect(one.n).toBe(10)
    expect(one.read).toBeLessThan(all.total / 4)
    for (const where of [
      `exchange_timestamp >= '${time(1)}' AND exchange_timestamp < '${time(2)}'`,
      `'${time(1)}' <= exchange_timestamp AND exchange_timestamp < TIMESTAMPTZ '${time(2)}'`,
      `exchange_timestamp BETWEEN '${time(1)}' AND '${time(2)}'::TIMESTAMP - INTERVAL 1 MICROSECOND AND exchange_timestamp < '${time(2)}'`,
    ]) {
      const day = await read(`SELECT count(*) AS n FROM trades WHERE ${where}`)
      expect(day.n, where).toBe(100)
      expect(day.read, where).toBeLessThan(all.total / 2)
    }
    const bound = await read(
      'SELECT count(*) AS n FROM trades t WHERE t.symbol IN ($1, $2) AND exchange_timestamp >= $3',
      {
        params: ['SYM3', 'SYM4', time(2)],
      },
    )
    expect(bound.n).toBe(10)
    expect(bound.read).toBeLessThan(all.total / 4)
  })

  it.each([
    ["SELECT count(*) AS n FROM trades WHERE symbol = 'SYM3' OR price > 0"],
    ["SELECT count(*) AS n FROM trades WHERE NOT symbol = 'SYM3'"],
    ["SELECT count(*) AS n FROM trades t(symbol, trade_id) WHERE symbol LIKE 'm-%' AND symbol <> ''"],
    ["SELECT count(*) AS n FROM trades a, trades b WHERE a.symbol = 'SYM3' AND b.symbol = 'SYM4' AND a.side = b.side"],
    ["SELECT count(*) AS n FROM (SELECT * FROM trades) t WHERE t.symbol = 'SYM3'"],
    [
      "SELECT count(b.symbol) AS n FROM (VALUES ('SYM1')) v(symbol) LEFT JOIN trades b USING (symbol) WHERE b.symbol = 'SYM1'",
    ],
    [
      "SELECT count(*) AS n FROM (VALUES (TIMESTAMPTZ '2030-01-01')) v(moment) ASOF JOIN trades b ON v.moment >= b.exchange_timestamp WHERE b.symbol = 'SYM3'",
    ],
    ["SELECT (SELECT count(*) FROM trades) - count(*) AS n FROM trades WHERE symbol = 'SYM3'"],
    ["SELECT count(*) AS n FROM trades WHERE exchange_timestamp > 'infinity' OR symbol = 'SYM3'"],
    ["SELECT 'SYM9' AS symbol, count(*) AS n FROM trades WHERE symbol = 'SYM3'"],
  ])('are left out without a change in what is answered: %s', async sql => {
    const lake = await openSqlLake()
    const batch = tradesBatch(0, 80, { perDay: 20, symbols: 40 })
    await append(lake.lake, batch)
    const pruned = (await ask(lake, sql)).rows
    // The same rows where nothing is known of what is asked: behind a table that the planner does not look into.
    const opaque = sql.replaceAll(/\bFROM trades\b|, trades\b|JOIN trades\b/g, word =>
      word.replace('trades', 'everything'),
    )
    const whole = (await ask(lake, `WITH everything AS MATERIALIZED (FROM trades) ${opaque}`)).rows
    expect(pruned).toEqual(whole)
  })
})
