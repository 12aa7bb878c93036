import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { append, tradesBatch } from '../../../support/lake.ts'
import { fuzzSql } from './fuzz-sql.ts'
import { openSqlLake } from './sql-lake.ts'

const { K2_FUZZ_SEED: givenSeed, K2_FUZZ_COUNT: givenCount } = process.env
const seed = givenSeed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(givenSeed)
const count = Number(givenCount ?? 150)

it(
  `answers or refuses ${count} statements at random and reaches no file and no network, seed ${seed}`,
  { timeout: 60_000 + count * 500 },
  async () => {
    const lake = await openSqlLake({ timeoutMs: 2_000 })
    await append(lake.lake, tradesBatch(0, 50))
    const folder = join(lake.folder, 'canary')
    mkdirSync(folder)
    const startedMs = performance.now()
    const report = await fuzzSql({
      client: lake.client,
      folder,
      seed,
      count,
      onProgress: done => givenCount && done % 500 === 0 && console.log(`${done} of ${count}`),
    })
    const { troubles, ...counts } = report
    if (givenCount) console.log(`seed ${seed}, ${Math.round((performance.now() - startedMs) / 1000)} s`, counts)
    expect(troubles, `seed ${seed}`).toEqual([])
    expect(report.answered, JSON.stringify(report)).toBeGreaterThan(count / 20)
  },
)
