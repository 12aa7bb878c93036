// An answer put in order while it is read: the same as DuckDB's own order, of every kind of column.
import { expect, it, onTestFinished } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import { openDuck } from '../../../src/main/duck/open-duck.ts'
import { readBatch } from '../../../src/main/duck/read-batch.ts'
import { readInOrder } from '../../../src/main/duck/read-in-order.ts'

/** In no order; every fourth row shares its time with others, and each kind of column has rows without a value. */
const ROWS = `SELECT make_timestamptz(1700000000000000 + ((range * 7919) % 9973) // 4 * 1000) AS "time",
    CASE WHEN range % 5 > 0 THEN range END AS sequence, (range % 3)::INTEGER AS "partition",
    CASE WHEN range % 11 > 0 THEN (range * 0.12345678)::DECIMAL(18, 8) END AS price,
    CASE WHEN range = 77 THEN 1152921504606846977 ELSE range END AS wide,
    CASE WHEN range % 2 = 0 THEN 'BUY' WHEN range % 7 > 0 THEN 'SELL' END AS side,
    'an id that takes more room ' || range AS id, [range::VARCHAR] AS conditions
  FROM range(9973)`
const KEYS = ['time', 'sequence', 'partition', 'id']
const ORDER = KEYS.map(key => `"${key}" NULLS LAST`).join(', ')

async function connect() {
  const duck = await openDuck()
  onTestFinished(() => duck.close())
  return duck.connect()
}

it('gives the rows that are wanted of the order, as DuckDB gives them', async () => {
  const connection = await connect()
  const expected = rowsOf(await readBatch(connection, `${ROWS} ORDER BY ${ORDER}`))
  for (const [from, to] of [
    [0, 9973],
    [0, 10],
    [4000, 6100],
    [9973, 9973],
  ]) {
    const read = await readInOrder(connection, ROWS, { keys: KEYS, most: 9973, cut: () => ({ from, to }) })
    expect([read!.found, read!.hasTies]).toEqual([9973, false])
    expect(rowsOf(read!.batch)).toEqual(expected.slice(from, to))
    expect([...read!.times]).toEqual([...(read!.batch.columns.time.values as Float64Array)])
  }
})

it('says that rows tie in the keys', async () => {
  const connection = await connect()
  const cut = (found: number) => ({ from: 0, to: found })
  expect((await readInOrder(connection, ROWS, { keys: ['time'], most: 1e6, cut }))!.hasTies).toBe(true)
})

it('reads no more than was wanted, and leaves the connection to others as it was', async () => {
  const connection = await connect()
  const setting = `SELECT current_setting('streaming_buffer_size') AS size`
  const before = rowsOf(await readBatch(connection, setting))
  const many = 'SELECT make_timestamptz(range) AS "time" FROM range(100000000)'
  const cut = (found: number) => ({ from: 0, to: found })
  expect(await readInOrder(connection, many, { keys: ['time'], most: 5_000, cut })).toBeUndefined()
  expect(rowsOf(await readBatch(connection, setting))).toEqual(before)
})

it('ends when it is no longer wanted', async () => {
  const connection = await connect()
  const leaving = new AbortController()
  const many = 'SELECT make_timestamptz(range) AS "time" FROM range(10000000000)'
  const cut = (found: number) => ({ from: 0, to: found })
  const reading = readInOrder(connection, many, { keys: ['time'], most: 1e9, cut }, leaving.signal)
  leaving.abort()
  await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' })
  expect((await readBatch(connection, 'SELECT 1')).rowCount).toBe(1)
})
