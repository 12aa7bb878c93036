import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tailContract } from '../../../../src/main/tail/relay-contract.ts'
import { relayTailHandlers } from '../../../../src/main/tail/relay-handlers.ts'
import { connectDirect } from '../../../../src/main/wire/direct.ts'
import { createDispatch } from '../../../../src/main/wire/dispatch.ts'
import { append, START_MICROS, tradesBatch } from '../../../support/lake.ts'
import { logBatch } from '../../../support/market-messages.ts'
import { openTail } from '../../../support/tail.ts'
import { fuzzSql } from './fuzz-sql.ts'
import { openSqlLake, type SqlLake } from './sql-lake.ts'

const { K2_FUZZ_SEED: givenSeed, K2_FUZZ_COUNT: givenCount } = process.env
const seed = givenSeed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(givenSeed)
const count = Number(givenCount ?? 150)

it(
  `answers or refuses ${count} statements at random and reaches no file and no network, seed ${seed}`,
  { timeout: 60_000 + count * 500 },
  async () => {
    const live = liveTrades(30)
    const lake = await openSqlLake({ timeoutMs: 2_000, live: live.ask })
    await append(lake.lake, tradesBatch(0, 50), { offsets: { from: [], to: [{ ...LIFE, next: { 0: 0 } }] } })
    const folder = join(lake.folder, 'canary')
    mkdirSync(folder)
    const startedMs = performance.now()
    const report = await fuzzSql({
      client: live.watched(lake.client),
      folder,
      seed,
      count,
      onProgress: done => givenCount && done % 500 === 0 && console.log(`${done} of ${count}`),
    })
    const { troubles, ...counts } = report
    if (givenCount) console.log(`seed ${seed}, ${Math.round((performance.now() - startedMs) / 1000)} s`, counts)
    expect(live.fetchedAgain()).toBe(0)
    expect(troubles, `seed ${seed}`).toEqual([])
    expect(report.answered, JSON.stringify(report)).toBeGreaterThan(count / 20)
  },
)

const LIFE = { cluster: 'c', epoch: 'e', topic: 'market.equities.trades.asx' }

/** A live view with rows that the table has not, and whether a statement needed a column that it did not seem to need. */
function liveTrades(count: number) {
  const tails = { trades: openTail({ minutes: 1e6 }), quotes: openTail({ dataType: 'quotes' }) }
  const rows = Array.from({ length: count }, (_, id) => ({ id, symbol: `SYM${id % 7}`, micros: START_MICROS + id }))
  tails.trades.begin(LIFE, new Map([[0, { offset: 0, isEarliest: true }]]))
  tails.trades.append(logBatch('trades', rows, { topic: LIFE.topic, partition: 0, offset: 0 }))
  const relayed = { tails, isRunning: () => true, caughtUp: () => Promise.resolve(true) }
  const client = connectDirect(tailContract, createDispatch(tailContract, relayTailHandlers(relayed)))
  const asked = new Set<string>()
  let again = 0
  const asking: typeof client = {
    ...client,
    'tail.fresh'(input, options) {
      if (asked.has(input.data_type)) again++
      asked.add(input.data_type)
      return client['tail.fresh'](input, options)
    },
  }
  return {
    ask: () => Promise.resolve(asking),
    fetchedAgain: () => again,
    /** A statement asks once for each table. */
    watched: (sql: SqlLake['client']): SqlLake['client'] => ({
      ...sql,
      'sql.run'(input, options) {
        asked.clear()
        return sql['sql.run'](input, options)
      },
      'results.open'(input, options) {
        asked.clear()
        return sql['results.open'](input, options)
      },
    }),
  }
}
