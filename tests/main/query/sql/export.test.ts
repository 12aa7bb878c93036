import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../../src/contract/columns.ts'
import type { FileFormat } from '../../../../src/contract/sql.ts'
import { openDuck } from '../../../../src/main/duck/open-duck.ts'
import { readBatch } from '../../../../src/main/duck/read-batch.ts'
import { openSqlLake, type SqlLake } from './sql-lake.ts'
import { append, tradesBatch } from '../../../support/lake.ts'

async function exported({ client }: SqlLake, sql: string, format: FileFormat, more: object = {}): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of client['sql.export']({ sql, format, ...more })) parts.push(part)
  return Buffer.concat(parts)
}

const EVERY_TYPE = `SELECT * FROM (VALUES
  (1, 'a', 36.667::DECIMAL(18,8), 123456789012345678901234567890::HUGEINT, true, DATE '2014-03-10',
   TIMESTAMPTZ '2014-03-10 00:00:00.000001+00', 1.5::DOUBLE, ['x','y'], MAP {'k': 'v'}, INTERVAL 1 DAY, '\\x00ab'::BLOB,
   {'a': 1}, -1::BIGINT, [[1],[2]]),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
) AS t(i, t, d, h, b, dt, ts, f, l, m, iv, bl, st, bi, ll)`

describe('rows as files', () => {
  it('writes CSV by RFC 4180, nothing for null, quotes around an empty text', async () => {
    const lake = await openSqlLake()
    const csv = await exported(
      lake,
      `SELECT * FROM (VALUES (1, 'a,"b"'), (2, NULL), (3, ''), (4, E'x\\r\\ny')) t("2", "1")`,
      'csv',
    )
    expect(csv.toString()).toBe('2,1\r\n1,"a,""b"""\r\n2,\r\n3,""\r\n4,"x\r\ny"\r\n')
  })

  it('writes the head of a CSV without rows, and the schema of Arrow and Parquet', async () => {
    const lake = await openSqlLake()
    expect((await exported(lake, 'SELECT symbol, price FROM trades', 'csv')).toString()).toBe('symbol,price\r\n')
    expect((await exported(lake, 'SELECT symbol, price FROM trades', 'ndjson')).toString()).toBe('')
    const arrow = tableFromIPC(await exported(lake, 'SELECT symbol, price FROM trades', 'arrow'))
    expect(arrow.schema.fields.map(String)).toEqual(['symbol: Utf8', 'price: Decimal[18e+8]'])
    expect(
      (await parquetRows(lake, await exported(lake, 'SELECT symbol, price FROM trades', 'parquet'))).types,
    ).toEqual({
      symbol: 'VARCHAR',
      price: 'DECIMAL(18,8)',
    })
  })

  it('gives every type of DuckDB in every format', async () => {
    const lake = await openSqlLake()
    const lines = (await exported(lake, EVERY_TYPE, 'ndjson')).toString().trimEnd().split('\n')
    expect(JSON.parse(lines[0])).toEqual({
      i: 1,
      t: 'a',
      d: '36.667',
      h: '123456789012345678901234567890',
      b: true,
      dt: '2014-03-10',
      ts: '2014-03-10T00:00:00.000001Z',
      f: 1.5,
      l: ['x', 'y'],
      m: { k: 'v' },
      iv: '1 day',
      bl: Buffer.from('\0ab').toString('base64'),
      st: "{'a': 1}",
      bi: '-1',
      ll: '[[1], [2]]',
    })
    const arrow = tableFromIPC(await exported(lake, EVERY_TYPE, 'arrow'))
    const row = arrow.get(0)!.toJSON() as Record<string, unknown>
    expect(row).toMatchObject({ i: 1, t: 'a', b: true, f: 1.5, l: '["x","y"]', iv: '1 day', bi: -1n })
    expect(String(arrow.getChild('d')?.get(0))).toBe('3666700000')
    expect(String(arrow.getChild('h')?.get(0))).toBe('123456789012345678901234567890')
    expect(Object.values(arrow.get(1)!.toJSON() as object).every(value => value === null)).toBe(true)
    const { types, rows } = await parquetRows(lake, await exported(lake, EVERY_TYPE, 'parquet'))
    expect(types).toMatchObject({ d: 'DECIMAL(18,8)', ts: 'TIMESTAMP WITH TIME ZONE', l: 'VARCHAR[]', dt: 'DATE' })
    expect(rows[0]).toMatchObject({ i: 1, d: '36.667', l: ['x', 'y'], m: { k: 'v' } })
  })

  it.each(['csv', 'ndjson', 'arrow', 'parquet'] as const)(
    'gives all rows as %s, and only so many if asked',
    async format => {
      const lake = await openSqlLake()
      await append(lake.lake, tradesBatch(0, 20_000, { perDay: 20_000 }))
      const count = async (bytes: Buffer) => {
        if (format === 'arrow') return tableFromIPC(bytes).numRows
        if (format === 'parquet') return (await parquetRows(lake, bytes)).rows.length
        return bytes.toString().trimEnd().split('\n').length - (format === 'csv' ? 1 : 0)
      }
      const sql = 'SELECT message_id, price FROM trades WHERE price > ? -- all of them'
      expect(await count(await exported(lake, sql, format, { params: [1] }))).toBe(20_000)
      expect(await count(await exported(lake, sql, format, { params: [1], limit: 17_001 }))).toBe(17_001)
    },
  )
})

async function parquetRows({ folder }: SqlLake, bytes: Buffer) {
  const file = join(folder, 'rows.parquet')
  writeFileSync(file, bytes)
  const duck = await openDuck()
  const connection = await duck.connect()
  const rows = rowsOf(await readBatch(connection, `FROM '${file}'`))
  const described = rowsOf(
    await readBatch(connection, `SELECT column_name, column_type FROM (DESCRIBE FROM '${file}')`),
  )
  await duck.close()
  return { rows, types: Object.fromEntries(described.map(row => [row.column_name as string, row.column_type])) }
}
