import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { expect, it, onTestFinished, vi } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import { noteOwnProcess } from '../../../src/main/base/running.ts'
import { readBatch, streamBatches } from '../../../src/main/duck/read-batch.ts'
import { runSql } from '../../../src/main/duck/run-sql.ts'
import { openPool, type Lease, type PoolEvent, type PoolOptions } from '../../../src/main/query/pool.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

async function testPool(options: Partial<PoolOptions> = {}) {
  const tempFolder = options.tempFolder ?? join(makeTempFolder(), 'queries')
  const events: PoolEvent['kind'][] = []
  const onEvent = (event: PoolEvent) => void events.push(event.kind)
  const pool = await openPool({ size: 2, timeoutMs: 60_000, memoryMb: 200, tempFolder, onEvent, ...options })
  let open = true
  const close = async () => {
    if (open) await pool.close()
    open = false
  }
  onTestFinished(close)
  return { pool, tempFolder, events, close }
}

/** Hours of work. */
const endless = ({ connection, signal }: Lease) =>
  runSql(connection, 'SELECT sum(a.range * b.range) FROM range(10_000_000) a, range(10_000_000) b', signal)
const answer = async ({ connection, signal }: Lease) => rowsOf(await readBatch(connection, 'SELECT 42 AS n', signal))

async function elapsed(work: Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work
  return performance.now() - started
}

it('runs as many queries at once as it may, the others after them, in the order they came', async () => {
  const { pool } = await testPool()
  const begun: number[] = []
  let running = 0
  let most = 0
  const work = (n: number) => async () => {
    begun.push(n)
    most = Math.max(most, ++running)
    await sleep(5)
    running--
  }
  await Promise.all(Array.from({ length: 9 }, (_, n) => pool.run(work(n))))
  expect(most).toBe(2)
  expect(begun.slice(2)).toEqual([2, 3, 4, 5, 6, 7, 8])
  expect(pool.stats()).toEqual({ size: 2, busy: 0, waiting: 0 })
})

it('uses a connection again, and makes no more of them than queries run at once', async () => {
  const { pool } = await testPool()
  const seen = new Set<DuckDBConnection>()
  const look = async ({ connection }: Lease) => void (seen.add(connection), await sleep(1))
  for (let i = 0; i < 10; i++) await Promise.all([pool.run(look), pool.run(look)])
  expect(seen.size).toBe(2)
})

it('refuses who has waited too long, and says what to do', async () => {
  const { pool, events } = await testPool({ size: 1, acquireMs: 20 })
  const abort = new AbortController()
  const busy = pool.run(endless, abort.signal)
  await expect(pool.run(answer)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    retryable: true,
    message: expect.stringMatching(
      /All 1 connections .* busy for 0.02 s; nothing was read.*K2_QUERY_POOL_SIZE/,
    ) as string,
  })
  expect(events).toEqual(['waited', 'gave up'])
  abort.abort()
  await expect(busy).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(await pool.run(answer)).toEqual([{ n: 42 }])
})

it('stops a query that takes too long, and says what to do', async () => {
  const { pool } = await testPool({ timeoutMs: 50 })
  await expect(pool.run(endless)).rejects.toMatchObject({
    code: 'TIMEOUT',
    status: 504,
    message: expect.stringMatching(/took longer than 0.05 s and was stopped. Narrow .*K2_QUERY_TIMEOUT_MS/) as string,
  })
  expect(pool.stats().busy).toBe(0)
  await expect(pool.run(endless)).rejects.toMatchObject({ code: 'TIMEOUT' })
  expect(await pool.run(answer)).toEqual([{ n: 42 }])
})

it('stops a question of many queries that takes too long in all, and leaves none of them running', async () => {
  const { pool } = await testPool({ timeoutMs: 250 })
  let queries = 0
  const question = pool.within(async signal => {
    for (; ; queries++) await pool.run(() => sleep(20), signal)
  })
  await expect(question).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: expect.stringMatching(/took longer than 0.25 s .*K2_QUERY_TIMEOUT_MS/) as string,
  })
  expect(queries).toBeGreaterThan(1)
  await vi.waitFor(() => expect(pool.stats().busy).toBe(0))
  const ended = queries
  await sleep(50)
  expect(queries).toBe(ended)
  expect(await pool.within(signal => pool.run(answer, signal))).toEqual([{ n: 42 }])
  const gone = new AbortController()
  setTimeout(() => gone.abort(), 20)
  await expect(pool.within(signal => pool.run(endless, signal), gone.signal)).rejects.toMatchObject({
    code: 'CANCELLED',
  })
})

it('stops a query within a second when its caller has gone, running or waiting', async () => {
  const { pool } = await testPool({ size: 1 })
  const [first, second] = [new AbortController(), new AbortController()]
  const running = pool.run(endless, first.signal)
  const waiting = pool.run(endless, second.signal)
  await vi.waitFor(() => expect(pool.stats()).toEqual({ size: 1, busy: 1, waiting: 1 }))
  second.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
  first.abort()
  expect(await elapsed(expect(running).rejects.toMatchObject({ code: 'CANCELLED' }))).toBeLessThan(1000)
  expect(pool.stats()).toEqual({ size: 1, busy: 0, waiting: 0 })
  await expect(pool.run(answer, AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' })
})

const rows = (count: number) =>
  async function* ({ connection, signal }: Lease) {
    yield* streamBatches(connection, `SELECT range AS n FROM range(${count})`, { batchRows: 2_048, signal })
  }

it('counts only its own work against the time of a query, not that of its reader', async () => {
  const { pool } = await testPool({ timeoutMs: 2_000 })
  let count = 0
  for await (const { rowCount } of pool.stream(rows(10_000))) {
    count += rowCount
    if (count < 5_000) await sleep(1_200)
  }
  expect(count).toBe(10_000)
})

it('gives up a query whose reader takes nothing, and tells a reader that comes late', async () => {
  const { pool } = await testPool({ size: 1, readerMs: 20 })
  const batches = pool.stream(rows(100_000))
  expect((await batches.next()).done).toBe(false)
  expect(await pool.run(answer)).toEqual([{ n: 42 }])
  await expect(batches.next()).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: expect.stringMatching(/Nobody took/) as string,
  })
})

it('frees the connection of a stream that is left, by its reader or by a caller that has gone', async () => {
  const { pool } = await testPool({ size: 1 })
  let closed = 0
  const watched = async function* (lease: Lease) {
    try {
      yield* rows(100_000)(lease)
    } finally {
      closed++
    }
  }
  for await (const { rowCount } of pool.stream(watched)) if (rowCount > 0) break
  expect([closed, pool.stats().busy]).toEqual([1, 0])

  const abort = new AbortController()
  const batches = pool.stream(watched, abort.signal)
  await batches.next()
  abort.abort()
  expect(await pool.run(answer)).toEqual([{ n: 42 }])
  await expect(batches.next()).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(closed).toBe(2)
})

it('says that a query needs more than it may have, in memory and on disk, and frees both', async () => {
  const { pool, tempFolder } = await testPool({ memoryMb: 40, spillMb: 2 })
  const sort = ({ connection, signal }: Lease) =>
    runSql(connection, 'SELECT md5(range::VARCHAR) AS text FROM range(3_000_000) ORDER BY text', signal)
  await expect(pool.run(sort)).rejects.toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
    status: 413,
    message: expect.stringMatching(
      /needs more than 40 MB of memory and 2 MB on disk.*Narrow .*K2_QUERY_MEMORY/,
    ) as string,
  })
  const inOnePiece = ({ connection, signal }: Lease) =>
    runSql(connection, 'SELECT length(list(range)) FROM range(30_000_000)', signal)
  await expect(pool.run(inOnePiece)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
  expect(await pool.run(answer)).toEqual([{ n: 42 }])
  const spilled = readdirSync(tempFolder, { recursive: true }).filter(name => !String(name).endsWith('.json'))
  expect(spilled.filter(name => /\.(tmp|block)$/.test(String(name)))).toEqual([])
})

it('sorts more than its memory by going to disk, and leaves nothing there when it closes', async () => {
  const { pool, tempFolder, close } = await testPool({ memoryMb: 60, spillMb: 2_000 })
  let spilled = 0
  const watch = setInterval(() => {
    spilled = Math.max(
      spilled,
      readdirSync(tempFolder, { recursive: true }).filter(name => /\.(tmp|block)$/.test(String(name))).length,
    )
  }, 5)
  const sorted = await pool.run(({ connection, signal }) =>
    runSql(
      connection,
      'CREATE OR REPLACE TEMP TABLE t AS SELECT md5(range::VARCHAR) AS text FROM range(2_000_000) ORDER BY text',
      signal,
    ),
  )
  clearInterval(watch)
  expect(sorted).toBeDefined()
  expect(spilled).toBeGreaterThan(0)
  await close()
  expect(readdirSync(tempFolder)).toEqual([])
})

it('removes what a process that is gone has left behind, and nothing of one that runs', async () => {
  const tempFolder = join(makeTempFolder(), 'queries')
  const note = (name: string, owner: object) => {
    mkdirSync(join(tempFolder, name, 'spill'), { recursive: true })
    writeFileSync(join(tempFolder, name, 'spill', 'x.tmp'), 'rows')
    writeFileSync(join(tempFolder, name, 'owner.json'), JSON.stringify(owner))
  }
  note('gone', { ...noteOwnProcess(), mark: 'another boot:1' })
  note('running', noteOwnProcess())
  await testPool({ tempFolder })
  expect(existsSync(join(tempFolder, 'gone'))).toBe(false)
  expect(readFileSync(join(tempFolder, 'running', 'spill', 'x.tmp'), 'utf8')).toBe('rows')
})

it('goes on with new connections after a damaged file has taken its database down', async () => {
  const { pool } = await testPool({ memoryMb: 100 })
  const path = join(makeTempFolder(), 'a.parquet')
  await pool.run(({ connection }) => connection.run(`COPY (SELECT 1.5::DECIMAL(18, 8) AS price) TO '${path}'`))
  const bytes = readFileSync(path)
  const isLost = () =>
    pool.run(answer).then(
      () => false,
      (error: { code: string }) => error.code === 'UNAVAILABLE',
    )
  let told: unknown
  const keepLosing = async ({ connection }: Lease) => {
    // On one connection, as whoever asks for the next one gets it of a new database.
    for (let bit = (bytes.length - 1) * 8; bit >= 0; bit--) {
      const damaged = path.replace('a.parquet', `${bit}.parquet`)
      const copy = Uint8Array.from(bytes)
      copy[bit >> 3] ^= 1 << (bit & 7)
      writeFileSync(damaged, copy)
      await connection.run(`FROM parquet_schema('${damaged}')`).catch(() => connection.run('SELECT 1'))
    }
  }
  await pool.run(keepLosing).catch((error: unknown) => (told = error))
  expect(told).toMatchObject({
    code: 'UNAVAILABLE',
    retryable: true,
    message: expect.stringMatching(/started anew/) as string,
  })
  expect(await isLost()).toBe(false)
  expect(await Promise.all([pool.run(answer), pool.run(answer)])).toEqual([[{ n: 42 }], [{ n: 42 }]])
})
