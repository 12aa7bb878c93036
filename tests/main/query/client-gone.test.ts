import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { call } from '../../../src/contract/capability.ts'
import { runSql } from '../../../src/main/duck/run-sql.ts'
import { openPool } from '../../../src/main/query/pool.ts'
import { createDispatch } from '../../../src/main/wire/dispatch.ts'
import { createPlainServer } from '../../support/plain-server.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

const KEY = 'a key of a test'
/** Hours of work. */
const ENDLESS = 'SELECT sum(a.range * b.range) FROM range(10_000_000) a, range(10_000_000) b'

it('stops the query of an HTTP client that goes away within a second, and lets the next one in', async () => {
  const tempFolder = join(makeTempFolder(), 'queries')
  const pool = await openPool({ size: 1, timeoutMs: 60_000, memoryMb: 200, tempFolder })
  onTestFinished(() => pool.close())
  const contract = {
    'rows.count': call({
      summary: 'Counts for hours',
      http: { method: 'GET', path: '/v1/count' },
      input: z.strictObject({ sql: z.string() }),
      output: z.strictObject({ rows: z.int() }),
    }),
  }
  const ended: (string | undefined)[] = []
  const dispatch = createDispatch(
    contract,
    {
      async 'rows.count'({ sql }, { signal: caller }) {
        const work = ({ connection, signal }: Parameters<Parameters<typeof pool.run>[0]>[0]) =>
          runSql(connection, sql, signal)
        return { rows: (await pool.run(work, caller)).rowCount }
      },
    },
    { observe: ({ failure }) => ended.push(failure?.code) },
  )
  const server = createPlainServer(contract, dispatch, KEY)
  const { url } = await server.listen()
  onTestFinished(() => server.close())
  const ask = (sql: string, signal?: AbortSignal) =>
    fetch(`${url}/v1/count?${new URLSearchParams({ sql }).toString()}`, { headers: { 'x-api-key': KEY }, signal })

  const abort = new AbortController()
  const asked = ask(ENDLESS, abort.signal)
  await vi.waitFor(() => expect(pool.stats().busy).toBe(1), { timeout: 10_000 })
  const goneMs = performance.now()
  abort.abort()
  await expect(asked).rejects.toThrow()
  await vi.waitFor(() => expect(pool.stats().busy).toBe(0), { timeout: 10_000, interval: 5 })
  expect(performance.now() - goneMs).toBeLessThan(1_000)
  expect(ended).toEqual(['CANCELLED'])
  expect(await (await ask('SELECT 1')).json()).toMatchObject({ success: true, data: { rows: 1 } })
})
