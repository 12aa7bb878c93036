// A lake with trades and quotes in it, and SQL over it as the engine runs it; gone when the test is.
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Client } from '../../../../src/contract/capability.ts'
import { results } from '../../../../src/contract/results.ts'
import { sql } from '../../../../src/contract/sql.ts'
import { systemClock } from '../../../../src/main/base/clock.ts'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { lakeReads } from '../../../../src/main/lake/reads.ts'
import type { ResultLimits } from '../../../../src/main/query/results/handlers.ts'
import { openPool, type PoolOptions } from '../../../../src/main/query/pool.ts'
import { openSql } from '../../../../src/main/query/sql/handlers.ts'
import type { SeenIn } from '../../../../src/main/query/moments.ts'
import type { QueryTools } from '../../../../src/main/query/tools.ts'
import { tailContract } from '../../../../src/main/tail/relay-contract.ts'
import { relayTailHandlers } from '../../../../src/main/tail/relay-handlers.ts'
import { connectDirect } from '../../../../src/main/wire/direct.ts'
import { createDispatch } from '../../../../src/main/wire/dispatch.ts'
import { tempLake } from '../../../support/lake.ts'
import { openTail } from '../../../support/tail.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

const sqlContract = { ...sql, ...results }

export interface Options extends Partial<PoolOptions> {
  results?: Partial<ResultLimits>
  live?: QueryTools['live']
  seenIn?: SeenIn
}

export interface SqlLake {
  lake: Lake
  folder: string
  client: Client<typeof sqlContract>
  /** Where statements go to disk. */
  spill: string
}

export async function openSqlLake({
  memoryMb = 1024,
  results: limits,
  live = emptyLive(),
  seenIn = noSession,
  ...pool
}: Options = {}): Promise<SqlLake> {
  const folder = makeTempFolder()
  const lake = await tempLake({ folder })
  const opened = await openPool({ size: 3, timeoutMs: 30_000, memoryMb, tempFolder: join(folder, 'queries'), ...pool })
  const tools = { reads: lakeReads(lake), pool: opened, clock: systemClock, live }
  const spill = join(folder, 'sql')
  const { handlers, close } = openSql(tools, { memoryMb, tempFolder: spill, results: limits, seenIn })
  onTestFinished(async () => {
    await opened.close()
    close()
  })
  const dispatch = createDispatch(sqlContract, handlers, { checkAnswers: true })
  return { lake, folder, spill, client: connectDirect(sqlContract, dispatch) }
}

/** A log without messages. */
function emptyLive(): QueryTools['live'] {
  const tails = { trades: openTail(), quotes: openTail({ dataType: 'quotes' }) }
  const relayed = { tails, isRunning: () => true, caughtUp: () => Promise.resolve(true) }
  const client = connectDirect(tailContract, createDispatch(tailContract, relayTailHandlers(relayed)))
  return () => Promise.resolve(client)
}

function noSession(): never {
  throw new Error('no test has a session without saying so')
}
