// Runs statements at random against a lake with a canary file beside it and a listener on loopback, and says what went
// wrong: any answer but rows or a failure with a status below 500 (503 for what is busy and 504 for what takes long are
// in order), anything of the canary in what is answered, any call of the listener, any file that was not there before.
import { readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Client } from '../../../../src/contract/capability.ts'
import { rowsOf } from '../../../../src/contract/columns.ts'
import { Failure } from '../../../../src/contract/failure.ts'
import type { sql as contract } from '../../../../src/contract/sql.ts'
import { toJson } from '../../../../src/main/wire/to-json.ts'
import { randomFrom, randomStatement } from './random-statement.ts'

export interface FuzzReport {
  statements: number
  answered: number
  refused: Record<string, number>
  troubles: string[]
}

export interface FuzzOptions {
  client: Client<typeof contract>
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
        const shown = toJson(data).toString()
        if (shown.includes(SONG) && !sql.includes(SONG)) trouble('the canary was read')
        if (rowsOf(data).length !== data.rowCount) trouble('not all rows')
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
