import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { expect, it } from 'vitest'
import { rowsOf } from '../../../../src/contract/columns.ts'
import { openDuck } from '../../../../src/main/duck/open-duck.ts'
import { readBatch } from '../../../../src/main/duck/read-batch.ts'
import { append, tradesBatch } from '../../../support/lake.ts'
import { openSqlLake, type SqlLake } from '../sql/sql-lake.ts'

type Ask = Parameters<SqlLake['client']['results.export']>[0]

async function exported({ client }: SqlLake, ask: Ask): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of client['results.export'](ask)) parts.push(part)
  return Buffer.concat(parts)
}

async function parquetRows({ folder }: SqlLake, bytes: Buffer) {
  const file = join(folder, 'rows.parquet')
  writeFileSync(file, bytes)
  const duck = await openDuck()
  try {
    return rowsOf(await readBatch(await duck.connect(), `FROM '${file}'`))
  } finally {
    await duck.close()
  }
}

const MANY = 'SELECT i, i % 7 AS seventh, (i / 4)::DECIMAL(18,8) AS share FROM range(120_000) AS of(i)'

it('gives what the statement sorted and filtered would, in CSV and in Parquet', async () => {
  const place = await openSqlLake()
  await append(place.lake, tradesBatch(0, 3_000))
  const { client } = place
  const columns = 'message_id, symbol, price, exchange_timestamp'
  const { result } = await client['results.open']({ sql: `SELECT ${columns} FROM trades ORDER BY message_id` })
  const order = {
    sort: [{ column: 'price', descending: true }],
    filter: [{ column: 'symbol', op: '!=' as const, value: 'SYM3' }],
  }
  const sql = `SELECT ${columns} FROM trades WHERE symbol <> 'SYM3' ORDER BY price DESC, message_id`
  const parts: Uint8Array[] = []
  for await (const part of client['sql.export']({ sql, format: 'csv' })) parts.push(part)
  expect((await exported(place, { result, format: 'csv', ...order })).toString()).toBe(Buffer.concat(parts).toString())
  const { data } = await client['sql.run']({ sql, limit: 3_000 })
  expect(await parquetRows(place, await exported(place, { result, format: 'parquet', ...order }))).toEqual(rowsOf(data))
})

it('gives every row once where they are more than are read at a time, and windows come in between', async () => {
  const place = await openSqlLake()
  const { result } = await place.client['results.open']({ sql: MANY })
  const ask = { result, format: 'ndjson' as const, sort: [{ column: 'seventh', descending: false }] }
  let text = ''
  let between: number | undefined
  for await (const part of place.client['results.export'](ask)) {
    text += Buffer.from(part).toString()
    const window = await place.client['results.window']({ result, first: 0, count: 5 })
    between = window.row_count
  }
  expect(between).toBe(120_000)
  const lines = text.trimEnd().split('\n')
  const rows = lines.map(line => JSON.parse(line) as { i: string; seventh: string })
  const numbers = rows.map(({ i, seventh }) => Number(seventh) * 1e6 + Number(i))
  expect(numbers).toHaveLength(120_000)
  expect(numbers.every((number, at) => at === 0 || number > numbers[at - 1])).toBe(true)
})

it('keeps exact types and all digits, also where only a late row needs them', async () => {
  const place = await openSqlLake()
  const late = (value: string, other: string) => `CASE WHEN i = 55000 THEN ${value} ELSE ${other} END`
  const sql = `SELECT i, (i * 1e10::DECIMAL(38,8))::DECIMAL(38,8) AS notional,
    ${late('100000000000000000000::HUGEINT', 'i::HUGEINT')} AS big,
    ${late("'infinity'::TIMESTAMP", "'2026-01-02'::TIMESTAMP")} AS moment FROM range(60_000) AS of(i)`
  const { result } = await place.client['results.open']({ sql })
  const sort = [{ column: 'i', descending: true }]
  const types = 'typeof(notional) AS n, typeof(big) AS b, typeof(moment) AS t'
  const file = join(place.folder, 'exact.parquet')
  writeFileSync(file, await exported(place, { result, format: 'parquet', sort }))
  const duck = await openDuck()
  const connection = await duck.connect()
  const rows = async (from: string) => rowsOf(await readBatch(connection, from))
  const some = 'WHERE i IN (0, 54999, 55000, 59999) ORDER BY i'
  const texts = 'SELECT i, notional::VARCHAR AS notional, big::DOUBLE AS big, moment::VARCHAR AS moment'
  const whole = `${texts} FROM '${file}' ${some}`
  expect(await rows(whole)).toEqual(await rows(`${texts} FROM (${sql}) ${some}`))
  expect(await rows(`SELECT count(*) AS rows, sum(notional) AS n FROM '${file}'`)).toEqual(
    await rows(`SELECT count(*) AS rows, sum(notional) AS n FROM (${sql})`),
  )
  expect(await rows(`SELECT ${types} FROM '${file}' LIMIT 1`)).toEqual([
    { n: 'DECIMAL(38,8)', b: 'DOUBLE', t: 'TIMESTAMP' },
  ])
  await duck.close()
  const [head, ...lines] = (await exported(place, { result, format: 'csv', sort })).toString().trimEnd().split('\r\n')
  expect([head, lines.length]).toEqual(['i,notional,big,moment', 60_000])
  expect(lines[4_999]).toBe('55000,550000000000000,100000000000000000000,infinity')
  const table = tableFromIPC(await exported(place, { result, format: 'arrow', sort }))
  expect(String(table.schema.fields)).toContain('Decimal')
  expect(table.numRows).toBe(60_000)
})

it('has its head when no row meets the filter', async () => {
  const place = await openSqlLake()
  const { result } = await place.client['results.open']({ sql: MANY })
  const filter = [{ column: 'i', op: '<' as const, value: 0 }]
  expect((await exported(place, { result, format: 'csv', filter })).toString()).toBe('i,seventh,share\r\n')
  expect(await parquetRows(place, await exported(place, { result, format: 'parquet', filter }))).toEqual([])
})

it('says so when the result is not held any more', async () => {
  const place = await openSqlLake()
  const { result } = await place.client['results.open']({ sql: MANY })
  await place.client['results.close']({ result })
  await expect(exported(place, { result, format: 'csv' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
