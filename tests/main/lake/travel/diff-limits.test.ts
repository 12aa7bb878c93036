// What a difference may take: it runs among the queries, for as long as one of them may, and leaves nothing behind.
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { rowsOf } from '../../../../src/contract/columns.ts'
import { readBatch } from '../../../../src/main/duck/read-batch.ts'
import { lakeHandlers } from '../../../../src/main/lake/handlers.ts'
import { openPool, type QueryPool } from '../../../../src/main/query/pool.ts'
import { ONLY_HEAD } from '../../../support/failing-operations.ts'
import { append, tempLake, tradesBatch } from '../../../support/lake.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

const context = { signal: new AbortController().signal, correlationId: 'c', door: 'direct' as const }
const ROWS = 20_000

/** One connection, so that it is the same one that is asked afterwards. */
async function onePool(timeoutMs: number): Promise<QueryPool> {
  const tempFolder = join(makeTempFolder(), 'spill')
  const pool = await openPool({ size: 1, timeoutMs, memoryMb: 256, tempFolder })
  onTestFinished(() => pool.close())
  return pool
}

async function differenceIn(pool: QueryPool) {
  const lake = await tempLake()
  const { snapshotId: a } = await append(lake, tradesBatch(0, 10))
  const { snapshotId: b } = await append(lake, tradesBatch(10, ROWS))
  const diff = lakeHandlers(lake, { retention: ONLY_HEAD, lend: pool.run })['snapshots.diff']
  const question = { a, b, table: 'trades', limit: 10, offset: 0 } as const
  return { pins: lake.table('trades').pins, ask: (signal = context.signal) => diff(question, { ...context, signal }) }
}

/** Those that statements have made and not dropped. */
async function tablesLeft(pool: QueryPool): Promise<unknown[]> {
  const sql = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'temp'"
  return rowsOf(await pool.run(({ connection, signal }) => readBatch(connection, sql, signal)))
}

it('ends with TIMEOUT and advice when it takes longer than a query may', async () => {
  const pool = await onePool(1)
  const { ask, pins } = await differenceIn(pool)
  await expect(ask()).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: expect.stringContaining('K2_QUERY_TIMEOUT_MS') as string,
  })
  expect(pins.own()).toEqual(new Set())
  expect(pool.stats()).toMatchObject({ busy: 0, waiting: 0 })
})

it('leaves no table on its connection, told or given up', async () => {
  const pool = await onePool(60_000)
  const { ask } = await differenceIn(pool)
  for (let time = 0; time < 2; time++) expect((await ask()).data.added).toBe(ROWS)
  expect(await tablesLeft(pool)).toEqual([])
  const gone = new AbortController()
  const asked = ask(gone.signal)
  await expect.poll(() => pool.stats().busy).toBe(1)
  gone.abort()
  await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(await tablesLeft(pool)).toEqual([])
})
