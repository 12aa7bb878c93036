import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { onTestFinished, describe, expect, it } from 'vitest'
import { rowsOf } from '../../../../src/contract/columns.ts'
import { append, tradesBatch } from '../../../support/lake.ts'
import { openSqlLake, type SqlLake } from './sql-lake.ts'

const SECRET = 'the canary sings'

/** A file and a server that no statement may reach. */
async function openGuarded() {
  const lake = await openSqlLake()
  await append(lake.lake, tradesBatch(0, 10))
  const canary = join(lake.folder, 'canary.csv')
  writeFileSync(canary, `song\n${SECRET}\n`)
  const calls: string[] = []
  const server = createServer((request, response) => {
    calls.push(request.url ?? '')
    response.end(SECRET)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/canary.csv`
  return { lake, canary, url, calls }
}

async function refused({ client }: SqlLake, sql: string) {
  const outcome = await client['sql.run']({ sql }).then(
    ({ data }) => ({ rows: JSON.stringify(rowsOf(data)) }),
    (error: { code: string; message: string }) => error,
  )
  if ('rows' in outcome) throw new Error(`${sql} was answered: ${outcome.rows}`)
  return outcome
}

describe('what SQL can reach', () => {
  it('is no file, by any name or function', async () => {
    const { lake, canary } = await openGuarded()
    const statements = [
      `SELECT * FROM '${canary}'`,
      `SELECT * FROM "${canary}"`,
      `FROM read_csv('${canary}')`,
      `FROM read_text('${canary}')`,
      `FROM read_blob('${canary}')`,
      `FROM read_parquet('${canary}')`,
      `FROM read_json('${canary}')`,
      `FROM parquet_metadata('${canary}')`,
      `FROM glob('${lake.folder}/*')`,
      `FROM sniff_csv('${canary}')`,
      `FROM query('SELECT * FROM read_text(''${canary}'')')`,
      `FROM query_table('${canary}')`,
      `FROM query_table(['${canary}'])`,
      `SELECT (SELECT content FROM read_text('${canary}'))`,
      `SELECT * FROM trades WHERE EXISTS (FROM '${canary}')`,
      `SELECT * FROM trades, LATERAL (FROM read_text('${canary}'))`,
      `WITH t AS MATERIALIZED (FROM read_text('${canary}')) SELECT 1`,
      `WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT 1 FROM read_text('${canary}')) FROM t`,
      `WITH "${canary}" AS (SELECT 1) SELECT (FROM "${canary}")`,
      `SELECT 1 ORDER BY (SELECT content FROM read_text('${canary}'))`,
      `SELECT 1 LIMIT (SELECT count(*) FROM read_text('${canary}'))`,
      `SELECT sum(1) OVER (ORDER BY (SELECT content FROM read_text('${canary}')))`,
      `SELECT list_transform([1], lambda x: (SELECT content FROM read_text('${canary}')))`,
      `SELECT count(*) FILTER (WHERE (SELECT true FROM '${canary}')) FROM trades`,
      `FROM (VALUES ((SELECT content FROM read_text('${canary}'))))`,
      `FROM (PIVOT (FROM '${canary}') ON song IN ('x') USING count(*))`,
      `DESCRIBE '${canary}'`,
      `SUMMARIZE '${canary}'`,
      `DESCRIBE SELECT * FROM read_csv('${canary}')`,
      `EXPLAIN FROM '${canary}'`,
      `EXPLAIN ANALYZE FROM read_text('${canary}')`,
      `FROM main."${canary}"`,
      `FROM system.main.read_text('${canary}')`,
      `SELECT * FROM trades AT (VERSION => (SELECT content FROM read_text('${canary}')))`,
      `FROM range((SELECT count(*) FROM read_text('${canary}')))`,
      `SELECT COLUMNS(c -> (SELECT true FROM '${canary}')) FROM trades`,
      `SELECT CASE WHEN true THEN (SELECT content FROM read_text('${canary}')) END`,
      `SELECT 1 UNION SELECT content FROM read_text('${canary}')`,
      `SELECT * FROM trades ASOF JOIN '${canary}' AS c ON true`,
    ]
    for (const sql of statements) {
      const failure = await refused(lake, sql)
      expect([sql, failure.code, failure.message.includes(SECRET)]).toEqual([sql, 'INVALID_INPUT', false])
    }
  })

  it('is no statement but one SELECT or its EXPLAIN', async () => {
    const { lake, canary } = await openGuarded()
    const statements = [
      '',
      ';',
      '-- nothing',
      'SELECT 1; SELECT 2',
      'SELECT 1; DROP VIEW trades',
      `COPY trades TO '${canary}'`,
      `COPY (SELECT 1) TO '${canary}'`,
      `EXPLAIN COPY (SELECT 1) TO '${canary}'`,
      `EXPLAIN ANALYZE COPY (SELECT 1) TO '${canary}'`,
      `ATTACH '${canary}' AS c`,
      "ATTACH ':memory:' AS c",
      'DETACH memory',
      'USE memory',
      'INSTALL httpfs',
      'LOAD httpfs',
      "SET memory_limit = '100GB'",
      'SET enable_external_access = true',
      'RESET lock_configuration',
      'PRAGMA database_list',
      'CREATE TABLE t (x INT)',
      'CREATE OR REPLACE VIEW trades AS SELECT 1',
      'CREATE MACRO f() AS 1',
      "CREATE SECRET s (TYPE s3, KEY_ID 'x')",
      'INSERT INTO trades VALUES (1)',
      'UPDATE trades SET price = 1',
      'DELETE FROM trades',
      'DROP VIEW market_data.trades',
      'CALL pragma_version()',
      'PREPARE p AS SELECT 1',
      'EXECUTE p',
      'CHECKPOINT',
      `EXPORT DATABASE '${lake.folder}/x'`,
      `IMPORT DATABASE '${lake.folder}/x'`,
      'VACUUM',
      'BEGIN',
      'SHOW DATABASES',
      'SHOW ALL TABLES',
      'SET VARIABLE x = 1',
      'PIVOT trades ON symbol USING count(*)',
    ]
    for (const sql of statements) {
      const failure = await refused(lake, sql)
      expect([sql, failure.code]).toEqual([sql, 'INVALID_INPUT'])
    }
  })

  it('is no setting, secret, catalog or function that reads', async () => {
    const { lake } = await openGuarded()
    const statements = [
      "SELECT current_setting('temp_directory')",
      "SELECT getenv('HOME')",
      "SELECT getvariable('x')",
      'FROM duckdb_settings()',
      'FROM duckdb_secrets()',
      'FROM duckdb_views()',
      'FROM duckdb_functions()',
      'FROM duckdb_temporary_files()',
      'FROM information_schema.tables',
      'FROM pg_catalog.pg_tables',
      'FROM sqlite_master',
      'FROM pragma_database_list',
      'SELECT current_database()',
      'SELECT current_query()',
      "SELECT json_serialize_plan('SELECT 1')",
      "SELECT json_execute_serialized_sql('{}')",
      "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
      'SELECT sleep_ms(100000)',
      'SELECT pg_sleep(100)',
      "SELECT write_log('x')",
      "SELECT nextval('x')",
      'FROM test_all_types()',
      'FROM k2_rows(1)',
      'FROM sniff_csv(1)',
      "SELECT which_secret('s3://x', 's3')",
      "SELECT repeat('a', 900000000)",
      "SELECT lpad('a', 900000000, 'b')",
      "SELECT printf('%900000000d', 1)",
      "SELECT format('{:900000000d}', 1)",
      'SELECT range(100000000)',
      'SELECT k2_unscaled(1)',
    ]
    for (const sql of statements) {
      const failure = await refused(lake, sql)
      expect([sql, failure.code]).toEqual([sql, 'INVALID_INPUT'])
    }
  })

  it('is no network', async () => {
    const { lake, url, calls } = await openGuarded()
    for (const sql of [
      `FROM '${url}'`,
      `FROM read_csv('${url}')`,
      `FROM read_text('${url}')`,
      `FROM read_parquet('${url}')`,
    ])
      expect((await refused(lake, sql)).code).toBe('INVALID_INPUT')
    expect(calls).toEqual([])
  })

  it('is the tables, by plain and by full name, and what the statement makes itself', async () => {
    const { lake } = await openGuarded()
    const count = async (sql: string) => rowsOf((await lake.client['sql.run']({ sql })).data).length
    expect(await count('FROM trades')).toBe(10)
    expect(await count('SELECT market_data.trades.price FROM market_data.trades')).toBe(10)
    expect(await count('FROM "TRADES" AS t(a, b)')).toBe(10)
    expect(await count('WITH trades AS (SELECT 1 UNION ALL SELECT 2) FROM trades')).toBe(2)
    expect(await count('WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) FROM t')).toBe(5)
    expect(await count('FROM range(3) UNION ALL FROM generate_series(1, 2) UNION ALL SELECT unnest([1, 2])')).toBe(7)
    expect(await count('SELECT x FROM (VALUES (1), (2)) AS t(x) WHERE x IN (FROM range(5))')).toBe(2)
    expect(await count("FROM (PIVOT trades ON side IN ('BUY', 'SELL') USING count(*) GROUP BY symbol)")).toBe(7)
    expect(
      await count('SELECT symbol, row_number() OVER (PARTITION BY symbol ORDER BY exchange_timestamp) FROM trades'),
    ).toBe(10)
    expect(await count('DESCRIBE trades')).toBe(18)
    expect(await count('SUMMARIZE SELECT price FROM trades')).toBe(1)
    expect(await count('EXPLAIN SELECT * FROM trades')).toBe(1)
    expect(await count('/* so */ EXPLAIN -- and\n ANALYZE SELECT * FROM trades;')).toBe(1)
  })
})

describe('what is checked is what is run', () => {
  const HIDDEN = ['SELECT * FROM duckdb_settings()', 'CREATE TABLE main.x (a INT)', "SELECT repeat('x', 100000000)"]

  it('whatever ends a comment', async () => {
    const { lake } = await openGuarded()
    const count = 'SELECT count(*) FROM trades'
    for (const hidden of HIDDEN)
      for (const sql of [
        // DuckDB ends a line at a carriage return too, and counts comments within comments.
        `--\r ${hidden} /*\nEXPLAIN ${count} -- */`,
        `/* /* */ EXPLAIN ${count} -- */ ${hidden}`,
        `/* /* */ EXPLAIN ANALYZE ${count} -- */ ${hidden}`,
        `EXPLAIN --\r ${hidden} /*\n${count} -- */`,
        `EXPLAIN /* /* */ ${count} -- */ ${hidden}`,
      ]) {
        const outcome = await lake.client['sql.run']({ sql }).then(
          ({ data }) => rowsOf(data),
          (error: { code: string }) => error.code,
        )
        // The plan of the harmless one, or a refusal.
        if (outcome !== 'INVALID_INPUT') expect(JSON.stringify(outcome), sql).toMatch(/physical_plan|analyzed_plan/)
        expect(JSON.stringify(outcome), sql).not.toMatch(/allowed_paths|xxxx/)
      }
    expect(await refused(lake, 'SELECT * FROM main.x')).toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('also where a state of a table is named', async () => {
    const { lake } = await openGuarded()
    const { query } = await lake.client['sql.run']({ sql: 'SELECT count(*) FROM trades' })
    const snapshotId = query.snapshot_id
    const sql = `SELECT count(*) n FROM trades /* /* */ AT (VERSION => '${snapshotId}') -- */ AT (VERSION => '${snapshotId}'), (SELECT '\n', (FROM duckdb_settings()) --'\n)`
    expect(await refused(lake, sql)).toMatchObject({ code: 'INVALID_INPUT' })
    const plain = `SELECT count(*) n FROM trades /* then */ AT -- as it was\n (VERSION => '${snapshotId}')`
    expect(rowsOf((await lake.client['sql.run']({ sql: plain })).data)).toEqual([{ n: '10' }])
  })

  it('and a name of a WITH is never one of DuckDB', async () => {
    const { lake } = await openGuarded()
    const sql = (name: string) => `SELECT * FROM ${name} d, (WITH ${name} AS (SELECT 1) SELECT * FROM ${name})`
    const duck = await lake.lake.duck.connect()
    const views = await duck.runAndReadAll('SELECT DISTINCT view_name FROM duckdb_views() WHERE internal')
    const names = views.getRows().map(([name]) => String(name))
    expect(names).toEqual(expect.arrayContaining(['duckdb_views', 'pragma_database_list', 'pg_settings']))
    for (const name of names) expect(await refused(lake, sql(name))).toMatchObject({ code: 'INVALID_INPUT' })
    duck.closeSync()
  })
})
