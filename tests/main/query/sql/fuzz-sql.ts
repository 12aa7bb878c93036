// Runs statements at random against a lake with a canary file beside it and a listener on loopback, and says what went
// wrong: any answer but rows or a failure with a status below 500 (503 for what is busy and 504 for what takes long are
// in order), anything of the canary in what is answered, any call of the listener, any file that was not there before.
import { readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Client } from '../../../../src/contract/capability.ts'
import { rowsOf, type ColumnBatch } from '../../../../src/contract/columns.ts'
import { Failure } from '../../../../src/contract/failure.ts'
import type { results } from '../../../../src/contract/results.ts'
import type { sql } from '../../../../src/contract/sql.ts'
import { toJson } from '../../../../src/main/wire/to-json.ts'
import { randomFrom, randomStatement } from './random-statement.ts'

export interface FuzzReport {
  statements: number
  answered: number
  refused: Record<string, number>
  troubles: string[]
}

export interface FuzzOptions {
  client: Client<typeof sql & typeof results>
  /** The canary's; nothing new may appear in it. */
  folder: string
  seed: number
  count: number
  onProgress?: (done: number) => void
}

const SONG = 'canary-sings-7f3a'

export async function fuzzSql({
  client,
  folder,
  seed,
  count,
  onProgress = () => {},
}: FuzzOptions): Promise<FuzzReport> {
  const canary = join(folder, 'canary.csv')
  writeFileSync(canary, `song\n${SONG}\n`)
  let calls = 0
  const server = createServer((_request, response) => {
    calls++
    response.end(SONG)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/canary.csv`
  const bait = {
    files: [canary, `file://${canary}`, join(folder, '*.csv'), '/etc/passwd'],
    urls: [url, 's3://bucket/x.parquet'],
  }
  const before = readdirSync(folder).join()
  const random = randomFrom(seed)
  const report: FuzzReport = { statements: count, answered: 0, refused: {}, troubles: [] }
  try {
    for (let i = 0; i < count; i++) {
      const sql = randomStatement(random, bait)
      const trouble = (why: string) => report.troubles.push(`${i}: ${why}: ${sql}`)
      try {
        const { data } = await client['sql.run']({ sql, limit: 50 })
        report.answered++
        // Some are held too, and asked for sorted and filtered by whatever their columns are called.
        const held = i % HELD_EVERY === 0 ? [await heldRows(client, sql, random)] : []
        for (const rows of [data, ...held]) {
          const shown = toJson(rows).toString()
          if (shown.includes(SONG) && !sql.includes(SONG)) trouble('the canary was read')
          if (rowsOf(rows).length !== rows.rowCount) trouble('not all rows')
        }
      } catch (error) {
        const { code, status, message } =
          error instanceof Failure ? error : { code: 'none', status: 500, message: String(error) }
        report.refused[code] = (report.refused[code] ?? 0) + 1
        if (status >= 500 && status !== 503 && status !== 504) {
          const cause = error instanceof Failure ? String(error.cause) : ''
          trouble(`${code} ${message} ${cause.slice(0, 300)}`)
        }
        if (message.includes(SONG)) trouble('the canary was told of')
      }
      if (calls > 0) trouble('the network was reached')
      if (i % 100 === 99) onProgress(i + 1)
    }
    if (readdirSync(folder).join() !== before)
      report.troubles.push(`there are new files: ${readdirSync(folder).join()}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
  return report
}

const HELD_EVERY = 5
const VALUES = ["x'; COPY (SELECT 1) TO 'x.csv' --", '2014-03-10', '1e400', "read_text('/etc/passwd')", '%', '']

async function heldRows(client: FuzzOptions['client'], sql: string, random: () => number): Promise<ColumnBatch> {
  const { result, columns, row_count: rowCount } = await client['results.open']({ sql })
  try {
    const { name: column } = columns[Math.floor(random() * columns.length)]
    const value = VALUES[Math.floor(random() * VALUES.length)]
    for (const op of ['=', '<', 'contains', 'is_not_null'] as const) {
      const condition = op === 'is_not_null' ? { column, op } : { column, op, value }
      const asked = { result, first: 0, count: 100, sort: [{ column, descending: true }], filter: [condition] }
      await client['results.window'](asked).catch((error: unknown) => {
        if (!(error instanceof Failure) || error.code !== 'INVALID_INPUT') throw error
      })
    }
    return (await client['results.window']({ result, first: Math.max(0, rowCount - 50), count: 50 })).rows
  } finally {
    await client['results.close']({ result })
  }
}
